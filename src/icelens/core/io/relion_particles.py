"""Particles of RELION-5 tomography: STAR tables with centred coordinates to picks and back."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.geometry.relion_angles import (
    matrices_from_relion_angles,
    relion_angles_from_matrices,
)
from icelens.core.io.picks import checked_picks
from icelens.core.io.star import read_star, write_star

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]
_CENTRED = tuple(f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
_VOXELS = tuple(f"rlnCoordinate{axis}" for axis in "XYZ")
_ORIGIN = tuple(f"rlnOrigin{axis}Angst" for axis in "XYZ")
_ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
_SUBTOMOGRAM = ("rlnTomoSubtomogramRot", "rlnTomoSubtomogramTilt", "rlnTomoSubtomogramPsi")


def read_relion_particles(
    path: Path,
    *,
    extent_zyx: Mapping[str, tuple[float, float, float]] | tuple[float, float, float] | None = None,
    pixel_size: float | None = None,
) -> Picks:
    """Read particles of RELION 4 or 5; origins are applied, so positions are refined ones.

    Args:
        path: STAR file with a `particles` block, or a single block.
        extent_zyx: Sides of the tomogram (voxels times pixel size) in Å, or of each by its name;
            needed by centred coordinates, whose zero is half of it.
        pixel_size: Of `rlnCoordinateX`, in Å: the unbinned tilt series'; needed by that older form.

    Raises:
        MetadataError: If columns or what they need are missing.
    """
    table = _particles(path)
    names = tuple(str(name) for name in table.get("rlnTomoName", [""] * len(table)))
    if set(_CENTRED) <= set(table.columns):
        half_xyz = [_extent(path, extent_zyx, name)[::-1] for name in names]
        position_xyz = _columns(path, table, _CENTRED) + np.reshape(half_xyz, (-1, 3)) / 2
    elif set(_VOXELS) <= set(table.columns):
        if pixel_size is None:
            raise MetadataError(
                f"{path}: {_VOXELS[0]} counts pixels of unknown size; give the pixel size of the "
                "tilt series"
            )
        position_xyz = _columns(path, table, _VOXELS) * pixel_size
    else:
        raise MetadataError(f"{path}: neither {_CENTRED[0]} nor {_VOXELS[0]} is there; add one")
    if set(_ORIGIN) <= set(table.columns):
        position_xyz = position_xyz - _columns(path, table, _ORIGIN)
    return checked_picks(
        path,
        position_zyx=position_xyz[:, ::-1],
        rotation=_rotations(path, table),
        species=_species(table),
        score=np.ones(len(table)),
        tomogram_id=names,
    )


def write_relion_particles(
    path: Path,
    picks: Picks,
    *,
    extent_zyx: Mapping[str, tuple[float, float, float]] | tuple[float, float, float],
    pixel_size: float,
    voltage: float = 300.0,
    spherical_aberration: float = 2.7,
    amplitude_contrast: float = 0.1,
) -> None:
    """Write picks as RELION-5 particles: `optics` and `particles`, centred coordinates in Å.

    Args:
        path: STAR file to write.
        picks: Their `species` become `rlnClassNumber`, counted from 1 in alphabetical order.
        extent_zyx: Sides of the tomogram (voxels times pixel size) in Å, or of each by its name.
        pixel_size: Of the tilt series, in Å.
        voltage: In kV.
        spherical_aberration: In mm.
        amplitude_contrast: Fraction.
    """
    import pandas as pd

    half_zyx = np.reshape([_extent(path, extent_zyx, name) for name in picks.tomogram_id], (-1, 3))
    centred_xyz = (picks.position_zyx - half_zyx / 2)[:, ::-1]
    kinds = sorted(set(picks.species))
    columns: dict[str, object] = {"rlnTomoName": list(picks.tomogram_id)}
    columns |= dict(zip(_CENTRED, centred_xyz.T, strict=True))
    columns |= dict(zip(_ANGLES, relion_angles_from_matrices(picks.rotation).T, strict=True))
    columns |= {name: np.zeros(len(picks)) for name in _ORIGIN}
    columns["rlnClassNumber"] = [kinds.index(name) + 1 for name in picks.species]
    columns["rlnOpticsGroup"] = np.ones(len(picks), np.int64)
    optics = {
        "rlnOpticsGroup": 1,
        "rlnOpticsGroupName": "opticsGroup1",
        "rlnSphericalAberration": spherical_aberration,
        "rlnVoltage": voltage,
        "rlnAmplitudeContrast": amplitude_contrast,
        "rlnTomoTiltSeriesPixelSize": pixel_size,
    }
    write_star(path, {"optics": pd.DataFrame([optics]), "particles": pd.DataFrame(columns)})


def _particles(path: Path) -> "pandas.DataFrame":
    blocks = read_star(path)
    if "particles" in blocks:
        return blocks["particles"]
    if len(blocks) == 1:
        return next(iter(blocks.values()))
    raise MetadataError(f"{path}: no block data_particles among {list(blocks)}; check the file")


def _extent(
    path: Path,
    extent_zyx: Mapping[str, tuple[float, float, float]] | tuple[float, float, float] | None,
    tomogram_id: str,
) -> tuple[float, float, float]:
    known = extent_zyx.get(tomogram_id) if isinstance(extent_zyx, Mapping) else extent_zyx
    if known is None:
        raise MetadataError(
            f"{path}: coordinates are from the centre of tomogram {tomogram_id!r}, whose size is "
            "not known; give the tomogram"
        )
    return known


def _columns(path: Path, table: "pandas.DataFrame", names: tuple[str, ...]) -> Floats:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise MetadataError(f"{path}: column {missing[0]} is missing; add it")
    values = table[list(names)]
    if len(table) and not all(dtype.kind in "iuf" for dtype in values.dtypes):
        raise MetadataError(f"{path}: {', '.join(names)} hold text, expected numbers; correct them")
    numbers: Floats = values.to_numpy(np.float64)
    return numbers


def _rotations(path: Path, table: "pandas.DataFrame") -> Floats:
    if not set(_ANGLES) & set(table.columns):
        return np.empty(0)
    if set(_SUBTOMOGRAM) <= set(table.columns) and _columns(path, table, _SUBTOMOGRAM).any():
        raise MetadataError(
            f"{path}: rlnTomoSubtomogramRot/Tilt/Psi are not zero, expected plain angles; "
            "write the particles with the rotations combined"
        )
    return matrices_from_relion_angles(_columns(path, table, _ANGLES))


def _species(table: "pandas.DataFrame") -> tuple[str, ...]:
    """Class numbers as names; empty where there are none."""
    if "rlnClassNumber" not in table.columns:
        return ()
    return tuple(str(number) for number in table["rlnClassNumber"])
