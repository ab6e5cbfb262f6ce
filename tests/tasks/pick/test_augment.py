"""Points and labels go where the image goes, and the missing wedge stays where it is."""

import numpy as np
import pytest
import torch
from blob_project import blob, centroid
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from icelens.tasks.pick.augment import Crop, Turn, drawn_mirrors, varied_intensity
from icelens.tasks.pick.train_settings import AugmentConfig

SIZES = [(24, 24, 24), (20, 32, 26), (21, 24, 31)]
AXES = [(), (0,), (1,), (2,), (0, 1), (0, 1, 2)]


def marked(shape: tuple[int, int, int], centre: np.ndarray) -> Crop:
    """A blob, a ball of labels around it, and its pick."""
    image = blob(shape, centre, 1.8).astype(np.float32)
    labels = np.where(image > 0.4, 7, np.where(image > 0.1, 200, 0)).astype(np.uint8)
    return Crop(image, labels, centre[None].copy(), np.array([0]))


def largest_distance(crop: Crop) -> float:
    """How far pick, blob and its labels are apart, at most, in voxels."""
    bright = np.where(crop.image > 0.05, crop.image, 0)  # what is left of interpolation around it
    places = [centroid(bright), centroid(crop.labels == 7)]
    return max(float(np.linalg.norm(place - crop.centre_zyx_px[0])) for place in places)


@given(
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    axes=st.sets(st.integers(0, 2)).map(lambda axes: tuple(sorted(axes))),
    seed=st.integers(0, 99),
)
def test_two_mirrors_change_nothing(
    shape: tuple[int, int, int], axes: tuple[int, ...], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    image = rng.normal(size=shape).astype(np.float32)
    labels = rng.integers(0, 9, shape).astype(np.uint8)
    crop = Crop(image, labels, rng.uniform(-1, 7, (4, 3)), np.arange(4))
    again = crop.mirrored(axes).mirrored(axes)
    np.testing.assert_array_equal(again.image, image)
    np.testing.assert_array_equal(again.labels, labels)
    np.testing.assert_allclose(again.centre_zyx_px, crop.centre_zyx_px, atol=1e-12)
    np.testing.assert_array_equal(again.kind, crop.kind)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("axes", AXES)
def test_blob_stays_under_its_pick_in_a_mirror(
    shape: tuple[int, int, int], axes: tuple[int, ...]
) -> None:
    crop = marked(shape, np.array(shape) / 2 + (1.3, -3.6, 2.2))
    before = largest_distance(crop)
    assert largest_distance(crop.mirrored(axes)) == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("seed", range(6))
def test_blob_stays_under_its_pick_in_a_turn(shape: tuple[int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = Turn.drawn(shape, 12.0, rng)
    wider = turn.source_size()
    centre = (np.array(wider) - 1) / 2 + rng.uniform(-4, 4, 3)
    result = turn.applied(marked(wider, centre))
    assert result.image.shape == result.labels.shape == shape
    assert largest_distance(result) < 0.3


@pytest.mark.parametrize("seed", range(4))
def test_turned_labels_hold_only_values_that_were_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = Turn.drawn((16, 20, 18), 20.0, rng)
    labels = rng.choice(np.array([0, 3, 77, 255], np.uint8), turn.source_size())
    source = Crop(np.zeros(turn.source_size(), np.float32), labels, np.zeros((0, 3)), np.zeros(0))
    assert set(np.unique(turn.applied(source).labels)) <= {0, 3, 77, 255}


@pytest.mark.parametrize("shape", SIZES)
def test_no_turn_is_the_middle_of_the_source(shape: tuple[int, int, int]) -> None:
    turn = Turn(shape, np.eye(3))
    wider = turn.source_size()
    image = np.random.default_rng(0).normal(size=wider).astype(np.float32)
    result = turn.applied(Crop(image, None, np.array([[5.0, 6.0, 7.0]]), np.array([0])))
    margin = (np.array(wider) - shape) // 2
    middle = tuple(slice(m, m + side) for m, side in zip(margin, shape, strict=True))
    np.testing.assert_allclose(result.image, image[middle], atol=1e-4)
    np.testing.assert_allclose(result.centre_zyx_px[0], np.array([5, 6, 7]) - margin)
    assert result.labels is None


@given(seed=st.integers(0, 10_000), side=st.integers(4, 40))
def test_source_of_a_turn_holds_all_that_the_result_shows(seed: int, side: int) -> None:
    shape = (side, side + 5, side + 2)
    turn = Turn.drawn(shape, 30.0, np.random.default_rng(seed))
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    corners = signs * (np.array(shape) - 1) / 2 @ turn.matrix.T
    assert (np.abs(corners) <= (np.array(turn.source_size()) - 1) / 2).all()
    assert all((wide - own) % 2 == 0 for wide, own in zip(turn.source_size(), shape, strict=True))


@pytest.mark.parametrize("axes", AXES)
def test_missing_wedge_is_the_same_in_a_mirror(axes: tuple[int, ...]) -> None:
    shape = (32, 32, 32)
    kz, _, kx = np.meshgrid(*[np.fft.fftfreq(side) for side in shape], indexing="ij")
    is_measured = np.abs(kz) <= np.tan(np.radians(60)) * np.abs(kx)
    noise = np.random.default_rng(1).normal(size=shape)
    image = np.fft.ifftn(np.fft.fftn(noise) * is_measured).real.astype(np.float32)
    crop = Crop(image, None, np.zeros((0, 3)), np.zeros(0, np.int64)).mirrored(axes)
    power = np.abs(np.fft.fftn(crop.image)) ** 2
    # float32 leaves a millionth of the amplitude
    assert power[~is_measured].max() < 1e-9 * power.max()
    assert gaussian_filter(power, 2)[is_measured].mean() > 0


def test_mirrors_are_drawn_half_of_the_time_along_each_axis() -> None:
    rng = np.random.default_rng(0)
    drawn = [drawn_mirrors(AugmentConfig(), rng) for _ in range(800)]
    for axis in range(3):
        # five standard deviations of a fair coin
        assert abs(sum(axis in axes for axes in drawn) - 400) < 71
    assert drawn_mirrors(AugmentConfig(flips=False), rng) == ()


def test_intensity_varies_within_its_bounds_and_leaves_the_image_alone() -> None:
    image = torch.from_numpy(np.random.default_rng(0).normal(size=(8, 8, 8)).astype(np.float32))
    before = image.clone()
    settings = AugmentConfig(intensity=0.2, noise=0.0)
    for seed in range(20):
        result = varied_intensity(image, settings, np.random.default_rng(seed))
        slope = float((result[0, 0, 1] - result[0, 0, 0]) / (image[0, 0, 1] - image[0, 0, 0]))
        assert 0.8 <= slope <= 1.2
        torch.testing.assert_close(result - slope * image, torch.full_like(image, 0.0), atol=0.21,
                                   rtol=0)  # fmt: skip
    assert torch.equal(image, before)


def test_noise_comes_in_half_of_the_crops_and_repeats() -> None:
    image, settings = torch.zeros(6, 6, 6), AugmentConfig(intensity=0.0, noise=0.5)
    noisy = [varied_intensity(image, settings, np.random.default_rng(seed)) for seed in range(100)]
    assert 25 < sum(bool(each.any()) for each in noisy) < 75
    assert max(float(each.std()) for each in noisy) < 0.6
    again = varied_intensity(image, settings, np.random.default_rng(3))
    assert torch.equal(again, noisy[3])
