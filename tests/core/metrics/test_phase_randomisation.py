"""Random phases change phases only, and the correction removes what a mask makes."""

import torch

from icelens.core.fourier.filters import apply_filter, low_pass
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.metrics.fsc import fourier_shell_correlation
from icelens.core.metrics.phase_randomisation import masked_correlation, randomise_phases

N = 32


def soft_sphere() -> torch.Tensor:
    axis = torch.arange(N) - N // 2
    radius = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    return ((10.0 - radius) / 3.0).clamp(0.0, 1.0)


def generator() -> torch.Generator:
    # not the seed of the tests' own maps, which would be drawn once more
    return torch.Generator().manual_seed(7)


def test_amplitudes_and_low_frequencies_stay_and_phases_beyond_do_not():
    volume = torch.randn(12, 15, 10)
    random = randomise_phases(volume, 0.2, generator=generator())
    before, after = torch.fft.rfftn(volume), torch.fft.rfftn(random)
    assert torch.allclose(after.abs(), before.abs(), rtol=1e-3, atol=1e-3)
    near = frequency_radius((12, 15, 10)) <= 0.2
    assert torch.allclose(after[near], before[near], atol=1e-4)
    curve = fourier_shell_correlation(volume, random, pixel_size=1.0)
    assert curve.correlation[5:].abs().max() < 0.4  # a few hundred samples in each shell
    assert curve.correlation[:3].min() > 0.999


def test_correction_brings_shared_noise_of_the_mask_to_zero_but_keeps_signal():
    volume = apply_filter(torch.randn(N, N, N), low_pass(frequency_radius((N, N, N)), 5.0))
    mask = soft_sphere()
    a, b = (volume + 0.3 * torch.randn(N, N, N) for _ in range(2))
    masked = fourier_shell_correlation(a, b, pixel_size=1.0, mask=mask)
    curves = masked_correlation(a, b, mask, pixel_size=1.0, generator=generator())
    corrected = curves.corrected
    plain = fourier_shell_correlation(a, b, pixel_size=1.0)
    assert corrected.correlation[1:5].min() > 0.8
    assert corrected.correlation[10:].abs().mean() < 0.15
    assert corrected.correlation[9:].mean() <= masked.correlation[9:].mean() + 0.02
    assert torch.equal(corrected.count, plain.count)


def test_maps_that_agree_everywhere_need_no_correction():
    volume = torch.randn(N, N, N)
    curves = masked_correlation(
        volume, volume, soft_sphere(), pixel_size=1.0, generator=generator()
    )
    assert (curves.corrected.correlation > 0.999).all()


def test_all_four_curves_belong_together():
    volume = apply_filter(torch.randn(N, N, N), low_pass(frequency_radius((N, N, N)), 5.0))
    a, b = (volume + 0.3 * torch.randn(N, N, N) for _ in range(2))
    curves = masked_correlation(a, b, soft_sphere(), pixel_size=1.0, generator=generator())
    plain = fourier_shell_correlation(a, b, pixel_size=1.0)
    assert torch.equal(curves.unmasked.correlation, plain.correlation)
    # up to the first shell that is randomised all agree; beyond, random phases share only the mask
    assert torch.allclose(
        curves.randomised.correlation[:3], curves.masked.correlation[:3], atol=0.05
    )
    assert curves.randomised.correlation[9:].abs().mean() < 0.2
    again = masked_correlation(a, b, soft_sphere(), pixel_size=1.0, generator=generator())
    assert torch.equal(again.corrected.correlation, curves.corrected.correlation)
