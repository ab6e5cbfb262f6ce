"""Crops repeat, show what they claim to show, and cost no more than their own size."""

import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from blob_project import blob, centroid

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import MetadataError
from icelens.tasks.pick.augment import Crop
from icelens.tasks.pick.crops import Crops, PickBatch
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.targets_in_crops import TargetMaker
from icelens.tasks.pick.train_settings import AugmentConfig

KINDS = (PickableObject("big", 1, 40.0), PickableObject("small", 2, 30.0))
MEMBRANE = PickableObject("membrane", 3, None, is_particle=False)
PLAIN = {"flips": False, "noise": 0.0, "intensity": 0.0, "turn_probability": 0.0, "mixup": 0.0}
SIZE = (16, 16, 16)


def tomogram(
    centres: Sequence[Sequence[float]] = ((10.0, 12.0, 14.0),),
    kind: Sequence[int] = (0,),
    shape: tuple[int, int, int] = (32, 32, 32),
    num_views: int = 1,
    labels: Any = None,
) -> LabelledTomogram:
    """Blobs at their picks; each view is brighter by ten."""
    image = np.zeros(shape)
    for centre in centres:
        image += blob(shape, centre, 1.2)
    views = tuple((image + 10 * number).astype(np.float16) for number in range(num_views))
    places = np.array(centres, np.float64).reshape(-1, 3)
    return LabelledTomogram("TS_1", views, 10.0, places, np.array(kind, np.int64), labels)


def crops(*tomograms: LabelledTomogram, **changes: Any) -> Crops:
    classes = changes.pop("classes", KINDS)
    augmentation = changes.pop("augmentation", PLAIN)
    kind, stride = changes.pop("kind", "centres"), changes.pop("stride", 1)
    targets = TargetMaker(classes, kind, stride, 10.0, 12.0, 0.7)
    defaults = {
        "size": SIZE,
        "batch_size": 2,
        "background_share": 0.0,
        "seed": 0,
        "device": torch.device("cpu"),
    }
    return Crops(
        tomograms or (tomogram(),),
        targets,
        augmentation=AugmentConfig(**augmentation),
        **{**defaults, **changes},
    )


def tensors(batch: PickBatch) -> list[torch.Tensor]:
    labels = [] if batch.labels is None else [part for part, _ in batch.labels.parts()]
    known = [batch.images, batch.maps, *labels]
    return [tensor for tensor in known if tensor is not None]


@pytest.mark.parametrize("kind", ["centres", "spheres"])
def test_crops_are_a_function_of_seed_and_running_number_alone(kind: str) -> None:
    varied = {"turn_probability": 0.5, "mixup": 0.5}
    first, again = (crops(kind=kind, augmentation=varied) for _ in range(2))
    again(7, range(2))  # what was cut before must not matter
    whole = tensors(first(3, range(2)))
    second, earlier = tensors(again(3, range(1, 2))), tensors(again(3, range(1)))
    for both, one, other in zip(whole, earlier, second, strict=True):
        assert torch.equal(both, torch.cat([one, other]))
    assert not torch.equal(whole[0], tensors(first(4, range(2)))[0])
    elsewhere = crops(kind=kind, augmentation=varied, seed=1)
    assert not torch.equal(whole[0], tensors(elsewhere(3, range(2)))[0])


def test_classes_are_drawn_evenly_however_rare_they_are() -> None:
    rng = np.random.default_rng(0)
    rare = tomogram(rng.uniform(0, 90, (41, 3)), [0] * 40 + [1], (96, 96, 96))
    source = crops(rare, batch_size=1)
    found = [source._centre(np.random.default_rng(number))[1] for number in range(400)]
    num_rare = sum(np.allclose(place, rare.picks_of(1)[0]) for place in found)
    expected = 200
    chi_square = 2 * (num_rare - expected) ** 2 / expected
    assert chi_square < 10.8  # one degree of freedom, 999 of 1000 draws; the seeds are fixed


