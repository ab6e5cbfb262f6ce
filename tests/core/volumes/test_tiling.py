"""Cutting and blending must be invisible: the identity comes back, seams do not show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icelens.core.errors import GeometryError
from icelens.core.volumes.tiling import Blender, Tiling, mirrored_indices, tile_axis


def blend_back(volume: np.ndarray, tiling: Tiling) -> np.ndarray:
    blender = Blender(tiling)
    result = np.full(volume.shape, np.nan, np.float32)
    for layer, tiles in enumerate(tiling.layers()):
        for tile in tiles:
            blender.add(tile, tiling.cut(volume, tile))
        start, slab = blender.finish_layer(layer)
        result[start : start + len(slab)] = slab
    return result


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 40)] * 3),
    box=st.tuples(*[st.integers(4, 24)] * 3),
    margin=st.integers(0, 5),
    ramp=st.integers(0, 12),
)
def test_tiles_blend_back_to_the_input_for_any_overlap(shape, box, margin, ramp):
    if min(box) - 2 * margin - ramp < 1:
        with pytest.raises(GeometryError, match="choose a tile of at least"):
            _ = Tiling(shape, box, margin, ramp).axes
        return
    volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    result = blend_back(volume, Tiling(shape, box, margin, ramp))
    # float32 weights; with a ramp as long as the box up to ten tiles meet along each axis
    np.testing.assert_allclose(result, volume, atol=1e-5)


@given(st.integers(1, 300), st.integers(8, 64), st.integers(0, 3), st.integers(0, 1))
def test_windows_sum_to_one_at_every_voxel(size, box, margin, ramp):
    axis = tile_axis(size, box, margin, ramp)
    total = np.zeros(size)
    for start, window in zip(axis.starts, axis.windows, strict=True):
        used = np.flatnonzero(window)
        total[start + used] += window[used]
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


def test_memory_holds_one_slab_of_tiles_not_the_volume():
    tiling = Tiling((200, 20, 20), (16, 16, 16), margin=2, ramp=4)
    blender = Blender(tiling)
    for layer, tiles in enumerate(tiling.layers()):
        for tile in tiles:
            blender.add(tile, np.ones(tiling.box, np.float32))
        assert len(blender._slab) <= 16
        blender.finish_layer(layer)
    assert blender.finished == 200


def test_mirror_repeats_no_border_plane_and_serves_any_thickness():
    assert mirrored_indices(-2, 8, 4).tolist() == [2, 1, 0, 1, 2, 3, 2, 1]
    assert mirrored_indices(-1, 3, 1).tolist() == [0, 0, 0]
