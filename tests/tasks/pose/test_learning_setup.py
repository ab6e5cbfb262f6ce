"""From settings to shapes and lengths: pixel sizes in Å, masks that fit, steps that suffice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pose_models import GROUP, TINY, simulated

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Event, Message, ignore
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.tasks.pose.learning_setup import (
    augmentation_of,
    fit_settings,
    image_shape,
    labelled_images,
    warn_of_low_degree,
)
from icelens.tasks.pose.network_images import ImageShape
from icelens.tasks.pose.train_settings import TrainConfig


def settings(**changes: Any) -> TrainConfig:
    usual = {**TINY, "particles": (Path("a.star"),), "output": Path("out")}
    return TrainConfig(**{**usual, **changes})


def particles(*optics: OpticsGroup) -> Particles:
    count = len(optics)
    return Particles(
        (Path("a.mrcs"),), np.zeros(count, np.int64), np.arange(count), optics,
        optics_index=np.arange(count),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("optics", "box_size", "expected"),
    [
        ([(1.7, 128)], 64, 3.4),  # the whole box fits
        ([(6.0, 40)], 64, 6.0),  # never finer than the data
        ([(2.0, 100), (3.0, 100)], 64, 3.125),  # the smaller box decides
        ([(1.0, 64), (5.0, 64)], 32, 5.0),  # the coarser pixel decides
    ],
)
def test_the_network_samples_as_finely_as_all_data_allow(
    optics: list[tuple[float, int]], box_size: int, expected: float
) -> None:
    groups = [OpticsGroup(str(n), *each) for n, each in enumerate(optics)]
    shape = image_shape(settings(box_size=box_size), particles(*groups))
    assert shape.pixel_size == pytest.approx(expected)
    extent = min(size * side for size, side in optics)
    assert shape.mask_radius == pytest.approx(0.475 * min(extent, box_size * expected))


def test_masks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(MetadataError, match="--mask-diameter is 300 Å") as caught:
        image_shape(settings(mask_diameter=300.0), particles(GROUP))
    assert "\n" not in str(caught.value)


def test_labels_are_in_the_networks_pixels(tmp_path: Path) -> None:
    listed = read_particles(simulated(tmp_path, 6)).particles
    shape = ImageShape(32, 4.0, 60.0)
    found = labelled_images(
        listed, np.array([4, 1]), shape, ImageReader(listed), use_weights=True, on_event=ignore
    )
    assert torch.allclose(found.shift_yx.double(), torch.from_numpy(listed.shift_yx[[4, 1]] / 4.0))
    assert torch.allclose(found.rotation.double(), torch.from_numpy(listed.rotation[[4, 1]]))


@pytest.mark.parametrize("use_weights", [False, True])
def test_weights_count_where_they_are_asked_for(tmp_path: Path, *, use_weights: bool) -> None:
    listed = read_particles(simulated(tmp_path, 4)).particles
    weighted = Particles(**{**vars(listed), "weight": np.array([0.5, 1.0, 0.0, 2.0])})
    found = labelled_images(
        weighted, np.arange(4), ImageShape(32, 6.0, 80.0), ImageReader(weighted),
        use_weights=use_weights, on_event=ignore,
    )  # fmt: skip
    assert found.weight.tolist() == ([0.5, 1.0, 0.0, 2.0] if use_weights else [1.0] * 4)
    if use_weights:
        with pytest.raises(MetadataError, match="every weight is 0"):
            labelled_images(
                weighted, np.array([2]), ImageShape(32, 6.0, 80.0), ImageReader(weighted),
                use_weights=True, on_event=ignore,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("images", "epochs", "batch_size", "steps"), [(100, 3, 32, 10), (5, 1, 32, 1), (64, 2, 32, 4)]
)
def test_every_image_is_seen_in_each_epoch(
    images: int, epochs: int, batch_size: int, steps: int
) -> None:
    chosen = fit_settings(settings(batch_size=batch_size, time_limit=2.0), images, epochs)
    assert chosen.num_steps == steps
    assert chosen.time_limit == 120.0
    assert 1 <= chosen.validate_every <= steps


def test_images_learnt_by_heart_are_not_varied() -> None:
    assert augmentation_of(settings(overfit=8)) is None
    assert augmentation_of(settings()) is not None


@pytest.mark.parametrize(
    ("symmetry", "max_degree", "needed"),
    [
        ("C1", 2, 0), ("C9", 8, 9), ("C9", 9, 0), ("D7", 6, 7), ("T", 3, 0), ("O", 4, 0),
        ("O", 3, 4), ("I", 5, 6), ("D30", 24, 30),
    ],
)  # fmt: skip
def test_a_degree_too_low_for_the_symmetry_is_said(
    symmetry: str, max_degree: int, needed: int
) -> None:
    told: list[Event] = []
    warn_of_low_degree(settings(symmetry=symmetry, max_degree=max_degree), told.append)
    texts = [event.text for event in told if isinstance(event, Message)]
    assert bool(texts) == bool(needed)
    assert all(f"--max-degree {needed} or more" in text for text in texts)


@pytest.mark.parametrize("asked", [{"pixel_size": 1e5}, {"pixel_size": 0.01}])
def test_pixel_sizes_that_show_nothing_of_the_images_are_refused(asked: dict[str, float]) -> None:
    with pytest.raises(MetadataError, match=r"--pixel-size .* but the images are 96 Å wide"):
        image_shape(settings(box_size=32, **asked), particles(OpticsGroup("a", 3.0, 32)))


def test_masks_of_few_pixels_are_refused() -> None:
    with pytest.raises(MetadataError, match="--mask-diameter is 5 Å, less than 4 px"):
        image_shape(settings(box_size=32, mask_diameter=5.0), particles(OpticsGroup("a", 3.0, 32)))


def test_images_that_hold_nothing_are_refused(tmp_path: Path) -> None:
    file = read_particles(simulated(tmp_path / "sim", count=4))
    shape = image_shape(settings(), file.particles)

    class Empty(ImageReader):
        def read(self, rows: Any) -> Any:
            return np.full_like(super().read(rows), 5.0)

    with pytest.raises(MetadataError, match="each of 4 images holds one value alone"):
        labelled_images(
            file.particles, np.arange(4), shape, Empty(file.particles), use_weights=False,
            on_event=ignore,
        )  # fmt: skip
