"""Picks of a copick project, a plain folder or a file: what there is, where they lie, as bytes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.apps.web.worker import Answer
from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.coordinate_tables import joined, run_of
from icelens.core.io.copick.keys import PicksKey, TomogramKey, spacing_folder
from icelens.core.io.copick.layout import RUNS, CopickFolder
from icelens.core.io.copick.plain_folder import PlainFolder
from icelens.core.io.copick.project import Project, open_project
from icelens.core.io.pick_files import read_picks
from icelens.core.io.volumes import read_header

MOST_PICKS = 1_000_000
NAMELESS = "particle"
"""Class of picks whose file names no species."""


@dataclass(frozen=True, eq=False)
class FilePicks:
    """Picks of a file, those of the tomogram that is looked at marked.

    Attributes:
        picks: All that the file holds, with a species each.
        is_here: Which lie in the tomogram.
        pixel_size: Of the tomogram in Å.
        shape: Its voxels `(z, y, x)`.
    """

    picks: Picks
    is_here: npt.NDArray[np.bool_]
    pixel_size: float
    shape: tuple[int, int, int]


def list_project(path: str) -> Answer:
    """Objects and runs of a project."""
    project = open_project(Path(path))
    objects = [_object(each) for each in project.particles()]
    return Answer(
        {"name": project.name, "objects": objects, "runs": list(project.run_names()[:10_000])}
    )


def list_run(path: str, run: str) -> Answer:
    """Tomograms of a run with their files, and who picked what in which session."""
    project = open_project(Path(path))
    project.select_runs([run])
    tomograms = [
        {"name": str(key), "pixel_size": key.pixel_size, "file": str(file)}
        for key in project.tomograms(run)
        if (file := _tomogram_file(project, run, key)) is not None
    ]
    sources: dict[str, list[str]] = {}
    for key in project.picks(run):
        sources.setdefault(str(key.source), []).append(key.name)
    listed = [{"source": source, "objects": names} for source, names in sorted(sources.items())]
    return Answer({"run": run, "tomograms": tomograms, "sources": listed})


def read_session(path: str, run: str, source: str) -> Answer:
    """All picks of one user and session in a run; see `_packed`."""
    project = open_project(Path(path))
    project.select_runs([run])
    picks = session_picks(project, run, source) if source else Picks(np.empty((0, 3)))
    radii = {each.name: each.radius for each in project.objects}
    names = sorted({each.name for each in project.particles()} | set(picks.species))
    return _packed(picks, names, radii)


def read_file(path: str, volume: str, tomogram: str | None = None) -> Answer:
    """Picks of a file that lie in one tomogram; see `_packed`.

    Args:
        path: Picks of any format that `core.io.pick_files` reads.
        volume: The tomogram.
        tomogram: Its name in the file; the volume's own name if left out.
    """
    found = file_picks(Path(path), Path(volume), tomogram)
    here = found.picks.select(found.is_here)
    answer = _packed(here, sorted(set(here.species)) or [NAMELESS], {})
    others = sorted(set(found.picks.tomogram_id) - {""})[:1000]
    return Answer(answer.data | {"tomograms": others}, answer.blob)


def session_picks(project: Project, run: str, source: str) -> Picks:
    """Picks of all objects by one user in one session, object after object.

    Raises:
        MetadataError: If there is no such run.
        InputFileError: If nobody picked in that session, or there are too many picks.
    """
    project.select_runs([run])
    keys = [key for key in project.picks(run) if str(key.source) == source]
    if not keys:
        known = ", ".join(sorted({str(key.source) for key in project.picks(run)})) or "none"
        raise InputFileError(
            f"{project.path}: run {run} has no picks of {source}; there are {known}"
        )
    found = _read_key(project, run, keys[0])
    for key in keys[1:]:
        found = joined(found, _read_key(project, run, key))
    _check_count(project.path, found)
    return found


def file_picks(path: Path, volume: Path, tomogram: str | None) -> FilePicks:
    """Picks of a file and which of them lie in a tomogram.

    Raises:
        InputFileError: If either file cannot be read, or no pick lies in that tomogram.
    """
    header = read_header(volume)
    if header.pixel_size is None:
        raise MetadataError(
            f"{volume}: the header does not know the pixel size, which picks need; write it into "
            "the header"
        )
    picks = read_picks(path, pixel_size=header.pixel_size, shape=header.shape)
    _check_count(path, picks)
    species = tuple(name or NAMELESS for name in picks.species)
    picks = Picks(picks.position_zyx, picks.rotation, species, picks.score, picks.tomogram_id)
    is_here = np.asarray(_is_here(path, volume, tomogram, picks), bool)
    return FilePicks(picks, is_here, header.pixel_size, header.shape)


def _is_here(path: Path, volume: Path, tomogram: str | None, picks: Picks) -> list[bool]:
    names = set(picks.tomogram_id)
    wanted = run_of(volume.name) if tomogram is None else run_of(tomogram)
    is_here = [run_of(name) == wanted for name in picks.tomogram_id]
    if any(is_here) or not len(picks):
        return is_here
    if tomogram is None and len(names) == 1:  # one tomogram under another name, or under none
        return [True] * len(picks)
    listed = ", ".join(sorted(names)[:5])
    raise InputFileError(
        f"{path}: holds picks of {listed}, none of {wanted}; choose the tomogram they belong to"
    )


def _read_key(project: Project, run: str, key: PicksKey) -> Picks:
    picks = project.read_picks(run, key)
    return Picks(
        picks.position_zyx,
        picks.rotation,
        (key.name,) * len(picks),
        picks.score,
        (run,) * len(picks),
    )


def _check_count(path: Path, picks: Picks) -> None:
    if len(picks) > MOST_PICKS:
        raise InputFileError(
            f"{path}: {len(picks)} picks, at most {MOST_PICKS} can be shown; thin them first"
        )


def _packed(picks: Picks, names: list[str], radii: dict[str, float | None]) -> Answer:
    """Classes as data; per pick z, y, x (Å), score and number of the class as float32."""
    numbers = {name: number for number, name in enumerate(names)}
    table = np.empty((len(picks), 5), "<f4")
    table[:, :3] = picks.position_zyx
    table[:, 3] = picks.score
    table[:, 4] = [numbers[name] for name in picks.species]
    classes = [{"name": name, "radius": radii.get(name)} for name in names]
    return Answer({"classes": classes, "version": version_of(picks)}, table.tobytes())


def version_of(picks: Picks) -> str:
    """Changes when the picks do, so that edits are never applied to others."""
    digest = hashlib.blake2b(digest_size=12)
    for values in (picks.position_zyx, picks.score):
        digest.update(np.ascontiguousarray(values).tobytes())
    digest.update("\n".join(picks.species).encode())
    return digest.hexdigest()


def _object(each: PickableObject) -> dict[str, Any]:
    return {"name": each.name, "radius": each.radius}


def _tomogram_file(project: Project, run: str, key: TomogramKey) -> Path | None:
    """Where a tomogram lies on this disk; None if it does not."""
    for store in (project.overlay, *reversed(project.static)):
        if isinstance(store, PlainFolder) and (run, key.tomogram_type) in store.files:
            return store.files[run, key.tomogram_type]
        if isinstance(store, CopickFolder):
            folder = store.root / RUNS / run / spacing_folder(key.pixel_size)
            path = folder / f"{key.tomogram_type}.zarr"
            if path.is_dir():
                return path
    return None
