import pytest
import torch
import torch_ctf

from icelens.core.optics.ctf import ctf


@pytest.mark.parametrize("defocus", [8000.0, 35000.0])
def test_ctf_agrees_with_torch_ctf_in_sign_and_value(defocus: float) -> None:
    n, pixel_size = 64, 3.0
    y = torch.fft.fftfreq(n, d=pixel_size)
    x = torch.fft.rfftfreq(n, d=pixel_size)
    ours = ctf(torch.hypot(y[:, None], x), defocus, amplitude_contrast=0.07)
    theirs = torch_ctf.calculate_ctf_2d(
        defocus=defocus * 1e-4,  # it counts in micrometres
        astigmatism=0.0,
        astigmatism_angle=0.0,
        voltage=300.0,
        spherical_aberration=2.7,
        amplitude_contrast=0.07,
        phase_shift=0.0,
        pixel_size=pixel_size,
        image_shape=(n, n),
        rfft=True,
        fftshift=False,
    )
    # the wavelengths differ by 6e-6 of their value; the phase is 240 rad in the corner
    assert torch.allclose(ours, theirs.squeeze(), atol=5e-3)


def test_underfocus_makes_bright_protein_brighter_at_first() -> None:
    frequency = torch.linspace(0.0, 1 / 40, 50)
    transfer = ctf(frequency, 35000.0, amplitude_contrast=0.1)
    assert abs(float(transfer[0]) - 0.1) < 1e-6
    # RELION's sign: positive up to the first zero, which lies near 26 Å at this defocus
    assert bool((transfer > 0).all())
    assert float(transfer.max()) > 0.99
