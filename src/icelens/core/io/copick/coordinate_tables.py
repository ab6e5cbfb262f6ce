"""Coordinates that lie in a plain folder, sorted by run and species."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.keys import copick_name
from icelens.core.io.copick.object_table import OBJECTS_FILE
from icelens.core.io.pairs import list_volumes
from icelens.core.io.picks import read_copick, read_picks_csv
from icelens.core.io.relion_particles import read_relion_particles
from icelens.core.io.star import read_star
from icelens.core.io.volume_header import VolumeHeader

PICKS_FOLDER = "picks"
NAMELESS = "particle"
"""Name of picks whose file names no species."""
_IS_COORDINATE = re.compile(r"_?rln(Centered)?Coordinate[XYZ]", re.MULTILINE)


def run_of(name: str) -> str:
    """The run that a file or a tomogram's name belongs to: its name up to the first dot."""
    return Path(name).name.split(".", 1)[0]


def volumes_by_run(folder: Path, runs: Sequence[str]) -> dict[str, Path]:
    """The density files of a folder by run; of the runs named, or of all if none is.

    Raises:
        MetadataError: If two files belong to one run, or a run that is named has none.
        InputFileError: If the folder holds no density file.
    """
    found: dict[str, Path] = {}
    for path in list_volumes(folder):
        run = run_of(path.name)
        if runs and run not in runs:
            continue
        if run in found:
            raise MetadataError(
                f"{path}: would be run {run}, and so would {found[run]}; rename one"
            )
        found[run] = path
    missing = [run for run in runs if run not in found]
    if missing:
        raise MetadataError(f"{folder}: no file of run {', '.join(missing)}; correct --runs")
    return found


def tables_of(
    folder: Path, tomograms: Mapping[str, tuple[Path, VolumeHeader]]
) -> dict[str, dict[str, Picks]]:
    """All coordinates by run and species.

    A table without names of tomograms belongs to the run whose name its own begins with. Where a
    run has files of copick in `picks/<run>`, tables beside them say the same and are left out.

    Args:
        folder: Looked through, and its folder `picks`.
        tomograms: A tomogram of each run with its header, for its extent.

    Raises:
        InputFileError: If a table cannot be read, or belongs to no run.
    """
    found: dict[str, dict[str, Picks]] = {}
    for run in tomograms:
        for path in sorted((folder / PICKS_FOLDER / run).glob("*.json")):
            found.setdefault(run, {})[copick_name(path.stem)] = _named(
                read_copick(path), run, copick_name(path.stem)
            )
    has_own = set(found)
    for place in (folder, folder / PICKS_FOLDER):
        for path in sorted(place.glob("*")):
            if not _holds_coordinates(path, is_certain=place != folder):
                continue
            for (run, name), picks in read_table(path, tomograms).items():
                if run in has_own:
                    continue
                earlier = found.setdefault(run, {}).get(name)
                found[run][name] = picks if earlier is None else joined(earlier, picks)
    return found


def read_table(
    path: Path, tomograms: Mapping[str, tuple[Path, VolumeHeader]]
) -> dict[tuple[str, str], Picks]:
    """Picks of a STAR or CSV table by run and species; those of unknown tomograms are left out.

    Args:
        path: RELION particles, or CSV with columns z, y, x in Å.
        tomograms: A tomogram of each run with its header.

    Raises:
        InputFileError: If no pick belongs to a run, or the table cannot be read.
        MetadataError: If a size is needed that a header does not know.
    """
    picks = _read(path, tomograms)
    runs = [run_of(name) for name in picks.tomogram_id]
    if not any(runs):
        runs = [_run_of_table(path, tomograms)] * len(picks)
    known = [run in tomograms for run in runs]
    if len(picks) and not any(known):
        raise InputFileError(
            f"{path}: coordinates of {_some(runs)}, but the tomograms are {_some(tomograms)}; "
            "rename the tomograms or correct the table"
        )
    names = [_species_name(name, path.suffix.lower()) for name in picks.species]
    found = {}
    for run, name in sorted(set(zip(runs, names, strict=True))):
        if run in tomograms:
            chosen = [pair == (run, name) for pair in zip(runs, names, strict=True)]
            found[run, name] = _named(picks.select(chosen), run, name)
    return found


