"""The mask of a family of volumes keeps what any of them fills."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.volumes.union_mask import density_level, union_mask


def ball(centre: int, size: int = 32, radius: float = 5.0) -> np.ndarray:
    z, y, x = np.indices((size,) * 3) - size // 2
    return (np.hypot(np.hypot(z, y), x - centre) <= radius).astype(np.float32)


FAMILY = np.stack([ball(-6), ball(6)])


def test_every_volume_is_inside_and_widened_by_the_dilation():
    mask = union_mask(FAMILY, pixel_size=2.0, dilation=4.0)
    assert (mask[FAMILY.max(0) > 0] == 1).all()
    assert (mask[np.maximum(ball(-6, radius=6.0), ball(6, radius=6.0)) > 0] == 1).all()
    assert not mask[np.maximum(ball(-6, radius=7.01), ball(6, radius=7.01)) == 0].any()


def test_without_dilation_it_is_the_union_itself():
    mask = union_mask(FAMILY, pixel_size=2.0, dilation=0.0)
    assert np.array_equal(mask, FAMILY.max(0))


def test_soft_edge_falls_to_zero_over_its_width():
    mask = union_mask(FAMILY, pixel_size=1.0, dilation=2.0, edge=4.0)
    line = mask[16, 16, 27:]
    assert line[0] == 1
    assert (np.diff(line) <= 0).all()
    assert 0 < line[3] < 1


def test_level_is_half_of_what_the_densest_voxels_have():
    assert density_level(3.0 * FAMILY) == pytest.approx(1.5)


@pytest.mark.parametrize(("level", "found"), [(5.0, "no voxel"), (-1.0, "every voxel")])
def test_level_that_parts_nothing_is_refused(level, found):
    with pytest.raises(GeometryError, match=found):
        union_mask(FAMILY, pixel_size=1.0, level=level)
