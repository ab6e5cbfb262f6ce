"""Images without poses: their grid, their contrast and their noise."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.events import Event, Message, ignore
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.hetero.abinitio.search_images import SearchImages
from icelens.tasks.hetero.abinitio.unposed_images import (
    central_contrast,
    coarse_grid,
    prepare_unposed,
)


class Changed(ImageReader):
    """The same images after a change of grey values."""

    scale = 1.0

    def read(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(super().read(rows) * np.float32(self.scale))


def changed(source: ImageSource, scale: float) -> ImageSource:
    reader = Changed(source.particles)
    reader.scale = scale
    return replace(source, reader=reader)


def test_the_grid_is_no_finer_than_the_search_needs(search_source: ImageSource) -> None:
    assert coarse_grid(search_source.particles, 24.0).radius == 8
    assert coarse_grid(search_source.particles, 1.0).box_size <= 42


def test_values_are_in_units_of_their_own_power(search_images: SearchImages) -> None:
    series = search_images.series(np.arange(60), radius=search_images.grid.radius)
    assert float(series.values.abs().square().mean()) == pytest.approx(1.0, abs=0.15)


def test_contrast_is_seen_in_the_mean_image(search_source: ImageSource, tmp_path: Path) -> None:
    grid = coarse_grid(search_source.particles, 16.0)
    bright = central_contrast(search_source, grid)
    assert bright > 3.0
    dark = changed(search_source, -1.0)
    assert central_contrast(dark, grid) == pytest.approx(-bright, rel=1e-3)
    heard: list[Event] = []
    images = prepare_unposed(
        dark,
        grid,
        mask_diameter=None,
        contrast="auto",
        folder=tmp_path,
        on_event=heard.append,
    )
    assert images.facts.is_inverted
    assert any(isinstance(each, Message) and "multiplied by -1" in each.text for each in heard)


def test_what_the_user_says_about_contrast_counts(
    search_source: ImageSource, tmp_path: Path
) -> None:
    images = prepare_unposed(
        search_source,
        coarse_grid(search_source.particles, 16.0),
        mask_diameter=100.0,
        contrast="invert",
        folder=tmp_path,
        on_event=ignore,
    )
    assert images.facts.is_inverted
    assert images.facts.mask_diameter == 100.0


def test_constant_images_are_refused(search_source: ImageSource, tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="no power"):
        prepare_unposed(
            changed(search_source, 0.0),
            coarse_grid(search_source.particles, 16.0),
            mask_diameter=None,
            contrast="auto",
            folder=tmp_path,
            on_event=ignore,
        )
    assert not list(tmp_path.iterdir())
    assert torch.get_num_threads() == 1