def joined(first: Picks, second: Picks) -> Picks:
    """All picks of both, in their order."""
    return Picks(
        np.concatenate([first.position_zyx, second.position_zyx]),
        np.concatenate([first.rotation, second.rotation]),
        first.species + second.species,
        np.concatenate([first.score, second.score]),
        first.tomogram_id + second.tomogram_id,
    )


def _read(path: Path, tomograms: Mapping[str, tuple[Path, VolumeHeader]]) -> Picks:
    if path.suffix.lower() == ".csv":
        return read_picks_csv(path)
    sizes = {header.pixel_size for _, header in tomograms.values()}
    pixel_size = next(iter(sizes)) if len(sizes) == 1 else None
    return read_relion_particles(path, extent_zyx=_extents(path, tomograms), pixel_size=pixel_size)


def _extents(
    path: Path, tomograms: Mapping[str, tuple[Path, VolumeHeader]]
) -> dict[str, tuple[float, float, float]]:
    """Sides in Å of each tomogram that a STAR table names, as it names it.

    Those that are not here get 0: their picks are left out later.
    """
    names = {""}
    for frame in read_star(path).values():
        names |= {str(name) for name in frame.get("rlnTomoName", [])}
    extents = {}
    for name in names:
        run = run_of(name) if name or len(names) > 1 else _run_of_table(path, tomograms)
        extents[name] = _sides(path, *tomograms[run]) if run in tomograms else (0.0, 0.0, 0.0)
    return extents


def _sides(table: Path, file: Path, header: VolumeHeader) -> tuple[float, float, float]:
    """Sides of a tomogram in Å."""
    if header.pixel_size is None:
        raise MetadataError(
            f"{file}: the header does not know the pixel size, which the coordinates of {table} "
            "need; write it into the header"
        )
    z, y, x = (side * header.pixel_size for side in header.shape)
    return (z, y, x)


def _run_of_table(path: Path, runs: Iterable[str]) -> str:
    """The run that a table without names belongs to."""
    runs, stem = list(runs), run_of(path.name)
    if stem in runs:
        return stem
    beginning = [run for run in runs if stem.startswith((f"{run}_", f"{run}-"))]
    if beginning:
        return max(beginning, key=len)
    if len(runs) == 1:
        return runs[0]
    raise InputFileError(
        f"{path}: names no tomogram; give it a column of them (tomogram_id, rlnTomoName), or the "
        f"name of one of {_some(runs)}"
    )


def _holds_coordinates(path: Path, *, is_certain: bool) -> bool:
    """Whether a file is a table of coordinates; among tomograms other tables may lie as well."""
    if path.suffix.lower() not in (".star", ".csv") or path.name.startswith("."):
        return False
    if path.name == OBJECTS_FILE or not path.is_file():
        return False
    if is_certain:
        return True
    start = path.read_text(encoding="utf-8-sig", errors="replace")[:20_000]
    if path.suffix.lower() == ".star":
        return bool(_IS_COORDINATE.search(start))
    # with semicolons, or in capitals, it is meant as one, too: the reader says what is wrong
    header = re.split(r"[,;\t]", next(iter(start.splitlines()), "").lower())
    return {"x", "y", "z"} <= {word.strip(' "') for word in header}


def _species_name(name: str, suffix: str) -> str:
    """A name for picks; RELION numbers its classes."""
    if not name:
        return NAMELESS
    return f"class-{name}" if suffix == ".star" else copick_name(name)


def _named(picks: Picks, run: str, species: str) -> Picks:
    num = len(picks)
    return Picks(picks.position_zyx, picks.rotation, (species,) * num, picks.score, (run,) * num)


def _some(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
