"""What the network learns from: the losses of denoising and of wedge filling, one step each.

Notation as in docs/method/restore.md: `x` boxes as measured, `p` the teacher's word on them, `t`
boxes filled and turned, `y` the network's answer; capitals are rfft transforms. `measured` (M) is
the mask of what the tilts reached, `turned` (M_R) the same mask turned with the box.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.fourier.filters import apply_filter
from icelens.core.fourier.shells import column_weights
from icelens.core.optics.noise import NoiseFilter, noise_amplitude
from icelens.core.volumes.rotate import rotate
from icelens.tasks.restore.crops import CropBatch
from icelens.tasks.restore.physics import Physics, Shape
from icelens.tasks.restore.spectral_loss import SpectralLoss
from icelens.training.loop import Loss


def transform(boxes: Float[Tensor, "*batch n n n"]) -> Tensor:
    """Half transform of cubic boxes."""
    spectra: Tensor = torch.fft.rfftn(boxes, dim=(-3, -2, -1))
    return spectra


def inverse(spectra: Tensor, box_size: int) -> Float[Tensor, "*batch n n n"]:
    """Boxes of half transforms."""
    boxes: Tensor = torch.fft.irfftn(spectra, s=(box_size,) * 3, dim=(-3, -2, -1))
    return boxes


def run_network(network: nn.Module, boxes: Float[Tensor, "*batch n n n"]) -> Tensor:
    """All boxes through the network as one batch, in float32."""
    batch = boxes.reshape(-1, 1, *boxes.shape[-3:])
    answer: Tensor = network(batch.contiguous(memory_format=torch.channels_last_3d))
    return answer.float().reshape(boxes.shape)


@dataclass(frozen=True)
class Denoise:
    """Noise2Noise between the halves, with the CTF on either side of the comparison.

    References:
        Lehtinen et al., ICML (2018), eq. 6.
    """

    physics: Sequence[Physics]
    ctf_mode: str
    loss: SpectralLoss

    def __call__(self, network: nn.Module, teacher: nn.Module, batch: CropBatch) -> Loss:
        """Predict each half from the other."""
        del teacher
        box_size = batch.boxes.shape[-1]
        owners = [self.physics[number] for number in batch.tomograms]
        spectra = transform(batch.boxes) * _stacked(owners, Physics.phase_flip, box_size)
        answer = transform(run_network(network, inverse(spectra, box_size)))
        target = spectra.flip(0)
        if self.ctf_mode == "network":
            answer = answer * _stacked(owners, Physics.transfer, box_size)
        elif self.ctf_mode == "wiener":
            target = target * _stacked(owners, Physics.wiener, box_size)
        total = self.loss(answer, target, torch.ones_like(target.real[:1, :1]))
        return Loss(total, {"loss": total.detach()})


@dataclass(frozen=True)
class FillWedge:
    """Learn to restore a second, artificial wedge in boxes that were turned.

    With two halves each answer is compared with the *other* half (noise to noise); with a single
    map with itself. A positive `mw_weight` counts only Fourier samples that were measured in the
    target: those the input shows too, plus `mw_weight` times those hidden from it. Otherwise the
    target is taken whole, the teacher's filling included.

    References:
        Liu et al., Nat. Commun. 13 (2022), IsoNet; Wiedemann & Heckel, Nat. Commun. 15 (2024),
        DeepDeWedge, eq. 5 for the masked loss.
    """

    physics: Sequence[Physics]
    ctf_mode: str
    loss: SpectralLoss
    mw_weight: float
    noise_level: float
    noise_filter: NoiseFilter
    apply_wedge: bool

    def __call__(self, network: nn.Module, teacher: nn.Module, batch: CropBatch) -> Loss:
        """Fill, turn, hide, predict, compare."""
        box_size = batch.boxes.shape[-1]
        owners = [self.physics[number] for number in batch.tomograms]
        ctf = _stacked(owners, Physics.transfer, box_size)
        measured = _stacked(owners, Physics.measured, box_size)
        spectra = transform(batch.boxes) * _stacked(owners, Physics.phase_flip, box_size)
        x = inverse(spectra * measured if self.apply_wedge else spectra, box_size)
        with torch.no_grad():
            p = run_network(teacher, x)
            filled = self._fill(p, x, measured, ctf, batch.seeds)
        rotations = batch.rotations
        t = torch.stack([rotate(half, rotations) for half in filled])
        turned = torch.stack(
            [
                owner.turned((box_size,) * 3, rotation)
                for owner, rotation in zip(owners, rotations, strict=True)
            ]
        )
        spectrum = transform(t)
        visible = inverse(spectrum * measured, box_size)
        answer = transform(run_network(network, self._with_noise(visible, measured, batch.seeds)))
        target = spectrum.flip(0)
        if self.ctf_mode == "network":
            answer = answer * ctf
        elif self.ctf_mode == "wiener":
            target = target * _stacked(owners, Physics.wiener, box_size)
        loss = self._compare(answer, target, turned, measured)
        if batch.truth is None:
            return loss
        return Loss(loss.total, {**loss.terms, **truth_terms(p, batch.truth, measured)})

    def _compare(self, answer: Tensor, target: Tensor, turned: Tensor, measured: Tensor) -> Loss:
        if self.mw_weight <= 0:
            total = self.loss(answer, target, torch.ones_like(turned))
            return Loss(total, {"loss": total.detach()})
        shown = self.loss(answer, target, turned * measured)
        hidden = self.loss(answer, target, turned * (1 - measured))
        total = shown + self.mw_weight * hidden
        return Loss(
            total,
            {"loss": total.detach(), "shown": shown.detach(), "hidden": hidden.detach()},
        )

    def _fill(
        self, p: Tensor, x: Tensor, measured: Tensor, ctf: Tensor, seeds: list[int]
    ) -> Tensor:
        """Put the teacher's word where nothing was measured, as noisy as the data.

        even = s + a, odd = s + b, so std(even - odd) / sqrt(2) is the noise of either; what the
        teacher left of it is measured alike, and the difference is added as white noise.
        """
        box_size = x.shape[-1]
        word = transform(p)
        if self.ctf_mode in ("network", "wiener"):
            word = word * ctf
        if len(x) == 2:
            missing = (_noise_variance(x) - _noise_variance(p)).clamp(min=0).sqrt()
            noise = torch.stack([_white(seed, (2, *x.shape[2:]), x.device) for seed in seeds], 1)
            word = word + transform(missing * noise)
        return x + inverse(word * (1 - measured), box_size)

    def _with_noise(self, visible: Tensor, measured: Tensor, seeds: list[int]) -> Tensor:
        """Add noise of the reconstruction's own spectrum to the input (single maps)."""
        if self.noise_level <= 0:
            return visible
        white = torch.stack(
            [
                _white(seed + 1, (len(visible), *visible.shape[2:]), visible.device)
                for seed in seeds
            ],
            1,
        )
        shape = torch.stack(
            [noise_amplitude(mask, filter_name=self.noise_filter) for mask in measured]
        )
        return visible + self.noise_level * apply_filter(white, shape)


