"""Toy tomograms, networks and physics for the tests of `restore`: small enough for seconds."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.io.tomogram_star import write_tomograms
from icelens.core.io.volumes import write_volume
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask
from icelens.tasks.restore.crops import CropBatch, Standardised
from icelens.tasks.restore.physics import CtfHandling, Physics
from icelens.training.checkpoint import save_checkpoint
from icelens.training.device import Compute

CPU = torch.device("cpu")
COMPUTE = Compute(CPU, "float32", 1, "tests")
NO_CTF: dict[str, Any] = {
    "mode": "none",
    "phase_flipped": False,
    "phase_flip_input": True,
    "b_factor": 0.0,
    "clip_first_peak": 0,
    "snr_falloff": 0.0,
    "deconvolution_strength": 1.0,
    "highpass_nyquist": 0.02,
    "isonet2_exact": False,
}
DESCRIPTION: dict[str, Any] = {
    "task": "restore",
    "method": "denoise",
    "network": "identity",
    "box_size": 16,
    "pixel_size": 10.0,
    "input_column": "auto",
    "use_tilt_files": False,
    "contrast": "dark",
    "ctf_mode": "none",
    **{name: value for name, value in NO_CTF.items() if name != "mode"},
}


def physics(tilt: float = 60.0, *, defocus: float = 30000.0, **handling: Any) -> Physics:
    """Physics of a tomogram at 10 Å/px whose tilts reach from `-tilt` to `tilt`."""
    row = TomogramRow(1, 10.0, defocus=defocus, tilt_min=-tilt, tilt_max=tilt)
    return Physics(row, TiltScheme(-tilt, tilt), CtfHandling(**{**NO_CTF, **handling}), CPU)


def blobs(shape: tuple[int, int, int], seed: int = 0) -> Tensor:
    """Smooth random density of unit variance and zero mean."""
    generator = torch.Generator().manual_seed(seed)
    spectrum = torch.fft.rfftn(torch.randn(shape, generator=generator))
    axes = [torch.fft.fftfreq(n) for n in shape[:2]] + [torch.fft.rfftfreq(shape[2])]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    density = torch.fft.irfftn(spectrum * torch.exp(-40 * (z**2 + y**2 + x**2)), s=shape)
    return (density - density.mean()) / density.std()


def crop_batch(boxes: Tensor, rotations: Tensor | None = None, **fields: Any) -> CropBatch:
    """Boxes `(half, item, z, y, x)` of tomogram 0, not turned unless told."""
    num_items = boxes.shape[1]
    turned = torch.eye(3).expand(num_items, 3, 3) if rotations is None else rotations
    seeds = fields.get("seeds", list(range(num_items)))
    return CropBatch(boxes, None, turned, fields.get("tomograms", [0] * num_items), seeds)


class Recalls(nn.Module):
    """A network that gives the answer it was told, whatever it is shown, and keeps what it saw."""

    def __init__(self, answer: Tensor | None = None) -> None:
        super().__init__()
        self.answer = answer
        self.seen: list[Tensor] = []

    def forward(self, boxes: Tensor) -> Tensor:
        self.seen.append(boxes.clone())
        return boxes if self.answer is None else self.answer.reshape(boxes.shape)


def standardised(values: np.ndarray | Tensor) -> Standardised:
    """A density that is standardised already."""
    return Standardised(Volume(np.asarray(values, np.float32), 10.0), 0.0, 1.0, 1.0)


def write_pair(
    folder: Path,
    shape: tuple[int, int, int] = (24, 32, 32),
    *,
    noise: float = 0.5,
    **fields: Any,
) -> Path:
    """Even, odd, full and true tomogram with a missing wedge, dark protein; returns the list."""
    truth = blobs(shape)
    seen = torch.fft.rfftn(truth) * measured_mask(shape, TiltScheme(-60.0, 60.0))
    measured = torch.fft.irfftn(seen, s=shape)
    even, odd = (measured + noise * torch.randn(shape) for _ in range(2))
    densities = {"even": even, "odd": odd, "full": (even + odd) / 2, "ground_truth": truth}
    paths = {}
    for kind, density in densities.items():
        token = {"even": "_EVN", "odd": "_ODD"}.get(kind, f"_{kind}")
        paths[kind] = folder / f"TS_01{token}.mrc"
        write_volume(paths[kind], Volume(7.0 - 3.0 * density.numpy(), 10.0, (1.0, 2.0, 3.0)))
    row = TomogramRow(**{"index": 1, "pixel_size": 10.0, **paths, "num_subtomograms": 4, **fields})
    star = folder / "tomograms.star"
    write_tomograms(star, TomogramList.from_rows([row]))
    return star


def write_checkpoint(folder: Path, holds: nn.Module | None = None, **description: Any) -> Path:
    """A checkpoint of the weights that a network holds, by default of one without weights."""
    path = folder / "network.safetensors"
    weights = {} if holds is None else holds.state_dict()
    save_checkpoint(path, weights, {**DESCRIPTION, **description})
    return path
