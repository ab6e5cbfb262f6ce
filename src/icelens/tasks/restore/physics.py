"""What microscope and tilt scheme did to one tomogram, on the grid of a box of any shape."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.tomograms import TomogramRow
from icelens.core.fourier.filters import wiener_curve
from icelens.core.fourier.frequencies import nyquist
from icelens.core.optics.correction import radial, transfer_curve
from icelens.core.optics.ctf import ctf
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask
from icelens.core.volumes.rotate import right_angle_rotations

Shape = tuple[int, int, int]
CURVE_SAMPLES = 1024  # of a radial curve between zero and Nyquist; interpolated onto boxes
DENOISING_SHARE = 0.3  # weight of a turn that hides nothing; of an average one it is 1.3
KEPT_ROTATIONS = 64  # masks kept for reuse: the 24 right angles come again and again


@dataclass(frozen=True)
class CtfHandling:
    """How the CTF enters training and prediction; fields as in `TrainConfig`."""

    mode: str
    phase_flipped: bool
    phase_flip_input: bool
    b_factor: float
    clip_first_peak: int
    snr_falloff: float
    deconvolution_strength: float
    highpass_nyquist: float
    isonet2_exact: bool

    @property
    def flips_input(self) -> bool:
        """Whether the input's phases are flipped before the network."""
        return self.mode != "none" and self.phase_flip_input and not self.phase_flipped

    @property
    def is_absolute(self) -> bool:
        """Whether what the network sees has all phases right, so that |CTF| applies."""
        return self.phase_flipped or self.phase_flip_input


@dataclass(frozen=True)
class Physics:
    """Masks and transfers of one tomogram, as half transforms on `device`."""

    row: TomogramRow
    tilts: TiltScheme
    handling: CtfHandling
    device: torch.device
    _kept: dict[tuple[object, ...], Tensor] = field(default_factory=dict, repr=False)

    def measured(self, shape: Shape) -> Float[Tensor, "z y x_half"]:
        """Weight with which each frequency was measured."""
        return self._once(
            ("measured", shape),
            lambda: measured_mask(
                shape, self.tilts, pixel_size=self.row.pixel_size, device=self.device
            ),
        )

    def turned(self, shape: Shape, rotation: Float[Tensor, "3 3"]) -> Float[Tensor, "z y x_half"]:
        """The same for a box that was turned; kept for the rotations that come often."""
        key = ("turned", shape, *rotation.flatten().tolist())
        if key in self._kept:
            return self._kept[key]
        mask = measured_mask(
            shape,
            self.tilts,
            pixel_size=self.row.pixel_size,
            rotation=rotation,
            device=self.device,
        )
        if bool((rotation == rotation.round()).all()) and len(self._kept) < KEPT_ROTATIONS:
            self._kept[key] = mask
        return mask

    def phase_flip(self, shape: Shape) -> Float[Tensor, "z y x_half"]:
        """Sign of the CTF where the input's phases are to be flipped, else ones."""
        if not self.handling.flips_input:
            return self._once(("ones", shape), lambda: self._radial(torch.ones(2), shape))
        return self._once(("flip", shape), lambda: torch.sign(self._plain_ctf(shape)))

    def transfer(self, shape: Shape) -> Float[Tensor, "z y x_half"]:
        """CTF that a CTF-free answer is multiplied by before it is compared."""

        def make() -> Tensor:
            handling = self.handling
            is_network = handling.mode == "network"
            curve = transfer_curve(
                self._frequencies(),
                self._ctf_curve(),
                b_factor=handling.b_factor if is_network else 0.0,
                clip_first_peak_mode=handling.clip_first_peak if is_network else 0,
                absolute=handling.is_absolute,
                isonet2_exact=handling.isonet2_exact,
            )
            return self._radial(curve, shape)

        return self._once(("transfer", shape), make)

    def wiener(self, shape: Shape) -> Float[Tensor, "z y x_half"]:
        """Filter that corrects the target in Wiener mode."""

        def make() -> Tensor:
            transfer = self._ctf_curve()
            curve = wiener_curve(
                transfer.abs() if self.handling.is_absolute else transfer,
                torch.linspace(0, 1, CURVE_SAMPLES),
                self.row.pixel_size,
                snr_falloff=self.handling.snr_falloff,
                strength=self.handling.deconvolution_strength,
                highpass_nyquist=self.handling.highpass_nyquist,
            )
            return self._radial(curve, shape)

        return self._once(("wiener", shape), make)

    def turn_weights(self) -> tuple[float, ...]:
        """How often to draw each right-angle rotation: more often the more it hides.

        A turn that lays the wedge onto itself teaches denoising alone; one that lays it onto what
        was measured teaches filling as well.
        """
        shape = (16, 16, 16)
        measured = self.measured(shape)
        hidden = [
            float((self.turned(shape, turn) * (1 - measured)).mean())
            for turn in right_angle_rotations()
        ]
        mean = sum(hidden) / len(hidden)
        return tuple(share / mean + DENOISING_SHARE for share in hidden) if mean else (1.0,) * 24

    def before_network(self, shape: Shape, *, apply_wedge: bool) -> Float[Tensor, "z y x_half"]:
        """What every input is multiplied by: phase flip, and the measured mask if asked."""
        flip = self.phase_flip(shape)
        return flip * self.measured(shape) if apply_wedge else flip

    def _frequencies(self) -> Float[Tensor, " sample"]:
        return torch.linspace(0, nyquist(self.row.pixel_size), CURVE_SAMPLES)

    def _ctf_curve(self) -> Float[Tensor, " sample"]:
        return ctf(
            self._frequencies(),
            self.row.defocus,
            voltage=self.row.voltage,
            spherical_aberration=self.row.spherical_aberration,
            amplitude_contrast=self.row.amplitude_contrast,
        )

    def _plain_ctf(self, shape: Shape) -> Float[Tensor, "z y x_half"]:
        return self._radial(self._ctf_curve(), shape)

    def _radial(self, curve: Tensor, shape: Shape) -> Tensor:
        laid: Tensor = radial(curve, shape).to(self.device)
        return laid

    def _once(self, key: tuple[object, ...], make: Callable[[], Tensor]) -> Tensor:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]