@torch.no_grad()
def truth_terms(
    p: Float[Tensor, "half item n n n"],
    truth: Float[Tensor, "item n n n"],
    measured: Float[Tensor, "#item n n h"],
) -> dict[str, Tensor]:
    """Correlation of the teacher's word with the truth, where tilts measured and where not."""
    word, known = transform(p), transform(truth)
    word[..., 0, 0, 0], known[..., 0, 0, 0] = 0.0, 0.0  # grey offsets say nothing
    columns = column_weights(truth.shape[-1]).to(measured)

    def correlation(weight: Tensor) -> Tensor:
        def summed(product: Tensor) -> Tensor:
            return (product * weight * columns).sum((-3, -2, -1))

        norm = summed(word.abs() ** 2) * summed(known.abs() ** 2)
        return (summed((word * known.conj()).real) / norm.clamp(min=1e-20).sqrt()).mean()

    return {"truth_measured": correlation(measured), "truth_missing": correlation(1 - measured)}


def _noise_variance(halves: Float[Tensor, "half item n n n"]) -> Float[Tensor, "item 1 1 1"]:
    return (halves[0] - halves[1]).var(dim=(-3, -2, -1), keepdim=True) / 2


def _white(seed: int, shape: tuple[int, ...], device: torch.device) -> Tensor:
    generator = torch.Generator(device).manual_seed(seed)
    return torch.randn(shape, generator=generator, device=device)


def _stacked(owners: Sequence[Physics], make: Callable[[Physics, Shape], Tensor], n: int) -> Tensor:
    """A mask or transfer of each item's tomogram; one for all if they share the tomogram."""
    if all(owner is owners[0] for owner in owners):
        return make(owners[0], (n, n, n))[None]
    return torch.stack([make(owner, (n, n, n)) for owner in owners])
