"""Training boxes: where they lie, who gets how many, and that a step alone decides."""

from pathlib import Path

import numpy as np
import pytest
import torch
from toy_tomograms import standardised

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, InputFileError
from icelens.tasks.restore.crops import Centres, Crops, Standardised, TrainingTomogram, standardise

HERE = Path("a.mrc")


def tomogram(
    shape: tuple[int, int, int] = (24, 24, 24), box_size: int = 16, **fields: object
) -> TrainingTomogram:
    volume = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    return TrainingTomogram(
        fields.get("halves", (standardised(volume), standardised(-volume))),
        Centres(fields.get("mask"), shape, box_size, HERE),
        fields.get("starts", ()),
        fields.get("num_subtomograms", 5),
        fields.get("truth"),
    )


def crops(*tomograms: TrainingTomogram, seed: int = 0, **settings: object) -> Crops:
    defaults = {"box_size": 16, "batch_size": 2, "random_rotation_probability": 0.5}
    return Crops(tomograms, **{**defaults, **settings}, seed=seed)


def test_boxes_are_a_function_of_seed_and_running_number_alone() -> None:
    first, again = crops(tomogram()), crops(tomogram())
    again(9, range(2))  # what was cut before must not matter
    whole = first(3, range(2))
    parts = [again(3, range(1, 2)), again(3, range(1))]
    for item, part in zip((1, 0), parts, strict=True):
        assert torch.equal(whole.boxes[:, item : item + 1], part.boxes)
        assert torch.equal(whole.rotations[item : item + 1], part.rotations)
        assert whole.seeds[item : item + 1] == part.seeds
    assert not torch.equal(whole.boxes, crops(tomogram(), seed=1)(3, range(2)).boxes)
    assert not torch.equal(whole.boxes, first(4, range(2)).boxes)


def test_every_epoch_sees_each_tomogram_its_share_in_a_new_order() -> None:
    source = crops(tomogram(num_subtomograms=3), tomogram(num_subtomograms=7))
    assert source.steps_per_epoch() == 5
    epochs = [
        [owner for step in range(5) for owner in source(5 * epoch + step, range(2)).tomograms]
        for epoch in range(3)
    ]
    assert [epoch.count(0) for epoch in epochs] == [3, 3, 3]
    assert epochs[0] != epochs[1]


def test_centres_are_uniform_over_the_voxels_of_the_mask() -> None:
    mask = np.zeros((12, 12, 12), np.int8)
    chosen = np.random.default_rng(2).choice(9 * 9 * 9, 40, replace=False)
    inner = np.zeros(9**3, np.int8)
    inner[chosen] = 1
    mask[2:11, 2:11, 2:11] = inner.reshape(9, 9, 9)
    centres = Centres(mask, (12, 12, 12), 4, HERE)
    starts = [tuple(centres.start(rank)) for rank in range(len(centres))]
    expected = {tuple(int(i) for i in voxel - 2) for voxel in np.argwhere(mask)}
    assert len(starts) == 40
    assert set(starts) == expected


def test_boxes_hit_all_allowed_voxels_equally_often() -> None:
    mask = np.zeros((24, 24, 24), np.int8)
    mask[8, 8, 8:16] = 1
    volume = np.broadcast_to(np.arange(24, dtype=np.float32), (24, 24, 24))
    source = crops(tomogram(mask=mask, halves=(standardised(volume),)), batch_size=800)
    first_x = source(0, range(800)).boxes[0, :, 0, 0, 0].int()
    counts = torch.bincount(first_x, minlength=8)
    # chi-square with 7 degrees of freedom stays below 24.3 in 999 of 1000 draws; the seed is fixed
    assert float(((counts - 100.0) ** 2 / 100.0).sum()) < 24.3


