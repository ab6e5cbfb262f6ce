"""A small list of tomograms for tests of what looks at it."""

from pathlib import Path

import numpy as np

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.io.tomogram_star import write_tomograms
from icelens.core.io.volumes import write_volume


def make_list(folder: Path, *, pixel_size: float = 10.0, defocus: float = 35_000.0) -> Path:
    """Two tomograms of 10 Å/px, listed with what is given; paths are relative to the folder."""
    array = np.zeros((4, 6, 8), np.float32)
    rows = []
    for index in (1, 2):
        write_volume(folder / f"TS_0{index}.mrc", Volume(array, 10.0))
        rows.append(
            TomogramRow(
                index, pixel_size=pixel_size, full=Path(f"TS_0{index}.mrc"), defocus=defocus
            )
        )
    path = folder / "tomograms.star"
    write_tomograms(path, TomogramList.from_rows(rows))
    return path
