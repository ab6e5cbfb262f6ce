"""Class maps are averages over windows, mirrors and models, on the networks' own grid."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from icelens.core.data.pickable import PickableObject
from icelens.core.data.volume import Volume
from icelens.core.errors import CheckpointError, InputFileError
from icelens.core.events import Event, Progress
from icelens.core.io.copick.keys import Features
from icelens.tasks.pick.architectures.body import Body
from icelens.tasks.pick.class_maps import MIRRORS, WindowPlan, check_same_kind, class_maps
from icelens.tasks.pick.model import Model
from icelens.tasks.pick.network import SegmentationNetwork
from icelens.training.device import choose_compute

A, B = PickableObject("a", 1, 40.0), PickableObject("b", 2, 40.0)
COMPUTE = choose_compute("cpu", "float32")
SHAPE = (16, 20, 24)


class Local(nn.Module):
    """Scores each voxel by its density and by that of the next one along x: a network with a hand.

    With stride two it answers for blocks of voxels.
    """

    def __init__(self, gain: float, stride: int) -> None:
        super().__init__()
        self.gain, self.stride, self.box_multiple = gain, stride, 4
        self.seen: list[tuple[int, ...]] = []

    def forward(self, image: Tensor) -> Tensor:
        self.seen.append(tuple(image.shape[2:]))
        image = nn.functional.avg_pool3d(image, self.stride)
        return torch.cat([0 * image, self.gain * image, image.roll(1, -1)], dim=1)


def model(gain: float = 1.0, stride: int = 1, architecture: str = "half-unet") -> Model:
    network = SegmentationNetwork(
        Body(Local(gain, stride), 4, stride), {"architecture": architecture}, 3
    )
    return Model(
        path=Path(f"{gain}.safetensors"),
        network=network,
        objects=(A, B),
        finds_centres=True,
        thresholds={"a": gain / 10},
        voxel_size=10.0,
        tomogram_types=(),
        radius_scale=0.7,
        crop_size=(8, 8, 8),
    )


def volume() -> Volume:
    return Volume(np.random.default_rng(0).normal(3, 2, SHAPE).astype(np.float32), 10.0)


def maps(
    *models: Model,
    num_views: int = 1,
    plan: WindowPlan | None = None,
    tomogram: Volume | None = None,
) -> Features:
    return class_maps(
        models or (model(),),
        tomogram or volume(),
        COMPUTE,
        name="TS_1",
        num_views=num_views,
        plan=plan or WindowPlan(),
    )


def expected(gain: float = 1.0) -> np.ndarray:
    """Probabilities of the two objects from the standardised density."""
    density = volume().array
    density = torch.from_numpy((density - density.mean()) / density.std())
    scores = torch.stack([0 * density, gain * density, density.roll(1, -1)])
    return scores.softmax(dim=0)[1:].numpy()


def test_probabilities_of_the_objects_come_without_the_background() -> None:
    found = maps()
    assert found.array.dtype == np.float16
    np.testing.assert_allclose(found.array, expected(), atol=2e-3)  # half precision
    assert (found.pixel_size, found.origin_zyx) == (10.0, (0.0, 0.0, 0.0))
    assert found.attributes["objects"] == ["a", "b"]
    assert found.attributes["thresholds"] == {"a": pytest.approx(0.1)}


def test_ensemble_averages_answers_and_thresholds() -> None:
    found = maps(model(1.0), model(-2.0))
    np.testing.assert_allclose(found.array, (expected(1.0) + expected(-2.0)) / 2, atol=2e-3)
    assert found.attributes["thresholds"] == {"a": pytest.approx(-0.05)}


def test_mirrors_come_back_to_their_place_and_their_mean_has_no_hand() -> None:
    tomogram = volume()
    all_views = maps(num_views=8).array
    for axes in MIRRORS:
        mirrored = tuple(axis - 1 for axis in axes)  # of features (channel, z, y, x)
        turned = Volume(
            np.ascontiguousarray(np.flip(tomogram.array, [a - 1 for a in mirrored])), 10
        )
        found = maps(num_views=8, tomogram=turned).array
        np.testing.assert_allclose(np.flip(found, mirrored), all_views, atol=2e-3)
    turned = Volume(np.ascontiguousarray(np.flip(tomogram.array, 2)), 10)
    assert not np.allclose(np.flip(maps(tomogram=turned).array, 3), maps().array, atol=0.2)


def test_eight_views_are_all_mirrors_and_the_first_four_keep_the_hand() -> None:
    assert len(set(MIRRORS)) == 8
    assert MIRRORS[0] == ()
    assert [len(axes) % 2 for axes in MIRRORS] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_coarse_answers_lie_in_the_middle_of_their_voxels() -> None:
    found = maps(model(stride=2), plan=WindowPlan((8, 12, 8), 0.5))
    assert found.array.shape == (2, 8, 10, 12)
    assert (found.pixel_size, found.origin_zyx) == (20.0, (5.0, 5.0, 5.0))


@pytest.mark.parametrize("shape", [(5, 7, 9), (3, 30, 31)])
def test_odd_and_thin_volumes_are_covered(shape: tuple[int, int, int]) -> None:
    tomogram = Volume(np.random.default_rng(1).normal(size=shape).astype(np.float32), 10.0)
    found = maps(model(stride=2), tomogram=tomogram, num_views=4)
    assert found.array.shape == (2, *(-(-side // 2) for side in shape))
    assert np.isfinite(found.array).all()


def test_windows_blend_to_what_one_window_says() -> None:
    blended = maps(plan=WindowPlan((8, 8, 8), 0.5)).array
    # the network looks one voxel aside, so that windows differ in their last column alone
    assert np.abs(blended - maps().array).mean() < 0.02


def test_networks_with_a_full_level_see_windows_as_large_as_their_crops() -> None:
    for architecture, sides in (("unet", (8, 8, 8)), ("half-unet", SHAPE)):
        each = model(architecture=architecture)
        maps(each)
        assert set(each.network.body.seen) == {sides}


def test_progress_is_told() -> None:
    told: list[Event] = []
    class_maps(
        [model()], volume(), COMPUTE, name="TS_1", num_views=1,
        plan=WindowPlan((8, 8, 8), 0.0), on_event=told.append,
    )  # fmt: skip
    last = told[-1]
    assert isinstance(last, Progress)
    assert last.done == last.total == len(told)


def test_models_that_do_not_belong_together_are_refused_in_one_line() -> None:
    fewer = replace(model(), objects=(A,), path=Path("other"))
    coarser = replace(model(stride=2), path=Path("other"))
    for wrong, words in ((fewer, "knows a, expected a, b as 1.0"), (coarser, "answers")):
        with pytest.raises(CheckpointError, match=f"other: {words}") as caught:
            check_same_kind([model(), wrong])
        assert "\n" not in str(caught.value)
    check_same_kind([model(1.0), model(2.0)])


def test_tomogram_that_cannot_be_standardised_is_named() -> None:
    with pytest.raises(InputFileError, match="TS_1: all voxels are equal"):
        maps(tomogram=Volume(np.ones(SHAPE, np.float32), 10.0))
