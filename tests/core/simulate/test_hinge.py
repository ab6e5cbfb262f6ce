import numpy as np
import pytest
from chain_models import angled, rod

from icelens.core.errors import GeometryError
from icelens.core.simulate.hinge import Hinge, axis_out_of, joint, num_clashes, swung

MOVING, FIXED = angled()["A"], angled()["B"]


def test_joint_lies_where_parts_touch() -> None:
    assert np.linalg.norm(joint(MOVING, FIXED)) < 4.0
    apart = rod((100.0, 0.0, 0.0), (140.0, 0.0, 0.0))
    assert np.allclose(joint(apart, FIXED), [50.0, 1.0, 0.0])


def test_axis_leads_out_of_the_fixed_part() -> None:
    axis = axis_out_of(FIXED, np.zeros(3))
    assert np.allclose(axis / np.linalg.norm(axis), [0.0, -1.0, 0.0])


def test_part_turns_about_the_hinge_and_keeps_its_shape() -> None:
    hinge = Hinge(np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 5.0]))
    turned = swung(MOVING, hinge, 90.0)
    # right-handed about z: x goes to y
    assert np.allclose(turned[-1], [1.0, 39.0, 0.0])
    assert np.allclose(np.linalg.norm(np.diff(turned, axis=0), axis=1), 40.0 / 19)
    assert np.allclose(swung(turned, hinge, -90.0), MOVING)
    assert np.allclose(swung(MOVING, hinge, 360.0), MOVING, atol=1e-9)


def test_parts_that_run_into_each_other_are_counted() -> None:
    hinge = Hinge(np.zeros(3), np.array([0.0, 0.0, 1.0]))
    before = num_clashes(MOVING, FIXED)
    assert before <= 1
    assert num_clashes(swung(MOVING, hinge, 90.0), FIXED) > 15


def test_axis_without_direction_is_refused() -> None:
    with pytest.raises(GeometryError, match="needs a direction"):
        Hinge(np.zeros(3), np.zeros(3))