@pytest.mark.parametrize("shape", [(24, 30, 40), (16, 16, 16), (16, 17, 18)])
def test_boxes_stay_inside_and_reach_every_border(shape: tuple[int, int, int]) -> None:
    centres = Centres(None, shape, 16, HERE)
    starts = np.array([centres.start(rank) for rank in range(len(centres))])
    assert len(np.unique(starts, axis=0)) == np.prod([size - 15 for size in shape])
    assert (starts.min(0) == 0).all()
    assert (starts.max(0) + 16 == shape).all()


def test_thin_slab_is_mirrored_on_both_sides() -> None:
    profile = np.arange(36, dtype=np.float32)[:, None, None]
    source = standardised(np.broadcast_to(profile, (36, 60, 60)))
    thin = tomogram((36, 60, 60), 48, halves=(source,))
    box = crops(thin, box_size=48)(0, range(1)).boxes[0, 0, :, 5, 7]
    expected = torch.tensor([*range(6, 0, -1), *range(36), *range(34, 28, -1)]).float()
    assert torch.equal(box, expected)


def test_mask_of_a_thin_slab_counts_where_any_of_its_planes_is_set() -> None:
    mask = np.zeros((6, 20, 20), np.int8)
    mask[0, 9, 10] = 1
    mask[5, 11, 12] = 1
    centres = Centres(mask, (6, 20, 20), 8, HERE)
    assert [centres.start(rank) for rank in range(len(centres))] == [[-1, 5, 6], [-1, 7, 8]]


def test_picks_are_the_only_places_when_there_are_any() -> None:
    volume = np.random.default_rng(3).normal(size=(24, 24, 24)).astype(np.float32)
    picked = tomogram(halves=(standardised(volume),), starts=((1, 2, 3), (8, 0, 5)))
    boxes = crops(picked, batch_size=12)(0, range(12)).boxes[0]
    places = {tuple(np.argwhere(volume == float(box[0, 0, 0]))[0].tolist()) for box in boxes}
    assert places == {(1, 2, 3), (8, 0, 5)}


def test_held_out_boxes_share_no_voxel_with_training_boxes() -> None:
    shape = (20, 50, 20)
    ends = [
        Centres(None, shape, 16, HERE, held_out_fraction=0.4, held_out=held_out)
        for held_out in (False, True)
    ]
    training, held_out = (np.array([c.start(rank)[1] for rank in range(len(c))]) for c in ends)
    assert training.min() == 0
    assert training.max() + 16 <= held_out.min()
    assert held_out.max() + 16 == 50


def test_picks_are_shared_out_between_training_and_validation() -> None:
    picks = [(0, y, 0) for y in range(35)]
    sides = [
        Centres(None, (20, 50, 20), 16, HERE, held_out_fraction=0.4, held_out=held_out)
        for held_out in (False, True)
    ]
    training, held_out = ([y for _, y, _ in side.on_own_side(picks)] for side in sides)
    assert training == list(range(15))
    assert held_out == list(range(30, 35))
    with pytest.raises(GeometryError, match=r"a\.mrc: none of 3 picks has y from 30 to"):
        sides[1].on_own_side(picks[:3])


def test_tomogram_too_short_to_hold_out_a_part_is_refused() -> None:
    with pytest.raises(GeometryError, match=r"a\.mrc: 24 voxels along y .*--validation-fraction 0"):
        Centres(None, (24, 24, 24), 16, HERE, held_out_fraction=0.1)


def test_mask_that_leaves_no_place_is_refused() -> None:
    with pytest.raises(GeometryError, match=r"a\.mrc: the mask leaves no voxel .*--box-size"):
        Centres(np.zeros((24, 24, 24), np.int8), (24, 24, 24), 16, HERE)


def test_truth_and_halves_are_cut_at_the_same_place() -> None:
    volume = np.random.default_rng(4).normal(size=(24, 24, 24)).astype(np.float32)
    both = tomogram(
        halves=(standardised(volume), standardised(volume + 1)), truth=standardised(volume + 2)
    )
    batch = crops(both)(0, range(2))
    middle = batch.boxes.mean(0)
    # the halves differ by one in either order
    torch.testing.assert_close(middle + 1.5, batch.truth)


