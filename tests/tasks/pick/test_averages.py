"""Mean boxes: as cut out, and turned back by the picks' angles."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.tasks.pick.averages import SHOWN_AT_MOST, Averages


@pytest.mark.parametrize("box_size", [11, 12])
def test_turned_boxes_agree_where_the_others_do_not(box_size: int) -> None:
    middle, averages = box_size // 2, Averages()
    for angle in (0, 90, 180, 270):
        rotation = Rotation.from_euler("z", angle, degrees=True).as_matrix()
        box = np.zeros((box_size,) * 3, np.float32)
        x, y, z = (rotation @ [3, 0, 0]).round().astype(int)
        box[middle + z, middle + y, middle + x] = 1.0
        averages.add("a", box, rotation)
    plain, turned = averages.shown().values()
    assert list(averages.shown()) == ["a (4)", "a, turned (3)"]
    centre = plain.shape[0] // 2
    assert plain.max() == 0.25
    assert turned[centre, centre, centre + 3] == pytest.approx(1.0, abs=1e-6)


def test_only_the_most_frequent_are_shown() -> None:
    averages = Averages()
    for number in range(SHOWN_AT_MOST + 2):
        for _ in range(number + 1):
            averages.add(f"o{number}", np.ones((5, 5, 5), np.float32), np.eye(3))
    assert list(averages.shown()) == ["o5 (6)", "o4 (5)", "o3 (4)", "o2 (3)"]
