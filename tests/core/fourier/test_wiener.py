import pytest
import torch
from blob_volume import blobs

from icelens.core.errors import GeometryError, MetadataError
from icelens.core.fourier.filters import apply_filter, low_pass
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.fourier.wiener import reconstruct_halves, reconstruct_map, ssnr_of_all
from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.symmetry import symmetry_operators


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()))


def rotations(count: int, seed: int = 5) -> torch.Tensor:
    return random_rotations(count, torch.Generator().manual_seed(seed))


def ctfs(count: int, box_size: int) -> torch.Tensor:
    """Curves with zeros at different places, of both signs."""
    radius = frequency_radius((1, box_size, box_size))[0]
    speed = torch.linspace(40.0, 90.0, count)[:, None, None]
    return torch.sin(speed * radius**2 * 4 + 0.1)


@pytest.mark.parametrize(("box_size", "padding"), [(24, 2), (25, 2), (20, 3), (21, 3)])
def test_exact_slices_of_a_map_return_it(box_size: int, padding: int) -> None:
    volume, rotation = blobs(box_size), rotations(600)
    sums = SliceSums(box_size, padding=padding)
    slices = central_slices(slice_source(volume, padding=padding), rotation, padding=padding)
    sums.insert(slices, None, rotation)
    result = reconstruct_map(sums)
    # samples of an image lie `padding` points apart: the finer the grid, the more gaps near zero
    assert correlation(result, volume) > {2: 0.999, 3: 0.998}[padding]
    # grey values are those of the map, not only its shape
    assert 0.9 < float((result * volume).sum() / volume.square().sum()) < 1.02


def test_ctf_is_divided_out() -> None:
    volume, rotation, ctf = blobs(24), rotations(600), ctfs(600, 24)
    slices = central_slices(slice_source(volume), rotation)
    right, wrong, given = SliceSums(24), SliceSums(24), SliceSums(24)
    right.insert(slices * ctf, ctf, rotation)
    wrong.insert(slices * ctf, None, rotation)
    given.insert(slices * ctf * ctf, ctf, rotation, is_premultiplied=True)
    assert correlation(reconstruct_map(right), volume) > 0.998
    assert correlation(reconstruct_map(wrong), volume) < 0.95
    assert torch.allclose(reconstruct_map(given), reconstruct_map(right), atol=1e-3)


def test_the_centre_is_the_voxel_half_way() -> None:
    for box_size in (20, 21):
        volume = torch.zeros(box_size, box_size, box_size)
        volume[box_size // 2 + 2, box_size // 2 - 3, box_size // 2 + 1] = 1.0
        sums = SliceSums(box_size)
        rotation = rotations(500)
        sums.insert(central_slices(slice_source(volume), rotation), None, rotation)
        assert int(reconstruct_map(sums).argmax()) == int(volume.argmax())


def test_limited_sums_give_the_map_to_that_resolution() -> None:
    volume, rotation = blobs(24), rotations(600)
    slices = central_slices(slice_source(volume), rotation)
    sums = SliceSums(24, max_radius=5)
    sums.insert(slices, None, rotation)
    expected = apply_filter(volume, low_pass(frequency_radius((24, 24, 24)), 24 / 5.5, edge=0.02))
    assert correlation(reconstruct_map(sums), expected) > 0.99
    with pytest.raises(GeometryError, match="shells"):
        reconstruct_map(sums, ssnr=torch.ones(6))


@pytest.mark.parametrize("symmetry", ["C3", "D2", "T"])
def test_symmetry_makes_few_views_enough(symmetry: str) -> None:
    operators = symmetry_operators(symmetry)
    every = [central_slices(slice_source(blobs(24)), rotations(500) @ each) for each in operators]
    slices = sum(every) / len(operators)
    whole = SliceSums(24)
    for operator in operators:
        whole.insert(slices, None, rotations(500) @ operator)
    truth = reconstruct_map(whole)
    few = SliceSums(24)
    few.insert(slices[:40], None, rotations(500)[:40])
    result = reconstruct_map(few, symmetry=symmetry)
    assert correlation(result, truth) > 0.97
    assert correlation(result, truth) > correlation(reconstruct_map(few), truth)


def test_noise_is_weighted_down_where_halves_disagree() -> None:
    volume, generator = blobs(24), torch.Generator().manual_seed(7)
    rotation, ctf = rotations(400), ctfs(400, 24)
    slices = central_slices(slice_source(volume), rotation) * ctf
    noise = torch.randn(400, 24, 24, generator=generator) * 6.0
    images = slices + torch.fft.rfftn(noise, dim=(-2, -1))
    halves = SliceSums(24), SliceSums(24)
    for half, sums in enumerate(halves):
        sums.insert(images[half::2], ctf[half::2], rotation[half::2])
    result = reconstruct_halves(*halves, pixel_size=2.0)
    both = SliceSums.like(halves[0])
    both.add(halves[0])
    both.add(halves[1])
    plain = reconstruct_map(both)
    assert float((result.full - volume).norm()) < 0.9 * float((plain - volume).norm())
    assert correlation(result.full, volume) > correlation(plain, volume)
    assert 4.0 < result.resolution < 30.0
    assert correlation(result.half_1, result.half_2) < correlation(result.full, volume)


def test_halves_of_noise_do_not_agree() -> None:
    # wrong software shares images between halves, or noise through masks; then this FSC is high
    generator = torch.Generator().manual_seed(7)
    halves = SliceSums(20), SliceSums(20)
    for seed, sums in enumerate(halves):
        noise = torch.randn(200, 20, 20, generator=generator)
        sums.insert(torch.fft.rfftn(noise, dim=(-2, -1)), None, rotations(200, seed))
    result = reconstruct_halves(*halves, pixel_size=2.0)
    assert float(result.fsc.correlation[3:].abs().mean()) < 0.15


def test_ssnr_counts_both_halves() -> None:
    fsc = torch.tensor([1.0, 0.5, 1 / 3, 0.0, -0.2, float("nan")])
    ssnr = ssnr_of_all(fsc)
    assert torch.allclose(ssnr[1:3], torch.tensor([2.0, 1.0]))
    assert bool((ssnr[3:] < 0.01).all())
    assert float(ssnr[0]) > 1000


def test_empty_sums_give_an_empty_map() -> None:
    assert not reconstruct_map(SliceSums(12)).any()


def test_unknown_symmetry_is_named() -> None:
    with pytest.raises(MetadataError, match="unknown symmetry"):
        reconstruct_map(SliceSums(12), symmetry="X")
