"""Particles as Warp and M read and write them: pixels, and names that end in .tomostar."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.io.particle_columns import (
    PIXELS,
    bare_name,
    number_columns,
    optics_pixel_size,
    particle_columns,
    particle_table,
    pixel_columns,
    refined_picks,
)
from icelens.core.io.relion_particles import ExtentZyx
from icelens.core.io.star import read_star, write_star

if TYPE_CHECKING:
    import pandas

SUFFIX = ".tomostar"
_NAMES = ("rlnMicrographName", "rlnTomoName")
# Warp's exports count in pixels of the exported boxes.
_COORDINATE_PIXEL_SIZE = ("rlnImagePixelSize",)
# Template matching writes places as fractions of the volume.
_LARGEST_FRACTION = 1.0


def is_warp(blocks: "Mapping[str, pandas.DataFrame]") -> bool:
    """Whether tables of a STAR file are Warp's: its tomograms are called `.tomostar`."""
    tables = [blocks["particles"]] if "particles" in blocks else list(blocks.values())
    return any(
        name in table.columns and len(table) and str(table[name].iloc[0]).endswith(SUFFIX)
        for table in tables
        for name in _NAMES
    )


def read_warp_particles(
    path: Path,
    *,
    extent_zyx: Mapping[str, ExtentZyx] | ExtentZyx | None = None,
    pixel_size: float | None = None,
    default_pixel_size: float | None = None,
    species_names: Mapping[int, str] | None = None,
) -> Picks:
    """Read particles of Warp; the ending `.tomostar` is left out of the tomograms' names.

    Args:
        path: STAR file.
        extent_zyx: Sides of the tomogram in Å, or of each by its bare name; needed where
            coordinates are fractions, as template matching writes them.
        pixel_size: Of the coordinates in Å, whatever the file says.
        default_pixel_size: The same for files that do not say.
        species_names: Species of each `rlnClassNumber`; without it, the number itself.

    Raises:
        MetadataError: If columns or what they need are missing.
    """
    blocks = read_star(path)
    table = particle_table(path, blocks)
    column = next((name for name in _NAMES if name in table.columns), None)
    if column is None:
        raise MetadataError(f"{path}: neither {' nor '.join(_NAMES)} is there; add one")
    names = tuple(bare_name(str(name)) for name in table[column])
    coordinate_xyz = number_columns(path, table, PIXELS)
    if len(table) and coordinate_xyz.min() >= 0 and coordinate_xyz.max() <= _LARGEST_FRACTION:
        extents = [
            extent_zyx.get(name) if isinstance(extent_zyx, Mapping) else extent_zyx
            for name in names
        ]
        if None in extents:
            raise MetadataError(
                f"{path}: coordinates are fractions of {names[extents.index(None)]}, whose size is "
                "not known; give the tomogram"
            )
        position_xyz = coordinate_xyz * np.asarray(extents, np.float64)[:, ::-1]
        return refined_picks(path, table, position_xyz, names, species_names)
    used = pixel_size
    sizes = None if used else optics_pixel_size(path, blocks, _COORDINATE_PIXEL_SIZE)
    scale = sizes if sizes is not None else used or default_pixel_size
    if scale is None:
        raise MetadataError(f"{path}: {PIXELS[0]} counts pixels of unknown size; give it in Å")
    return refined_picks(path, table, coordinate_xyz * scale, names, species_names)


def write_warp_particles(
    path: Path,
    picks: Picks,
    *,
    pixel_size: float,
    class_numbers: Mapping[str, int] | None = None,
) -> None:
    """Write picks for `WarpTools ts_export_particles`: one block without optics.

    Give the same number to WarpTools as `--coords_angpix`.

    Args:
        path: STAR file to write.
        picks: Their tomograms' names get the ending `.tomostar`.
        pixel_size: Of the coordinates, in Å.
        class_numbers: `rlnClassNumber` of each species; else from 1 in alphabetical order.
    """
    import pandas as pd

    columns = particle_columns(picks, pixel_columns(picks, pixel_size), class_numbers)
    columns = {"rlnMicrographName": [name + SUFFIX for name in picks.tomogram_id]} | {
        name: values
        for name, values in columns.items()
        if name not in ("rlnTomoName", "rlnOpticsGroup")
    }
    write_star(path, {"particles": pd.DataFrame(columns)})
