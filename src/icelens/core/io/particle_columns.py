"""Columns of particle tables in STAR files, shared by RELION and Warp: read, checked and made."""

from collections.abc import Mapping, Sequence
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

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]

PIXELS = tuple(f"rlnCoordinate{axis}" for axis in "XYZ")
ORIGIN = tuple(f"rlnOrigin{axis}Angst" for axis in "XYZ")
_OLD_ORIGIN = tuple(f"rlnOrigin{axis}" for axis in "XYZ")
ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
SUBTOMOGRAM = ("rlnTomoSubtomogramRot", "rlnTomoSubtomogramTilt", "rlnTomoSubtomogramPsi")
SCORE = "rlnAutopickFigureOfMerit"
_VOLUME_SUFFIXES = {".mrc", ".rec", ".map", ".tomostar"}


def particle_columns(
    picks: Picks,
    places: Mapping[str, object],
    class_numbers: Mapping[str, int] | None = None,
) -> dict[str, object]:
    """Columns of a table of particles: names, places, angles, zero origins, class and score."""
    numbers = numbered_species(picks) if class_numbers is None else class_numbers
    columns: dict[str, object] = {"rlnTomoName": list(picks.tomogram_id), **places}
    columns |= dict(zip(ANGLES, relion_angles_from_matrices(picks.rotation).T, strict=True))
    columns |= {name: np.zeros(len(picks)) for name in ORIGIN}
    columns["rlnClassNumber"] = [numbers[name] for name in picks.species]
    columns[SCORE] = picks.score
    columns["rlnOpticsGroup"] = np.ones(len(picks), np.int64)
    return columns


def numbered_species(picks: Picks) -> dict[str, int]:
    """A number for each species, from 1 in alphabetical order."""
    return {name: number for number, name in enumerate(sorted(set(picks.species)), start=1)}


def pixel_columns(picks: Picks, pixel_size: float) -> dict[str, object]:
    """Positions in pixels from the centre of voxel (0, 0, 0)."""
    return dict(zip(PIXELS, (picks.position_zyx[:, ::-1] / pixel_size).T, strict=True))


def particle_table(path: Path, blocks: "Mapping[str, pandas.DataFrame]") -> "pandas.DataFrame":
    """The block of particles, or the only one.

    Raises:
        MetadataError: If no block can be meant.
    """
    if "particles" in blocks:
        return blocks["particles"]
    if len(blocks) == 1:
        return next(iter(blocks.values()))
    raise MetadataError(f"{path}: no block data_particles among {list(blocks)}; check the file")


def refined_picks(
    path: Path,
    table: "pandas.DataFrame",
    position_xyz: Floats,
    names: Sequence[str],
    species_names: Mapping[int, str] | None = None,
) -> Picks:
    """Picks from positions in Å as picked; origins and angles of the table are applied."""
    of_box = _matrices(path, table, SUBTOMOGRAM)
    rotation = of_box @ _matrices(path, table, ANGLES)
    in_pixels = [name for name in _OLD_ORIGIN if name in table.columns and table[name].any()]
    if in_pixels:
        raise MetadataError(
            f"{path}: {in_pixels[0]} counts pixels of RELION 3.0, expected {ORIGIN[0]}; convert "
            "the file with relion_convert_star"
        )
    if set(ORIGIN) <= set(table.columns):
        origin_xyz = number_columns(path, table, ORIGIN)
        position_xyz = position_xyz - np.einsum("nij,nj->ni", of_box, origin_xyz)
    has_score = SCORE in table.columns
    return checked_picks(
        path,
        position_zyx=position_xyz[:, ::-1],
        rotation=rotation,
        species=_species(path, table, species_names or {}),
        score=number_columns(path, table, (SCORE,))[:, 0] if has_score else np.ones(len(table)),
        tomogram_id=tuple(names),
    )


def tomogram_names(table: "pandas.DataFrame") -> tuple[str, ...]:
    """Names of tomograms: `rlnTomoName`, or the micrograph's file name without its ending."""
    if "rlnTomoName" in table.columns:
        return tuple(str(name) for name in table["rlnTomoName"])
    if "rlnMicrographName" in table.columns:
        return tuple(bare_name(str(name)) for name in table["rlnMicrographName"])
    return ("",) * len(table)


def bare_name(name: str) -> str:
    """A tomogram's name without folders and without the ending of a volume or `.tomostar`."""
    path = Path(name)
    return path.stem if path.suffix.lower() in _VOLUME_SUFFIXES else path.name


def number_columns(path: Path, table: "pandas.DataFrame", names: Sequence[str]) -> Floats:
    """Columns as numbers `(row, column)`.

    Raises:
        MetadataError: If one is missing or holds text.
    """
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise MetadataError(f"{path}: column {missing[0]} is missing; add it")
    values = table[list(names)]
    if len(table) and not all(dtype.kind in "iuf" for dtype in values.dtypes):
        raise MetadataError(f"{path}: {', '.join(names)} hold text, expected numbers; correct them")
    numbers: Floats = values.to_numpy(np.float64)
    return numbers


def optics_pixel_size(
    path: Path, blocks: "Mapping[str, pandas.DataFrame]", columns: Sequence[str]
) -> Floats | None:
    """Pixel size `(row, 1)` of each particle: the first of these columns that its optics have."""
    optics, table = blocks.get("optics"), particle_table(path, blocks)
    if optics is None or not len(optics):
        return None
    for column in columns:
        if column not in optics.columns:
            continue
        sizes = number_columns(path, optics, (column,))[:, 0]
        if not (sizes > 0).all():
            raise MetadataError(
                f"{path}: {column} is {sizes.min():g} in an optics group, expected Å above 0; "
                "correct it"
            )
        if not {"rlnOpticsGroup"} <= set(table.columns) & set(optics.columns):
            return np.full((len(table), 1), sizes[0])
        of_group = dict(zip(optics["rlnOpticsGroup"], sizes, strict=True))
        unknown = set(table["rlnOpticsGroup"]) - set(of_group)
        if unknown:
            raise MetadataError(
                f"{path}: rlnOpticsGroup {min(unknown)} is not in data_optics; add it there"
            )
        return np.reshape([of_group[group] for group in table["rlnOpticsGroup"]], (-1, 1))
    return None


def _matrices(path: Path, table: "pandas.DataFrame", names: tuple[str, str, str]) -> Floats:
    """Rotations of three columns; identities where none of them is there."""
    if not set(names) & set(table.columns):
        return np.broadcast_to(np.eye(3), (len(table), 3, 3))
    return matrices_from_relion_angles(number_columns(path, table, names))


def _species(
    path: Path, table: "pandas.DataFrame", species_names: Mapping[int, str]
) -> tuple[str, ...]:
    """Class numbers as names; empty where there are none."""
    if "rlnClassNumber" not in table.columns:
        return ()
    numbers = number_columns(path, table, ("rlnClassNumber",))[:, 0].astype(int)
    return tuple(species_names.get(int(number), str(number)) for number in numbers)
