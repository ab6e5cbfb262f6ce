"""Optics that many particle images share: sampling, microscope and aberrations."""

import math
from dataclasses import dataclass

from icelens.core.errors import MetadataError

# Distortions are a few percent; what is far from 1, mirrored or singular is no magnification.
_LEAST_AREA = 0.25


@dataclass(frozen=True)
class OpticsGroup:
    """One optics group, as in RELION 3.1 and later.

    Attributes:
        name: `rlnOpticsGroupName`.
        pixel_size: Of the particle images, in Å/px.
        box_size: Side of the particle images, in px.
        voltage: In kV.
        spherical_aberration: In mm.
        amplitude_contrast: Fraction.
        beam_tilt_xy: In mrad.
        odd_zernike: Antisymmetric aberration coefficients, RELION's `rlnOddZernike`.
        even_zernike: Symmetric aberration coefficients, RELION's `rlnEvenZernike`.
        magnification: Anisotropic magnification, rows of RELION's `rlnMat00, 01, 10, 11`.
        is_premultiplied: Whether images were already multiplied by their CTF.
        is_phase_flipped: Whether images were multiplied by the sign of their CTF, so that the CTF
            they still have is positive everywhere.
    """

    name: str
    pixel_size: float
    box_size: int
    voltage: float = 300.0
    spherical_aberration: float = 2.7
    amplitude_contrast: float = 0.1
    beam_tilt_xy: tuple[float, float] = (0.0, 0.0)
    odd_zernike: tuple[float, ...] = ()
    even_zernike: tuple[float, ...] = ()
    magnification: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 1.0)
    is_premultiplied: bool = False
    is_phase_flipped: bool = False

    def __post_init__(self) -> None:
        """Refuse what no microscope does."""
        checks = {
            "pixel size": (self.pixel_size, 0.0 < self.pixel_size < math.inf, "Å above 0"),
            "box size": (self.box_size, self.box_size >= 2, "2 px or more"),
            "voltage": (self.voltage, 0.0 < self.voltage < math.inf, "kV above 0"),
            "amplitude contrast": (
                self.amplitude_contrast,
                0.0 <= self.amplitude_contrast <= 1.0,
                "a fraction from 0 to 1",
            ),
        }
        self._check_magnification()
        for what, (value, is_right, expected) in checks.items():
            if not is_right:
                raise MetadataError(
                    f"optics group {self.name!r}: {what} is {value:g}, expected {expected}; "
                    "correct it"
                )

    def _check_magnification(self) -> None:
        xx, xy, yx, yy = self.magnification
        determinant = xx * yy - xy * yx
        if not _LEAST_AREA <= determinant <= 1.0 / _LEAST_AREA:
            raise MetadataError(
                f"optics group {self.name!r}: the magnification matrix {xx:g} {xy:g} {yx:g} {yy:g} "
                f"changes areas by {determinant:g}, expected almost 1; correct or remove it"
            )
