"""Extraction frames turn with their particles, and places need the size of their tomogram."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from icelens.core.errors import MetadataError
from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.core.io.relion_tilts import Tilts
from icelens.core.io.tilt_geometry import TiltGeometry

FLAT = Tilts(
    np.eye(3)[None],
    *(np.zeros(1) for _ in range(4)),
    scale=np.ones(1),
    dose=np.full(1, 2.5),
    size_xyz=np.array([100.0, 100.0, 50.0]),
    pixel_size=2.0,
    hand=1.0,
    microscope={},
)
TABLE = pd.DataFrame(
    {
        "rlnTomoSubtomogramRot": [10.0], "rlnTomoSubtomogramTilt": [20.0],
        "rlnTomoSubtomogramPsi": [30.0], "rlnAngleRot": [40.0], "rlnAngleTilt": [50.0],
        "rlnAnglePsi": [60.0], "rlnCoordinateX": [50.0], "rlnCoordinateY": [50.0],
        "rlnCoordinateZ": [35.0], "rlnOriginXAngst": [1.0], "rlnOriginYAngst": [2.0],
        "rlnOriginZAngst": [3.0],
    }
)  # fmt: skip


def columns(table: pd.DataFrame, tilts: Tilts, name: str = "TS_1") -> dict[str, np.ndarray]:
    read = TiltGeometry.read(Path("p.star"), table, {name: tilts}, [name], need_poses=True)
    zero = np.zeros(1, int)
    return read.columns(Path("p.star"), zero, zero, np.array([4.0]))


def test_the_box_turns_with_the_extraction_frame() -> None:
    found = columns(TABLE, FLAT)
    of_box = matrices_from_relion_angles([10, 20, 30])
    own = matrices_from_relion_angles([40, 50, 60])
    np.testing.assert_allclose(found["rotation"][0], of_box @ own)
    origin = of_box @ [1.0, 2.0, 3.0]
    np.testing.assert_allclose(found["shift_yx"][0], origin[1::-1])
    np.testing.assert_allclose(found["defocus_u"], (35 - 25) * 2.0 - origin[2])
    assert found["b_factor"].tolist() == [10.0]


def test_warps_places_count_pixels_of_the_box() -> None:
    flat = TABLE.assign(rlnOriginXAngst=0.0, rlnOriginYAngst=0.0, rlnOriginZAngst=0.0)
    assert columns(flat, FLAT)["defocus_u"].tolist() == [20.0]
    assert columns(flat, FLAT, "TS_1.tomostar")["defocus_u"].tolist() == [35 * 4.0 - 50.0]


def test_pixels_from_the_corner_need_a_size() -> None:
    with pytest.raises(MetadataError, match="needs rlnTomoTiltSeriesPixelSize and rlnTomoSizeX"):
        columns(TABLE, replace(FLAT, size_xyz=np.zeros(3)))