def test_each_half_comes_first_about_equally_often() -> None:
    volume = np.zeros((16, 16, 16), np.float32)
    both = tomogram((16, 16, 16), halves=(standardised(volume), standardised(volume + 1)))
    first = crops(both, batch_size=100)(0, range(100)).boxes[0, :, 0, 0, 0]
    # five standard deviations of a fair coin
    assert abs(float(first.sum()) - 50) < 25


@pytest.mark.parametrize(("probability", "is_right"), [(0.0, True), (1.0, False)])
def test_rotations_are_right_angles_or_any_as_asked(probability: float, *, is_right: bool) -> None:
    batch = crops(tomogram(), batch_size=8, random_rotation_probability=probability)(0, range(8))
    assert bool((batch.rotations == batch.rotations.round()).all()) == is_right
    identity = batch.rotations @ batch.rotations.mT
    torch.testing.assert_close(identity, torch.eye(3).expand(8, 3, 3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_standardised_density_goes_back_to_its_grey_scale(sign: float) -> None:
    values = np.random.default_rng(5).normal(1000.0, 20.0, (20, 6, 7)).astype(np.float32)
    density = standardise(Volume(values, 10.0), HERE, sign=sign)
    inside = density.cut((0, 0, 0), (20, 6, 7))
    assert abs(float(inside.mean())) < 1e-4
    assert abs(float(inside.std()) - 1) < 1e-4
    assert np.sign(np.corrcoef(inside.ravel(), values.ravel())[0, 1]) == sign
    # float32 holds 1000 to 6e-5
    np.testing.assert_allclose(density.restored(inside), values, atol=2e-4)


def test_statistics_of_integers_do_not_overflow() -> None:
    values = np.full((3, 4, 5), 30000, np.int16)
    values[1] = -30000
    density = standardise(Volume(values, 10.0), HERE, sign=1.0)
    assert density.mean == pytest.approx(10000.0)
    assert density.std == pytest.approx(float(values.astype(float).std()))


@pytest.mark.parametrize("place", [(0, 0, 0), (19, 3, 2)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_finite_are_refused(bad: float, place: tuple[int, int, int]) -> None:
    values = np.random.default_rng(6).normal(size=(20, 4, 4)).astype(np.float32)
    values[place] = bad
    with pytest.raises(InputFileError, match=r"a\.mrc: holds voxels that are not finite"):
        standardise(Volume(values, 10.0), HERE, sign=1.0)


def test_constant_volume_is_refused() -> None:
    with pytest.raises(InputFileError, match=r"a\.mrc: all voxels are equal \(3\.0\)"):
        standardise(Volume(np.full((4, 4, 4), 3.0), 10.0), HERE, sign=1.0)


def test_standardised_box_beyond_the_border_is_mirrored() -> None:
    values = np.arange(4, dtype=np.float32)[:, None, None] * np.ones((4, 2, 2), np.float32)
    density = Standardised(Volume(values, 10.0), 1.0, 2.0, -1.0)
    found = density.cut((-2, 0, 0), (8, 2, 2))[:, 0, 0]
    expected = [2, 1, 0, 1, 2, 3, 2, 1]
    np.testing.assert_allclose(found, -(np.array(expected) - 1.0) / 2.0)


@pytest.mark.parametrize("shape", [(64, 64, 40), (64, 40, 64), (15, 64, 64)])
def test_box_larger_than_the_volume_allows_names_the_largest(shape: tuple[int, int, int]) -> None:
    largest = 32  # the multiple of 16 that 40 voxels, or three times 15, can hold
    with pytest.raises(GeometryError, match=rf"a\.mrc: a box of 48 .*--box-size {largest}"):
        Centres(None, shape, 48, HERE)
    assert len(Centres(None, shape, largest, HERE)) > 0
