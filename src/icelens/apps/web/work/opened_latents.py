"""A run of hetero opened for the latent explorer: latents, columns, and what could not be read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.apps.web.work.column_kinds import ColumnKind, kind_of
from icelens.apps.web.work.kept import Kept
from icelens.core.data.latents import LatentTable, places_of
from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import IcelensError
from icelens.core.latents.outliers import outlier_sigma
from icelens.core.latents.principal_components import PrincipalComponents, principal_components
from icelens.tasks.hetero.analyze_run import latents_of
from icelens.tasks.hetero.analyze_table import (
    TABLE_NAME,
    check_particles,
    file_columns,
    latent_columns,
    pose_columns,
    read_table,
)
from icelens.tasks.hetero.hetero_run import LATENTS_NAME, RUN_NAME, HeteroRun, open_hetero_run

Column = npt.NDArray[Any]

_LANDSCAPE = Path("analysis") / "landscape" / "coordinates.csv"
_KEPT_RUNS = 2


@dataclass(frozen=True, eq=False)
class OpenedLatents:
    """Everything that is known of the particles of a run, a line for each.

    Attributes:
        run: The run.
        table: Its latents.
        file: Its particles; None where they cannot be read, see `notes`.
        components: Principal components of the latents.
        columns: By name, `(particle,)` each; also texts.
        kinds: How those are shown that can be.
        notes: What is missing, a sentence each.
        has_analysis: Whether `hetero analyze` was run.
    """

    run: HeteroRun
    table: LatentTable
    file: ParticleFile | None
    components: PrincipalComponents
    columns: dict[str, Column]
    kinds: dict[str, ColumnKind]
    notes: tuple[str, ...]
    has_analysis: bool


_KEPT: Kept[OpenedLatents] = Kept(_KEPT_RUNS)


def open_latents(folder: Path, further: Path | None = None) -> OpenedLatents:
    """The particles of a run with all columns; read once, and again when a file changes.

    Args:
        folder: Of the run.
        further: CSV whose lines name particles by `row`, such as the scores.csv of
            `hetero evaluate`.

    Raises:
        CheckpointError: If the folder is no run, or has no latents yet.
        MetadataError: If the run has one structure only.
        InputFileError: If latents are damaged.
    """
    files = [folder / RUN_NAME, folder / LATENTS_NAME, _analysis(folder), folder / _LANDSCAPE]
    files += [] if further is None else [further]
    return _KEPT.get((folder, further), files, lambda: _opened(folder, further))


def _analysis(folder: Path) -> Path:
    return folder / "analysis" / "latent" / TABLE_NAME


def _opened(folder: Path, further: Path | None) -> OpenedLatents:
    run = open_hetero_run(folder)
    table = latents_of(run, None)
    components = principal_components(table.latent)
    columns = latent_columns(table)
    coordinates = components.coordinates(table.latent)
    columns |= {f"pc_{n}": values for n, values in enumerate(coordinates.T, start=1)}
    notes: list[str] = []
    file = _particles(run, table, notes)
    if file is not None:
        columns |= pose_columns(table, file)
    has_analysis = _analysis(folder).is_file()
    if has_analysis:
        try:
            columns |= read_table(_analysis(folder), table)
        except IcelensError as error:
            has_analysis = False
            notes.append(f"The analysis is left out: {error}")
    if "sigma" not in columns:  # an analysis has it, and it takes seconds for a million
        columns["sigma"] = outlier_sigma(table.latent)
    if (folder / _LANDSCAPE).is_file():
        joined = _joined(folder / _LANDSCAPE, table, notes)
        columns |= {name.replace("pc_", "landscape_"): values for name, values in joined.items()}
    # what is not of the run stands last, and never in place of what is
    others = {} if further is None else _joined(further, table, notes)
    others |= {} if file is None else file_columns(table, file)
    columns |= {name: values for name, values in others.items() if name not in columns}
    columns = dict(sorted(columns.items(), key=lambda item: _rank(item[0])))
    found = {name: kind_of(name, values) for name, values in columns.items()}
    kinds = {name: kind for name, kind in found.items() if kind is not None}
    return OpenedLatents(run, table, file, components, columns, kinds, tuple(notes), has_analysis)


def _rank(name: str) -> int:
    """Coordinates first, then what an analysis found, then the rest as it came."""
    kind = name.rpartition("_")[0]
    order = ("pc", "umap", "latent", "landscape")
    if kind in order:
        return order.index(kind)
    found = ("kmeans", "gmm", "gmm_probability", "density", "sigma", "outlier", "norm", "half_set")
    return len(order) + (found.index(name) if name in found else len(found))


def _particles(run: HeteroRun, table: LatentTable, notes: list[str]) -> ParticleFile | None:
    """The particle file; latents can be looked at without it."""
    try:
        file = run.particle_file()
        check_particles(table, file, run.folder)
    except IcelensError as error:
        notes.append(f"Columns of the particle file are left out: {error}")
        return None
    return file


def _joined(path: Path, table: LatentTable, notes: list[str]) -> dict[str, Column]:
    """Columns of numbers of a CSV at the particles' rows; NaN for those it does not name."""
    import pandas

    try:
        frame = pandas.read_csv(path)
        rows = frame["row"].to_numpy(np.int64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"{path}: no table with a column row ({type(error).__name__})"
        notes.append(f"A table is left out: {what}")
        return {}
    order = np.unique(rows, return_index=True)[1]
    place = places_of(table.row, rows[order])
    joined: dict[str, Column] = {}
    for name in map(str, frame.columns):
        values = frame[name].to_numpy()
        if name not in {"row", "particle"} and values.dtype.kind in "iuf":
            own = values[order].astype(np.float64)
            joined[name] = np.where(place >= 0, own[place], np.nan)
    if not (place >= 0).any():
        notes.append(f"A table is left out: {path} names none of the particles of the run")
        return {}
    return joined