def test_labelled_voxels_are_places_of_their_class_too() -> None:
    labels = np.zeros((32, 32, 32), np.uint8)
    labels[20:24, 4, 28] = 2
    source = crops(tomogram(labels=labels), classes=(KINDS[0], MEMBRANE))
    places = [tuple(source._centre(np.random.default_rng(n))[1]) for n in range(60)]
    assert set(places) == {(10, 12, 14), *((z, 4, 28) for z in range(20, 24))}


def test_the_chosen_particle_is_always_in_the_crop() -> None:
    corners = [(0.4, 0.2, 31.3), (31.0, 0.0, 0.0), (16.0, 31.4, 2.0)]
    source = crops(tomogram(corners, [0, 0, 1]), batch_size=40)
    maps = source(0, range(40)).maps
    assert maps is not None
    assert float(maps.sum(dim=(1, 2, 3, 4)).min()) > 0.2  # a corner holds at least an eighth


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("depth", [5, 9, 14])
def test_volume_thinner_than_the_crop_is_mirrored_with_its_particles(axis: int, depth: int) -> None:
    shape, place = [40, 40, 40], [20.3, 19.6, 20.4]
    shape[axis], place[axis] = depth, 0.3 * depth
    thin = tomogram([place], [0], (shape[0], shape[1], shape[2]))
    size = tuple(32 if number == axis else 16 for number in range(3))
    batch = crops(thin, size=size, batch_size=1)(0, range(1))
    assert batch.maps is not None
    image, target = batch.images[0, 0], batch.maps[0, 0]
    is_bright, is_target = image > 0.6, target > 0.6 * target.max()
    # where the image shows a blob there is a target, and nowhere else
    along = tuple(number for number in range(3) if number != axis)
    shown, asked = is_bright.any(dim=along), is_target.any(dim=along)
    num_shown = int((shown[1:] & ~shown[:-1]).sum() + shown[0])
    assert num_shown >= 3
    far = torch.nn.functional.max_pool1d(shown[None].float(), 3, 1, 1)[0] > 0
    assert not (asked & ~far).any()
    far = torch.nn.functional.max_pool1d(asked[None].float(), 3, 1, 1)[0] > 0
    assert not (shown & ~far).any()


