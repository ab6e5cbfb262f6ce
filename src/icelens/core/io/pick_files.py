"""Read picks from whatever file they are in: suffix and content say which."""

import json
from pathlib import Path

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError
from icelens.core.io.chimerax_markers import read_markers
from icelens.core.io.dynamo import read_dynamo_table
from icelens.core.io.eman_boxes import is_eman_info, read_eman_boxes
from icelens.core.io.number_table import read_text
from icelens.core.io.picks import read_box_file, read_copick, read_picks_csv
from icelens.core.io.relion_particles import read_relion_particles
from icelens.core.io.star import read_star
from icelens.core.io.warp_particles import is_warp, read_warp_particles


def read_picks(path: Path, *, pixel_size: float, shape: tuple[int, int, int]) -> Picks:
    """Picks of copick, EMAN2, RELION, Warp, Dynamo, ChimeraX, our CSV, or a table of voxels x y z.

    Args:
        path: File; anything but `.json`, `.csv`, `.star`, `.tbl` and `.cmm` is read as a table of
            voxels.
        pixel_size: Of the tomogram in Å/px; used where a file counts in pixels and does not say
            how large they are.
        shape: Voxels of the tomogram; RELION 5 and EMAN2 count from its middle.

    Raises:
        InputFileError: If the file is missing or not of its format.
        MetadataError: If a column is missing.
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _read_json(path, pixel_size, shape)
    if suffix == ".csv":
        return read_picks_csv(path)
    if suffix == ".star":
        reader = read_warp_particles if is_warp(read_star(path)) else read_relion_particles
        extent = (shape[0] * pixel_size, shape[1] * pixel_size, shape[2] * pixel_size)
        return reader(path, extent_zyx=extent, default_pixel_size=pixel_size)
    if suffix == ".tbl":
        return read_dynamo_table(path, pixel_size=pixel_size)
    if suffix == ".cmm":
        return read_markers(path)
    return read_box_file(path, pixel_size=pixel_size)


def _read_json(path: Path, pixel_size: float, shape: tuple[int, int, int]) -> Picks:
    """Picks of copick or of EMAN2, which only the content tells apart."""
    try:
        content = json.loads(read_text(path, expected="picks of copick or EMAN2"))
    except ValueError as error:
        raise InputFileError(f"{path}: not JSON ({error}); export the picks again") from error
    if is_eman_info(content):
        return read_eman_boxes(path, pixel_size=pixel_size, shape=shape)
    return read_copick(path)
