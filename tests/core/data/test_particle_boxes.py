"""One box and one pixel size, or an error that counts the images of each."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_boxes import one_box, one_pixel_size
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError

GROUPS = (
    OpticsGroup("a", pixel_size=1.0, box_size=64),
    OpticsGroup("b", pixel_size=1.00001, box_size=64),
    OpticsGroup("c", pixel_size=2.0, box_size=32),
)


def of_groups(*groups: int) -> Particles:
    rows = np.zeros(len(groups), int)
    return Particles((Path("a"),), rows, rows, GROUPS, np.asarray(groups, int))


def test_groups_that_agree_have_one_box_and_pixel_size() -> None:
    assert one_box(of_groups(0, 1, 0)) == 64
    assert one_pixel_size(of_groups(0, 1, 0)) == 1.0


def test_groups_that_differ_are_named() -> None:
    with pytest.raises(GeometryError, match=r"32 px \(1 images\), 64 px \(2 images\)"):
        one_box(of_groups(0, 2, 1))
    with pytest.raises(GeometryError, match="pixel sizes of 1, 2 Å"):
        one_pixel_size(of_groups(0, 2))


@pytest.mark.parametrize("question", [one_box, one_pixel_size])
def test_no_image_has_no_box(question) -> None:
    with pytest.raises(GeometryError, match="no image"):
        question(of_groups())
