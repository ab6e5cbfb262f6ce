from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_ctf

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.optics.ctf import ctf
from icelens.core.optics.particle_ctf import aberration_phases, particle_ctf, slice_axes

GRID = {"box_size": 32, "pixel_size": 2.0}
PLAIN = OpticsGroup("plain", pixel_size=2.0, box_size=32, amplitude_contrast=0.07)


def particles_of(*groups: OpticsGroup, rows: int = 4, **arrays: object) -> Particles:
    """Some images that take turns in the groups."""
    return Particles(
        stacks=(Path("images.mrcs"),),
        stack=np.zeros(rows, np.int64),
        slice_index=np.arange(rows),
        optics=groups,
        optics_index=np.arange(rows) % len(groups),
        **arrays,  # type: ignore[arg-type]
    )


def frequencies() -> tuple[torch.Tensor, torch.Tensor]:
    y = torch.fft.fftfreq(32, d=2.0, dtype=torch.float64)[:, None].expand(32, 17)
    x = torch.fft.rfftfreq(32, d=2.0, dtype=torch.float64).expand(32, 17)
    return x, y


def test_without_astigmatism_it_is_the_radial_ctf() -> None:
    defocus = np.array([8000.0, 15000.0, 22000.0, 0.0])
    ours = particle_ctf(particles_of(PLAIN, defocus_u=defocus), np.arange(4), **GRID)
    x, y = frequencies()
    for row, value in enumerate(defocus):
        expected = ctf(torch.hypot(x, y), value, amplitude_contrast=0.07)
        assert torch.allclose(ours[row], expected.float(), atol=1e-4)


def test_astigmatism_and_phase_plate_agree_with_torch_ctf() -> None:
    particles = particles_of(
        PLAIN,
        rows=1,
        defocus_u=np.array([18000.0]),
        defocus_v=np.array([12000.0]),
        astigmatism_angle=np.array([25.0]),
        phase_shift=np.array([70.0]),
    )
    theirs = torch_ctf.calculate_ctf_2d(
        defocus=1.5,
        astigmatism=0.3,
        astigmatism_angle=25.0,
        voltage=300.0,
        spherical_aberration=2.7,
        amplitude_contrast=0.07,
        phase_shift=70.0,
        pixel_size=2.0,
        image_shape=(32, 32),
        rfft=True,
        fftshift=False,
    )
    # the wavelengths differ by 6e-6 of their value
    assert torch.allclose(particle_ctf(particles, [0], **GRID), theirs.squeeze(), atol=5e-3)


@pytest.mark.parametrize("angle", [0.0, 90.0])
def test_defocus_u_lies_along_its_angle(angle: float) -> None:
    particles = particles_of(
        PLAIN,
        rows=1,
        defocus_u=np.array([18000.0]),
        defocus_v=np.array([12000.0]),
        astigmatism_angle=np.array([angle]),
    )
    values = particle_ctf(particles, [0], **GRID)[0]
    along_x, along_y = values[0, :16], values[:16, 0]
    k = torch.fft.rfftfreq(32, d=2.0)[:16]
    first, second = (along_x, along_y) if angle == 0.0 else (along_y, along_x)
    assert torch.allclose(first, ctf(k, 18000.0, amplitude_contrast=0.07), atol=1e-4)
    assert torch.allclose(second, ctf(k, 12000.0, amplitude_contrast=0.07), atol=1e-4)


def test_b_factor_and_scale_are_factors() -> None:
    particles = particles_of(PLAIN, defocus_u=np.full(4, 9000.0))
    plain = particle_ctf(particles, np.arange(4), **GRID)
    faded = replace(particles, b_factor=np.full(4, 60.0), ctf_scale=np.array([1.0, 0.5, 0.2, 0.0]))
    x, y = frequencies()
    envelope = torch.exp(-15.0 * (x**2 + y**2)).float()
    scale = torch.tensor([1.0, 0.5, 0.2, 0.0])[:, None, None]
    assert torch.allclose(
        particle_ctf(faded, np.arange(4), **GRID), plain * envelope * scale, atol=1e-6
    )


def test_even_zernike_moves_the_defocus() -> None:
    # Z_2^0 = 2 k^2 - 1 and defocus enters the phase as pi lambda k^2
    wavelength = 0.019687
    more = np.pi * wavelength * 1000.0
    group = replace(PLAIN, even_zernike=(-more / 2, 0.0, -more / 2))
    ours = particle_ctf(particles_of(group, defocus_u=np.full(4, 9000.0)), [0], **GRID)
    plain = particle_ctf(particles_of(PLAIN, defocus_u=np.full(4, 10000.0)), [0], **GRID)
    assert torch.allclose(ours, plain, atol=1e-3)