@pytest.mark.parametrize("turn_probability", [0.0, 1.0])
@pytest.mark.parametrize("stride", [1, 2])
def test_targets_lie_under_their_blobs(turn_probability: float, stride: int) -> None:
    # a single blob in the middle of a volume that is no larger than the crop: nothing is cut off
    single = tomogram([(15.3, 15.6, 16.4)], [1], (32, 32, 32))
    varied = {**PLAIN, "flips": True, "turn_probability": turn_probability}
    source = crops(single, size=(32, 32, 32), batch_size=6, augmentation=varied, stride=stride)
    batch = source(0, range(6))
    assert batch.maps is not None
    for image, target in zip(batch.images[:, 0], batch.maps[:, 1], strict=True):
        bright = np.where(image.numpy() > 0.1, image.numpy(), 0)
        bright[:6] = bright[-6:] = bright[:, :6] = bright[:, -6:] = 0  # mirror images of a turn
        bright[..., :6] = bright[..., -6:] = 0
        middle = target.numpy()[tuple(slice(6 // stride, -6 // stride) for _ in range(3))]
        found = stride * (centroid(middle) + 6 // stride) + (stride - 1) / 2
        np.testing.assert_allclose(found, centroid(bright), atol=0.3)


def test_crop_at_the_border_stays_inside_a_volume_that_is_large_enough() -> None:
    values = np.arange(32**3, dtype=np.float64).reshape(32, 32, 32) % 2039  # exact in float16
    edge = LabelledTomogram(
        "TS_1", (values.astype(np.float16),), 10.0, np.array([[0.0, 31.0, 15.0]]), np.array([0]),
        None,
    )  # fmt: skip
    for seed in range(10):
        crop = crops(edge).cut(np.random.default_rng(seed))
        assert crop.image.shape == SIZE
        z, y, x = (np.array([0, 31, 15]) - crop.centre_zyx_px[0]).astype(int)
        np.testing.assert_array_equal(crop.image, values[z : z + 16, y : y + 16, x : x + 16])


def test_all_views_of_a_tomogram_are_used() -> None:
    source = crops(tomogram(num_views=3))
    means = {round(float(source(step, range(1)).images.mean()) / 10) for step in range(30)}
    assert means == {0, 1, 2}


def test_mixing_keeps_the_mass_of_the_targets() -> None:
    # crops as large as the volume hold the same whole blob, so that a blend has its mass, too
    whole = tomogram([(16.0, 15.0, 17.0)], [0])
    source = crops(whole, size=(32, 32, 32), augmentation={**PLAIN, "mixup": 1.0, "flips": True})
    for step in range(3):
        maps = source(step, range(2)).maps
        assert maps is not None
        torch.testing.assert_close(maps.sum(dim=(2, 3, 4))[:, 0], torch.ones(2), atol=1e-3, rtol=0)


def test_mixed_labels_come_with_their_share() -> None:
    source = crops(kind="spheres", augmentation={**PLAIN, "mixup": 0.5}, batch_size=16)
    target = source(0, range(16)).labels
    assert target is not None
    assert target.share is not None
    assert target.second is not None
    assert (target.share >= 0.5).all()
    is_single = target.share == 1
    assert 0 < int(is_single.sum()) < 16
    assert torch.equal(target.second[is_single], target.labels[is_single])
    unmixed = crops(kind="spheres")(0, range(2)).labels
    assert unmixed is not None
    assert unmixed.second is None


def test_background_crops_come_as_often_as_asked() -> None:
    lone = tomogram([(8.0, 8.0, 8.0)], [0], (96, 96, 96))
    source = crops(lone, background_share=0.5)
    places = [source._centre(np.random.default_rng(number))[1] for number in range(300)]
    num_at_pick = sum(np.allclose(place, 8.0) for place in places)
    assert abs(num_at_pick - 150) < 44  # five standard deviations of a fair coin


def test_runs_without_a_pick_are_background_only() -> None:
    empty = tomogram([], [], (32, 32, 32))
    source = crops(tomogram(), empty)
    assert {source._centre(np.random.default_rng(n))[0] for n in range(20)} == {0}
    anywhere = crops(tomogram(), empty, background_share=0.9)
    assert {anywhere._centre(np.random.default_rng(n))[0] for n in range(20)} == {0, 1}


def test_nothing_to_learn_is_one_line() -> None:
    with pytest.raises(MetadataError, match="nothing to learn: no run to train on has a pick") as e:
        crops(tomogram([], []))
    assert "\n" not in str(e.value)


def test_batch_lies_on_the_device_that_was_asked_for() -> None:
    batch = crops(device=torch.device("meta"), kind="spheres", augmentation={"mixup": 0.5})(
        0, range(2)
    )
    assert {tensor.device.type for tensor in tensors(batch)} == {"meta"}


@pytest.mark.parametrize("shape", [(96, 256, 256), (12, 512, 512)])
@pytest.mark.parametrize("turn_probability", [0.0, 1.0])
def test_a_crop_needs_memory_of_its_own_size_only(
    shape: tuple[int, int, int], turn_probability: float
) -> None:
    places = np.random.default_rng(0).uniform(0, 1, (300, 3)) * (np.array(shape) - 1)
    large = LabelledTomogram(
        "TS_1", (np.zeros(shape, np.float16),), 10.0, places, np.zeros(300, np.int64),
        np.zeros(shape, np.uint8),
    )  # fmt: skip
    varied = {"turn_probability": turn_probability}
    source = crops(large, augmentation=varied)
    source.cut(np.random.default_rng(9))  # what is imported or cached at first does not count
    tracemalloc.start()
    for seed in range(4):
        crop = source.cut(np.random.default_rng(seed))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(crop, Crop)
    # the crop has 16 kB, a turn's grid in float64 some 400 kB, the volume over 6 MB
    assert peak < 2_000_000
