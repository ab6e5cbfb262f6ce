"""Find the same particles in two files: by image, or by place in their micrograph."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import MetadataError
from icelens.core.io.particle_columns import bare_name
from icelens.core.metrics.matching import match_points

if TYPE_CHECKING:
    import pandas

Integers = npt.NDArray[np.int64]

MICROGRAPH = "rlnMicrographName"
PLACE_XY = ("rlnCoordinateX", "rlnCoordinateY")


@dataclass(frozen=True, eq=False)
class MatchedParticles:
    """Rows `rows_1[i]` and `rows_2[i]` are images of the same particle; `rows_1` ascends.

    `found_by` says how they were recognised.
    """

    rows_1: Integers
    rows_2: Integers
    found_by: str

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.rows_1)


def match_particles(
    file_1: ParticleFile, file_2: ParticleFile, *, coordinate_margin: float = 5.0
) -> MatchedParticles:
    """Pair the rows of two files, each at most once.

    Tried in this order, and the first that pairs any row counts: image number and stack; image
    number and the stack's name without its folders; micrograph's name and the nearest place. An
    image that comes several times is paired in the order of its rows.

    Args:
        file_1: One file.
        file_2: The other.
        coordinate_margin: How far places of one particle may lie apart, in micrograph pixels.

    Raises:
        MetadataError: If nothing is common to both.
    """
    ways: Sequence[tuple[str, Callable[[], tuple[Integers, Integers]]]] = (
        ("image and stack", lambda: _by_image(file_1, file_2, _whole)),
        ("image and the stack's name without folders", lambda: _by_image(file_1, file_2, _name)),
        ("place in the micrograph", lambda: _by_place(file_1, file_2, coordinate_margin)),
    )
    for found_by, pair in ways:
        rows_1, rows_2 = pair()
        if len(rows_1):
            return MatchedParticles(rows_1, rows_2, found_by)
    raise MetadataError(
        f"{file_2.path}: no particle in common with {file_1.path}, neither by image name "
        f"({_example(file_1)} against {_example(file_2)}) nor by place in a micrograph; give files "
        "of the same particles"
    )


def _by_image(
    file_1: ParticleFile, file_2: ParticleFile, name_of: Callable[[Path], str]
) -> tuple[Integers, Integers]:
    tables = [_images(file, name_of) for file in (file_1, file_2)]
    both = tables[0].merge(tables[1], on=["stack", "image", "time"], suffixes=("_1", "_2"))
    both = both.sort_values("row_1")
    # copies: pandas gives views that must not be written, which torch refuses
    return both["row_1"].to_numpy(np.int64, copy=True), both["row_2"].to_numpy(np.int64, copy=True)


def _images(file: ParticleFile, name_of: Callable[[Path], str]) -> "pandas.DataFrame":
    """Stack, image and row; `time` counts how often the same image came before."""
    import pandas as pd

    particles = file.particles
    names = np.asarray([name_of(path) for path in particles.stacks], object)
    table = pd.DataFrame(
        {
            "stack": names[particles.stack],
            "image": particles.slice_index,
            "row": np.arange(len(particles)),
        }
    )
    return table.assign(time=table.groupby(["stack", "image"]).cumcount())


def _by_place(
    file_1: ParticleFile, file_2: ParticleFile, margin: float
) -> tuple[Integers, Integers]:
    """One-to-one pairs of nearest places, micrograph by micrograph."""
    places = [_places(file) for file in (file_1, file_2)]
    nothing = np.empty(0, np.int64)
    pairs = [(nothing, nothing)]
    for name in places[0].keys() & places[1].keys():
        (rows_1, zyx_1), (rows_2, zyx_2) = places[0][name], places[1][name]
        matching = match_points(zyx_1, zyx_2, margin)
        pairs.append((rows_1[matching.truth], rows_2[matching.found]))
    rows_1, rows_2 = (np.concatenate(part) for part in zip(*pairs, strict=True))
    order = np.argsort(rows_1)
    return rows_1[order], rows_2[order]


def _places(file: ParticleFile) -> dict[str, tuple[Integers, npt.NDArray[np.float64]]]:
    """Rows and places (0, y, x) in px of the particles of each micrograph; none if not known."""
    for table in file.blocks.values():
        if {MICROGRAPH, *PLACE_XY} <= set(table.columns):
            break
    else:
        return {}
    table = table.iloc[file.table_row]
    names = np.asarray([bare_name(str(name)) for name in table[MICROGRAPH]], object)
    x, y = (table[name].to_numpy(np.float64) for name in PLACE_XY)
    zyx = np.stack([np.zeros(len(x)), y, x], axis=1)
    return {str(name): (rows := np.flatnonzero(names == name), zyx[rows]) for name in set(names)}


def _example(file: ParticleFile) -> str:
    particles = file.particles
    return f"{particles.slice_index[0] + 1}@{particles.stacks[particles.stack[0]].name}"


def _whole(path: Path) -> str:
    return str(path.resolve())


def _name(path: Path) -> str:
    return path.name
