"""Read picks from whatever file they are in: the suffix says which."""

from pathlib import Path

from icelens.core.data.picks import Picks
from icelens.core.io.picks import read_box_file, read_copick, read_picks_csv
from icelens.core.io.relion_particles import read_relion_particles


def read_picks(path: Path, *, pixel_size: float, shape: tuple[int, int, int]) -> Picks:
    """Picks of a copick JSON, a CSV of ours, a RELION particle STAR, or a table of voxels x y z.

    Args:
        path: File; anything but `.json`, `.csv` and `.star` is read as a table of voxels.
        pixel_size: Of the tomogram in Å/px; used where a file counts in voxels.
        shape: Voxels of the tomogram; RELION counts from its middle.

    Raises:
        InputFileError: If the file is missing or not of its format.
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        return read_copick(path)
    if suffix == ".csv":
        return read_picks_csv(path)
    if suffix == ".star":
        extent = (shape[0] * pixel_size, shape[1] * pixel_size, shape[2] * pixel_size)
        return read_relion_particles(path, extent_zyx=extent, pixel_size=pixel_size)
    return read_box_file(path, pixel_size=pixel_size)
