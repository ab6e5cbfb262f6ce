import math

import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.fourier import scatter
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.shells import column_weights
from icelens.core.fourier.slices import central_slices
from icelens.core.fourier.transforms import image_rfft, volume_rfft
from icelens.core.geometry.rotations import random_rotations

DOUBLE = {"dtype": torch.float64}


def some_rotations(count: int, seed: int = 1) -> torch.Tensor:
    """Random ones, and the identity, whose samples all lie on grid points and on kx = 0."""
    random = random_rotations(count - 1, torch.Generator().manual_seed(seed), **DOUBLE)
    return torch.cat([torch.eye(3, **DOUBLE)[None], random])


def images_rfft(count: int, box_size: int) -> torch.Tensor:
    return image_rfft(torch.randn(count, box_size, box_size, **DOUBLE))


def inner_2d(a: torch.Tensor, b: torch.Tensor) -> float:
    """Of full transforms, from their halves."""
    return float((column_weights(a.shape[-2]).double() * (a.conj() * b).real).sum())


def inner_3d(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((column_weights(a.shape[-2]).double() * (a.conj() * b).real).sum())


@pytest.mark.parametrize(("box_size", "padding"), [(12, 2), (13, 2), (12, 3), (9, 3)])
def test_insertion_is_the_adjoint_of_slicing(box_size: int, padding: int) -> None:
    size = padding * box_size
    source = volume_rfft(torch.randn(size, size, size, **DOUBLE))
    rotation = some_rotations(7)
    images = images_rfft(7, box_size)
    sums = SliceSums(box_size, padding=padding, **DOUBLE)
    sums.insert(images, None, rotation)
    sliced = central_slices(source, rotation, padding=padding)
    forward, backward = inner_2d(sliced, images), inner_3d(source, sums.numerator)
    assert math.isclose(forward, backward, rel_tol=1e-10)


def test_ctf_and_weight_are_the_diagonal_between() -> None:
    # sum of CTF X is the adjoint of CTF slice, sum of CTF^2 that of CTF applied to itself
    ctf = torch.randn(5, 12, 7, **DOUBLE)
    weight = torch.rand(5, **DOUBLE)
    rotation, images = some_rotations(5), images_rfft(5, 12)
    sums, plain, squares = (SliceSums(12, **DOUBLE) for _ in range(3))
    sums.insert(images, ctf, rotation, weight)
    plain.insert(images * ctf * weight[:, None, None], None, rotation)
    squares.insert(
        torch.complex(ctf**2 * weight[:, None, None], torch.zeros_like(ctf)), None, rotation
    )
    assert torch.allclose(sums.numerator, plain.numerator)
    assert torch.allclose(sums.weight, squares.numerator.real)


def test_premultiplied_images_are_not_multiplied_again() -> None:
    ctf = torch.randn(4, 12, 7, **DOUBLE)
    rotation, images = some_rotations(4), images_rfft(4, 12)
    raw, premultiplied = SliceSums(12, **DOUBLE), SliceSums(12, **DOUBLE)
    raw.insert(images, ctf, rotation)
    premultiplied.insert(images * ctf, ctf, rotation, is_premultiplied=True)
    assert torch.allclose(raw.values, premultiplied.values)


def test_sums_of_a_real_map_keep_friedel_symmetry() -> None:
    sums = SliceSums(12, **DOUBLE)
    sums.insert(images_rfft(6, 12), None, some_rotations(6))
    for column in (0, 12):
        plane = sums.numerator[:, :, column]
        assert torch.allclose(plane, plane.flip(0, 1).roll((1, 1), (0, 1)).conj())


def test_batches_do_not_matter() -> None:
    ctf, images, rotation = torch.randn(9, 13, 7, **DOUBLE), images_rfft(9, 13), some_rotations(9)
    whole, parts, other = (SliceSums(13, **DOUBLE) for _ in range(3))
    whole.insert(images, ctf, rotation)
    parts.insert(images[:1], ctf[:1], rotation[:1])
    parts.insert(images[1:1], ctf[1:1], rotation[1:1])
    parts.insert(images[1:4], ctf[1:4], rotation[1:4])
    other.insert(images[4:], ctf[4:], rotation[4:])
    parts.add(other)
    assert torch.allclose(whole.values, parts.values)


def test_single_precision_is_as_good_as_its_digits() -> None:
    ctf, images, rotation = torch.randn(9, 16, 9), images_rfft(9, 16), some_rotations(9)
    single, double = SliceSums(16), SliceSums(16, **DOUBLE)
    single.insert(images.to(torch.complex64), ctf, rotation.float())
    double.insert(images, ctf.double(), rotation)
    error = (single.numerator - double.numerator).abs().max() / double.numerator.abs().max()
    assert float(error) < 1e-5


def test_both_ways_to_scatter_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    ctf, images, rotation = torch.randn(5, 13, 7), images_rfft(5, 13), some_rotations(5)
    sums, others = SliceSums(13), SliceSums(13)
    sums.insert(images.to(torch.complex64), ctf, rotation.float())
    monkeypatch.setattr(scatter, "csc_matvecs", None)
    others.insert(images.to(torch.complex64), ctf, rotation.float())
    assert torch.allclose(sums.values, others.values, atol=1e-4)


def test_nothing_beyond_the_radius_is_inserted() -> None:
    images, rotation = images_rfft(6, 16), some_rotations(6)
    small, full = SliceSums(16, max_radius=5, **DOUBLE), SliceSums(16, **DOUBLE)
    small.insert(images, None, rotation)
    full.insert(images, None, rotation)
    axis = torch.fft.fftfreq(32, d=1 / 32)
    radius = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis[:17] ** 2).sqrt()
    near, far = radius < 10 - math.sqrt(3), radius > 10 + math.sqrt(3)
    assert torch.allclose(small.numerator[near], full.numerator[near])
    assert not small.weight[far].any()
    assert small.values.numel() < full.values.numel()


