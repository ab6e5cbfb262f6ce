"""Light falls from the upper left, folds are darker, and what is far is fainter."""

import numpy as np
import pytest

from icelens.core.plots.surface_shading import Look, shaded

SIDE = 80


def facing(normal: tuple[float, float, float], height: np.ndarray | float = 0.0) -> np.ndarray:
    heights = np.broadcast_to(np.asarray(height, np.float32), (SIDE, SIDE)).copy()
    normals = np.broadcast_to(np.asarray(normal) / np.linalg.norm(normal), (SIDE, SIDE, 3))
    return shaded(heights, normals.astype(np.float32), half_width=50.0, look=Look())


def test_what_faces_the_lamp_is_brighter():
    towards, away = (facing(n)[40, 40].mean() for n in ((-0.4, 0.5, 0.7), (0.4, -0.8, 0.3)))
    assert towards > away + 40


@pytest.mark.parametrize("background", [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0)])
def test_what_is_far_comes_close_to_the_background(background):
    look = Look(background=background)
    colours = [
        shaded(
            np.full((SIDE, SIDE), height, np.float32),
            np.broadcast_to(np.asarray([0, 0, 1], np.float32), (SIDE, SIDE, 3)),
            half_width=50.0,
            look=look,
        )[40, 40]
        for height in (30.0, -30.0)
    ]
    near, far = (np.abs(colour - 255.0 * np.asarray(background)).mean() for colour in colours)
    assert far < 0.9 * near


def test_the_ground_of_a_groove_is_darker_than_its_rims():
    height = np.full((SIDE, SIDE), 10.0, np.float32)
    height[:, 38:42] = 0.0
    image = facing((0.0, 0.0, 1.0), height).mean(axis=-1)
    # although the haze makes what lies deeper lighter
    assert image[40, 40] < image[40, 20] - 10


def test_nothing_is_the_background():
    height = np.full((SIDE, SIDE), np.nan, np.float32)
    look = Look(background=(0.2, 0.4, 0.6))
    image = shaded(height, np.zeros((SIDE, SIDE, 3), np.float32), half_width=50.0, look=look)
    assert np.allclose(image, [51.0, 102.0, 153.0])
