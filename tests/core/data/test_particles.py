"""Particles fill in what is left out, and refuse what does not fit together."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError

FINE = OpticsGroup("fine", pixel_size=1.0, box_size=64)
COARSE = OpticsGroup("coarse", pixel_size=2.5, box_size=32)


def particles(rows: int = 3, **columns) -> Particles:
    return Particles(
        (Path("a.mrcs"),), np.zeros(rows, int), np.arange(rows), (FINE, COARSE), **columns
    )


def test_what_is_left_out_gets_its_value() -> None:
    made = particles(defocus_u=np.array([1e4, 2e4, 3e4]))
    np.testing.assert_array_equal(made.defocus_v, made.defocus_u)
    np.testing.assert_array_equal(made.rotation, np.broadcast_to(np.eye(3), (3, 3, 3)))
    np.testing.assert_array_equal(made.stage, made.rotation)
    np.testing.assert_array_equal(made.shift_yx, np.zeros((3, 2)))
    assert (made.weight.tolist(), made.ctf_scale.tolist()) == ([1.0] * 3, [1.0] * 3)
    assert (made.half_set.tolist(), made.particle.tolist()) == ([0] * 3, [0, 1, 2])
    assert not made.has_poses
    assert made.with_poses(made.rotation, made.shift_yx).has_poses


def test_each_row_has_the_sampling_of_its_group() -> None:
    made = particles(optics_index=np.array([1, 0, 1]))
    assert made.pixel_size().tolist() == [2.5, 1.0, 2.5]
    assert made.box_size().tolist() == [32, 64, 32]


def test_taking_rows_by_number_or_mask_keeps_their_order() -> None:
    made = particles(half_set=np.array([1, 2, 1]), rotation=np.stack([np.eye(3)] * 3))
    assert made.take([2, 0]).slice_index.tolist() == [2, 0]
    taken = made.take(made.half_set == 1)
    assert taken.slice_index.tolist() == [0, 2]
    assert taken.has_poses
    assert len(made.take([])) == 0


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"shift_yx": np.zeros((3, 3))}, "shift_yx has shape"),
        ({"weight": np.ones(2)}, "weight has shape"),
        ({"optics_index": np.array([0, 1, 2])}, "there are 2"),
        ({"optics_index": np.array([0, -1, 0])}, "goes from -1"),
        ({"defocus_u": np.array([1.0, np.nan, 1.0])}, "not finite"),
        ({"rotation": np.stack([np.eye(3) * 1.01] * 3)}, "not orthogonal"),
    ],
)
def test_what_does_not_fit_is_refused(columns, words) -> None:
    with pytest.raises(GeometryError, match=words):
        particles(**columns)