def test_images_of_another_box_go_where_their_frequency_is() -> None:
    # zeros around an image make its transform finer: sample 2 k of the large one is k of the small
    images = torch.randn(5, 12, 12, **DOUBLE)
    large = torch.nn.functional.pad(images, (6, 6, 6, 6))
    rotation = some_rotations(5)
    # what lies beyond the small image's Nyquist frequency is in neither
    spectrum = torch.zeros(5, 24, 13, dtype=torch.complex128)
    spectrum[:, ::2, ::2] = image_rfft(large)[:, ::2, ::2]
    spectrum[:, 12] = 0.0
    spectrum[:, :, 12] = 0.0
    keep = torch.ones(12, 7)
    keep[6], keep[:, 6] = 0.0, 0.0
    from_small, from_large = SliceSums(12, **DOUBLE), SliceSums(12, **DOUBLE)
    from_small.insert(image_rfft(images) * keep, None, rotation)
    from_large.insert(spectrum, None, rotation * 0.5)
    assert torch.allclose(from_small.numerator, from_large.numerator)


def test_magnified_samples_beyond_the_radius_are_left_out() -> None:
    sums = SliceSums(12, **DOUBLE)
    sums.insert(images_rfft(4, 12), None, some_rotations(4) * 1.3)
    assert torch.isfinite(sums.values).all()
    same = SliceSums(12, **DOUBLE)
    same.insert(images_rfft(4, 24), None, some_rotations(4))
    assert float(same.weight.sum()) > float(sums.weight.sum())


def test_grids_must_fit() -> None:
    with pytest.raises(GeometryError, match="cannot add"):
        SliceSums(12).add(SliceSums(14))
    for padding in (1, 4):
        with pytest.raises(GeometryError, match="threefold"):
            SliceSums(12, padding=padding)
    with pytest.raises(GeometryError, match="max_radius"):
        SliceSums(4096, device="meta")
