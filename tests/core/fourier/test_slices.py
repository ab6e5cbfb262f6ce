import pytest
import torch
import torch_fourier_slice
from blob_volume import blobs

from icelens.core.errors import GeometryError
from icelens.core.fourier.slices import central_slices, project_volume, slice_source
from icelens.core.geometry.rotations import random_rotations


def correlation(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    a, b = a.flatten(-2), b.flatten(-2)
    a, b = a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True)
    return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))


@pytest.mark.parametrize("box_size", [24, 25])
def test_slice_at_identity_is_the_sum_along_z(box_size: int) -> None:
    volume = blobs(box_size)
    image = project_volume(volume, torch.eye(3))
    assert float(correlation(image, volume.sum(0))) > 0.999
    # At identity no sample lies between grid points, so the correction for it is 5 % too much.
    assert float((image - volume.sum(0)).abs().max()) < 0.07 * float(volume.sum(0).max())


def test_quarter_turn_about_z_moves_x_to_y() -> None:
    volume = torch.zeros(25, 25, 25)
    volume[12, 12, 17] = 1.0  # 5 voxels along +x
    turn = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    image = project_volume(volume, turn)
    assert int(image.argmax()) == 17 * 25 + 12


def test_projections_agree_with_torch_fourier_slice() -> None:
    volume = blobs(32)
    rotation = random_rotations(6, torch.Generator().manual_seed(4))
    # its matrices turn the slice's grid, which is the inverse of turning the particle
    expected = torch_fourier_slice.project_3d_to_2d(volume, rotation.mT)
    # it neither undoes the fading of linear interpolation nor cuts the corners
    assert float(correlation(project_volume(volume, rotation), expected).min()) > 0.999
    wrong = torch_fourier_slice.project_3d_to_2d(volume, rotation)
    assert float(correlation(project_volume(volume, rotation), wrong).mean()) < 0.8


def test_mass_of_a_projection_does_not_depend_on_the_view() -> None:
    volume = blobs(24)
    images = project_volume(volume, random_rotations(5, torch.Generator().manual_seed(5)))
    mass = images.sum((-2, -1)) / volume.sum()
    assert torch.allclose(mass, mass[:1].expand(5), atol=1e-4)  # float32 sums
    # the zero frequency is a grid point: corrected where nothing was lost, see `slice_source`
    assert 1.0 <= float(mass[0]) < 1.07


def test_boxes_must_be_cubes() -> None:
    with pytest.raises((GeometryError, TypeError), match=r"cubic|Type-check"):
        project_volume(torch.zeros(4, 4, 6), torch.eye(3))


def test_finer_padding_interpolates_better() -> None:
    volume, rotation = blobs(24).double(), random_rotations(6, torch.Generator().manual_seed(7))
    exact = central_slices(slice_source(volume, padding=6), rotation.double(), padding=6)
    errors = []
    for padding in (2, 3):
        slices = central_slices(slice_source(volume, padding=padding), rotation, padding=padding)
        errors.append(float((slices - exact).norm() / exact.norm()))
    assert errors[1] < 0.7 * errors[0] < 0.05


def test_slices_know_how_they_change_with_the_rotation() -> None:
    source = slice_source(blobs(16).double())
    rotation = random_rotations(2, torch.Generator().manual_seed(8), dtype=torch.float64)
    direction = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(9)).double()
    rotation.requires_grad_()
    energy = central_slices(source, rotation).abs().square().sum()
    (gradient,) = torch.autograd.grad(energy, rotation)
    step = 1e-6
    with torch.no_grad():
        change = central_slices(source, rotation + step * direction).abs().square().sum() - energy
    assert float((gradient * direction).sum()) == pytest.approx(float(change) / step, rel=1e-3)


def test_nothing_beyond_the_radius_is_cut() -> None:
    source, rotation = slice_source(blobs(16)), torch.eye(3)[None]
    full, near = central_slices(source, rotation), central_slices(source, rotation, max_radius=4)
    radius = torch.fft.fftfreq(16, d=1 / 16)[:, None].hypot(torch.fft.rfftfreq(16, d=1 / 16))
    assert torch.equal(near[0, radius <= 4], full[0, radius <= 4])
    assert not near[0, radius > 4].any()
