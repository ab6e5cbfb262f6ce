from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as Outline

from icelens.core.errors import GeometryError
from icelens.tasks.restore.boundary import inside_polygon, read_boundary

SHAPE = (12, 30, 40)


def test_polygon_agrees_with_another_program() -> None:
    rng = np.random.default_rng(1)
    # Corners off the pixel centres, so that no centre lies on an edge, where rules differ.
    polygon = rng.uniform(2, 28, (7, 2)) + 0.123
    centres = np.stack(np.meshgrid(np.arange(40), np.arange(30)), -1).reshape(-1, 2) + 0.5
    # Matplotlib fills by winding number: only a polygon without crossings is the same.
    angles = np.arctan2(*(polygon - polygon.mean(0)).T)
    simple = polygon[np.argsort(angles)]
    expected = Outline(np.vstack([simple, simple[:1]]), closed=True).contains_points(centres)
    np.testing.assert_array_equal(inside_polygon(simple, (30, 40)).ravel(), expected)


def test_square_covers_the_pixels_it_spans() -> None:
    inside = inside_polygon(np.array([(2, 3), (10, 3), (10, 9), (2, 9)], float), (30, 40))
    assert inside.sum() == 8 * 6
    assert inside[3:9, 2:10].all()


def write(folder: Path, *points: tuple[float, float, float]) -> Path:
    path = folder / "points.txt"
    path.write_text("\n".join(" ".join(map(str, point)) for point in points))
    return path


def test_polygon_in_one_section_bounds_all_sections(tmp_path: Path) -> None:
    path = write(tmp_path, (2, 3, 5), (10, 3, 5), (10, 9, 5), (2, 9, 5))
    boundary = read_boundary(path, SHAPE)
    assert all(boundary.plane(z, SHAPE[1:]).sum() == 48 for z in range(12))


def test_two_more_points_limit_z(tmp_path: Path) -> None:
    path = write(tmp_path, (2, 3, 5), (10, 3, 5), (10, 9, 5), (2, 9, 5), (1, 1, 3), (1, 1, 8))
    boundary = read_boundary(path, SHAPE)
    assert [z for z in range(12) if boundary.plane(z, SHAPE[1:]).any()] == [3, 4, 5, 6, 7, 8]


def test_each_section_takes_the_nearest_polygon(tmp_path: Path) -> None:
    small = [(2, 3, 2), (4, 3, 2), (4, 5, 2), (2, 5, 2)]
    large = [(2, 3, 9), (10, 3, 9), (10, 9, 9), (2, 9, 9)]
    boundary = read_boundary(write(tmp_path, *small, *large), SHAPE)
    assert [int(boundary.plane(z, SHAPE[1:]).sum()) for z in (1, 2, 5, 6, 9)] == [0, 4, 4, 48, 48]


def test_points_outside_the_tomogram_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, (2, 3, 25), (10, 3, 25), (10, 9, 25))
    with pytest.raises(GeometryError, match=r"points.txt: point .*25.* outside"):
        read_boundary(path, SHAPE)


def test_two_points_in_one_section_bound_nothing(tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="expected a polygon"):
        read_boundary(write(tmp_path, (2, 3, 5), (10, 3, 5)), SHAPE)
