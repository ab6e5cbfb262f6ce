"""Boxes around particles: plain slicing on voxels, centred between them, padded at the border."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icelens.core.errors import GeometryError
from icelens.core.volumes.crop import (
    cut_subtomogram,
    outside_fraction,
    standardised_outside_sphere,
    whole_and_offset,
)

SHAPE = (30, 34, 38)
NOISE = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
inside = st.tuples(*(st.floats(6.0, side - 7.0) for side in SHAPE))


def gaussian(centre: tuple[float, float, float], shape: tuple[int, int, int]) -> np.ndarray:
    axes = [
        np.exp(-((np.arange(n) - c) ** 2) / (2 * 1.5**2))
        for n, c in zip(shape, centre, strict=True)
    ]
    return np.einsum("z,y,x->zyx", *axes).astype(np.float32)


@given(
    centre=st.tuples(st.integers(6, 23), st.integers(6, 27), st.integers(6, 31)),
    box_size=st.integers(1, 12),
)
def test_a_centre_on_a_voxel_is_plain_slicing(centre: tuple[int, int, int], box_size: int) -> None:
    box = cut_subtomogram(NOISE, np.array(centre, float), box_size)
    start = [c - box_size // 2 for c in centre]
    expected = NOISE[tuple(slice(s, s + box_size) for s in start)]
    np.testing.assert_array_equal(box, expected)
    box[:] = 0.0  # the volume itself stays as it is
    assert expected.any()


@settings(max_examples=30, deadline=None)
@given(centre=inside, box_size=st.integers(10, 13))
def test_a_blob_is_centred_wherever_it_lay(
    centre: tuple[float, float, float], box_size: int
) -> None:
    box = cut_subtomogram(gaussian(centre, SHAPE), np.array(centre), box_size)
    expected = gaussian((box_size // 2,) * 3, (box_size,) * 3)
    # its tail is cut at the volume's border, up to 4 standard deviations away, on up to three sides
    np.testing.assert_allclose(box, expected, atol=1e-2)


@given(centre=inside)
def test_whole_voxels_leave_the_rest_to_be_told(centre: tuple[float, float, float]) -> None:
    whole, offset = whole_and_offset(np.array(centre))
    np.testing.assert_allclose(np.add(whole, offset), centre, atol=1e-9)
    assert np.abs(offset).max() <= 0.5
    box = cut_subtomogram(NOISE, np.array(centre), 8, between_voxels=False)
    np.testing.assert_array_equal(box, cut_subtomogram(NOISE, np.array(whole, float), 8))


def test_only_the_box_is_read_and_its_type_becomes_float32() -> None:
    counts = np.arange(np.prod(SHAPE), dtype=">i2").reshape(SHAPE)
    box = cut_subtomogram(counts, np.array([10.0, 10.0, 10.0]), 4)
    assert box.dtype == np.float32
    np.testing.assert_array_equal(box, counts[8:12, 8:12, 8:12])


def test_what_is_outside_becomes_the_mean_of_what_is_inside() -> None:
    centre = np.array([0.0, 15.0, 15.0])
    assert outside_fraction(SHAPE, centre, 8) == 0.5
    box = cut_subtomogram(NOISE, centre, 8)
    np.testing.assert_array_equal(box[4:], NOISE[:4, 11:19, 11:19])
    np.testing.assert_allclose(box[:4], NOISE[:4, 11:19, 11:19].mean(), rtol=1e-5)


@pytest.mark.parametrize(("z", "fraction"), [(15.0, 0.0), (26.6, 0.125), (-4.0, 1.0), (99.0, 1.0)])
def test_share_outside_is_counted(z: float, fraction: float) -> None:
    assert outside_fraction(SHAPE, np.array([z, 15.0, 15.0]), 8) == pytest.approx(fraction)


def test_boxes_outside_and_empty_boxes_are_refused() -> None:
    with pytest.raises(GeometryError, match="lies outside a volume"):
        cut_subtomogram(NOISE, np.array([-40.0, 5.0, 5.0]), 8)
    with pytest.raises(GeometryError, match="at least 1"):
        cut_subtomogram(NOISE, np.array([5.0, 5.0, 5.0]), 0)


def test_background_has_mean_0_and_deviation_1_whatever_the_particle() -> None:
    box = 7 + 3 * NOISE[:24, :24, :24] + 100 * gaussian((12, 12, 12), (24, 24, 24))
    scaled = standardised_outside_sphere(box.astype(np.float32), 9.0)
    axes = np.indices(scaled.shape) - 12
    background = scaled[(axes**2).sum(0) > 81]
    assert background.mean() == pytest.approx(0.0, abs=1e-5)
    assert background.std() == pytest.approx(1.0, abs=1e-5)
    assert scaled.max() > 20
    constant = standardised_outside_sphere(np.full((8, 8, 8), 5.0, np.float32), 3.0)
    assert not constant.any()
