import math

import torch

from icelens.core.simulate.projection import project
from icelens.core.simulate.reconstruction import weighted_back_projection

SHAPE = (32, 24, 48)
ANGLES = [float(angle) for angle in range(-60, 61, 4)]


def specimen() -> torch.Tensor:
    """Many small blobs, nowhere symmetric under x -> -x."""
    generator = torch.Generator().manual_seed(7)
    sparse = (torch.rand(SHAPE, generator=generator) > 0.995).float()
    sparse[:6] = sparse[-6:] = 0.0
    sparse[:, :, :10] = sparse[:, :, -10:] = 0.0
    k2 = sum(
        torch.fft.fftfreq(n).reshape([-1 if i == j else 1 for j in range(3)]) ** 2
        for i, n in enumerate(SHAPE)
    )
    smooth = torch.fft.ifftn(torch.fft.fftn(sparse) * torch.exp(-2 * (math.pi * 1.5) ** 2 * k2))
    return smooth.real


def correlation_measured(a: torch.Tensor, b: torch.Tensor) -> tuple[float, float]:
    """Correlation inside the measured wedge (1/20 to 1/5 px); part of the energy of `a` there."""
    z, y, x = (torch.fft.fftfreq(n) for n in SHAPE)
    kz, ky, kx = torch.meshgrid(z, y, x, indexing="ij")
    radius = (kz**2 + ky**2 + kx**2).sqrt()
    is_measured = kz.abs() <= math.tan(math.radians(60)) * kx.abs() + 1e-9
    band = (radius > 0.05) & (radius < 0.2)
    a_fft, b_fft = torch.fft.fftn(a), torch.fft.fftn(b)
    a_in, b_in = a_fft[band & is_measured], b_fft[band & is_measured]
    score = (a_in * b_in.conj()).real.sum() / (a_in.norm() * b_in.norm())
    inside = a_fft[band & is_measured].abs().pow(2).sum() / a_fft[band].abs().pow(2).sum()
    return float(score), float(inside)


def test_wrong_tilt_sign_loses_the_truth_though_not_the_wedge() -> None:
    truth = specimen()
    edges = torch.zeros(0)
    images = torch.stack(
        [project(truth, angle, width=SHAPE[2], slab_edges=edges)[0] for angle in ANGLES]
    )
    right = weighted_back_projection(images, ANGLES, num_z=SHAPE[0])
    wrong = weighted_back_projection(images, [-angle for angle in ANGLES], num_z=SHAPE[0])
    right_score, right_inside = correlation_measured(right, truth)
    wrong_score, wrong_inside = correlation_measured(wrong, truth)
    assert right_score > 0.9
    # chance: the tilt axis itself (k_x = 0) is right whatever the sign
    assert abs(wrong_score) < 0.25
    # why this test is needed: the energy test cannot tell them apart
    assert abs(right_inside - wrong_inside) < 0.02
