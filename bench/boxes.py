"""Even and odd boxes of noise around blobs, with the physics of a made-up tomogram."""

import torch

from icelens.core.data.tomograms import TomogramRow
from icelens.core.optics.missing_wedge import TiltScheme
from icelens.core.volumes.rotate import right_angle_rotations
from icelens.tasks.restore.crops import CropBatch
from icelens.tasks.restore.physics import CtfHandling, Physics

HANDLING = CtfHandling(
    mode="network",
    phase_flipped=False,
    phase_flip_input=True,
    b_factor=0.0,
    clip_first_peak=1,
    snr_falloff=0.0,
    deconvolution_strength=1.0,
    highpass_nyquist=0.02,
    isonet2_exact=False,
)


def make_batch(box_size: int, batch_size: int) -> CropBatch:
    """Boxes of unit noise per half over a common signal, turned by a quarter about y."""
    generator = torch.Generator().manual_seed(1)
    shape = (batch_size, box_size, box_size, box_size)
    signal = torch.randn(shape, generator=generator)
    halves = torch.stack([signal + torch.randn(shape, generator=generator) for _ in range(2)])
    turn = right_angle_rotations()[7].expand(batch_size, 3, 3)
    return CropBatch(halves, None, turn, [0] * batch_size, list(range(batch_size)))


def make_physics(device: torch.device) -> Physics:
    """Tilts of ±60 degrees, 3.5 µm defocus, 10 Å/px."""
    row = TomogramRow(index=1, pixel_size=10.0, defocus=35000.0)
    return Physics(row, TiltScheme(-60.0, 60.0), HANDLING, device)