def test_anisotropic_magnification_multiplies_frequencies() -> None:
    matrix = (1.02, 0.01, -0.03, 0.97)
    group = replace(PLAIN, magnification=matrix)
    ours = particle_ctf(particles_of(group, defocus_u=np.full(4, 9000.0)), [2], **GRID)[0]
    x, y = frequencies()
    k = torch.hypot(1.02 * x + 0.01 * y, -0.03 * x + 0.97 * y)
    assert torch.allclose(ours, ctf(k, 9000.0, amplitude_contrast=0.07).float(), atol=1e-4)


def test_rows_of_several_groups_keep_their_order() -> None:
    other = replace(PLAIN, voltage=200.0, amplitude_contrast=0.1)
    particles = particles_of(PLAIN, other, rows=6, defocus_u=np.linspace(5e3, 2e4, 6))
    rows = [5, 2, 0, 3]
    together = particle_ctf(particles, rows, **GRID)
    for place, row in enumerate(rows):
        assert torch.allclose(together[place], particle_ctf(particles, row, **GRID)[0], atol=1e-5)


def test_grid_may_be_finer_or_odd() -> None:
    particles = particles_of(PLAIN, defocus_u=np.full(4, 9000.0))
    small = particle_ctf(particles, [0], box_size=15, pixel_size=4.0)
    assert small.shape == (1, 15, 8)
    k = torch.fft.rfftfreq(15, d=4.0)
    assert torch.allclose(small[0, 0], ctf(k, 9000.0, amplitude_contrast=0.07), atol=1e-4)


def test_images_without_aberrations_carry_no_phases() -> None:
    assert aberration_phases(particles_of(PLAIN), [0, 1], **GRID) is None


def test_phases_are_of_unit_length_and_odd() -> None:
    group = replace(PLAIN, beam_tilt_xy=(1.5, -0.4), odd_zernike=(0.3, -0.2, 1.0, 2.0))
    phases = aberration_phases(particles_of(PLAIN, group), [0, 1], **GRID)
    assert phases is not None
    assert torch.allclose(phases[0], torch.ones_like(phases[0]))
    assert torch.allclose(phases[1].abs(), torch.ones(32, 17))
    # a real image stays real: the samples (y, 0) and (-y, 0) are conjugate
    assert torch.allclose(phases[1, 1:16, 0], phases[1, 17:, 0].flip(0).conj(), atol=1e-5)
    assert float((phases[1] - 1).abs().max()) > 0.1


def test_zernike_and_tilt_of_opposite_sign_cancel() -> None:
    scale = 2 * np.pi * 2.7e7 * 0.019687**2 * 1e-3 * 1.5
    group = replace(
        PLAIN, beam_tilt_xy=(1.5, 0.0), odd_zernike=(0.0, 2 * scale / 3, 0.0, 0.0, scale / 3)
    )
    phases = aberration_phases(particles_of(group), [3], **GRID)
    assert phases is not None
    assert torch.allclose(phases, torch.ones_like(phases), atol=1e-3)


def test_slices_lie_where_their_frequency_is() -> None:
    turns = np.stack([np.eye(3), np.diag([-1.0, 1.0, -1.0])] * 2)
    finer = replace(PLAIN, pixel_size=1.0, box_size=48)
    skewed = replace(PLAIN, magnification=(1.02, 0.01, -0.03, 0.97))
    particles = particles_of(PLAIN, finer, skewed, rows=4, rotation=turns)
    axes = slice_axes(particles, [0, 1, 2, 3], box_size=32, pixel_size=2.0)
    assert np.allclose(axes[[0, 3]], turns[[0, 3]])
    # 24 samples of the finer image reach 1/2 Å, where 32 of the map would lie
    assert np.allclose(axes[1, :2], turns[1, :2] * 32 * 2.0 / 48)
    # the true frequency of the sample (k_x, k_y) is M k
    k = np.array([3.0, -5.0])
    true = np.array([1.02 * 3 + 0.01 * -5, -0.03 * 3 + 0.97 * -5, 0.0])
    assert np.allclose(k @ axes[2, :2], turns[2].T @ true)
