import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.refinement.noise import amplitude_profile, noise_spectrum


def _coloured(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    spectrum = image_rfft(torch.randn(count, 32, 32, generator=generator))
    y, x = torch.fft.fftfreq(32), torch.fft.rfftfreq(32)
    weight = 1.0 / (1.0 + 8.0 * torch.hypot(y[:, None], x))
    expected = 1024.0 / (1.0 + 8.0 * torch.arange(17) / 32) ** 2
    return image_from_rfft(spectrum * weight, 32), expected


@pytest.mark.parametrize("diameter_px", [None, 20.0, 60.0])
def test_spectrum_of_pure_noise_is_found(diameter_px: float | None) -> None:
    images, expected = _coloured(200, torch.Generator().manual_seed(0))
    found = noise_spectrum(images, diameter_px)
    # the circle blurs the spectrum by a shell or two
    assert torch.allclose(found[2:], expected[2:], rtol=0.15)


def test_particle_within_the_circle_is_not_noise() -> None:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(200, 32, 32, generator=generator)
    images[:, 12:20, 12:20] += 20.0
    found = noise_spectrum(images + 7.0, 18.0)
    assert torch.allclose(found, torch.full((17,), 1024.0), rtol=0.15)


def test_constant_images_are_refused() -> None:
    with pytest.raises(GeometryError, match="are they constant"):
        noise_spectrum(torch.full((3, 16, 16), 2.0), None)


def test_profile_finds_the_amplitudes_of_the_model() -> None:
    generator = torch.Generator().manual_seed(2)
    model = image_rfft(torch.randn(100, 32, 32, generator=generator))
    noise = image_rfft(torch.randn(100, 32, 32, generator=generator))
    assert torch.allclose(
        amplitude_profile(3.0 * model + noise, model, 32)[1:], torch.tensor(3.0), rtol=0.1
    )


def test_opposite_images_show_nothing_of_the_model() -> None:
    model = image_rfft(torch.randn(4, 16, 16))
    assert float(amplitude_profile(-model, model, 16).max()) == 0.0
    assert float(amplitude_profile(model, 0.0 * model, 16).max()) == 0.0
