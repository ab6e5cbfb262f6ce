"""Save selected particles: the table that names them, and the STAR file of `hetero select`."""

import base64
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.apps.web.work.opened_latents import open_latents
from icelens.apps.web.work.saved_files import below, free_path
from icelens.apps.web.worker import Answer
from icelens.core.errors import IcelensError, MetadataError
from icelens.core.io.csv_table import write_csv
from icelens.jobs.run import run_job
from icelens.jobs.settings import command_line
from icelens.tasks.hetero.select_jobs import SelectConfig, select


def save_selection(*, run: str, bits: str, project: str, name: str) -> Answer:
    """Write particles of a run into the project's folder `selections`; nothing is written over.

    Args:
        run: Folder of the run.
        bits: Which particles, the first in the lowest bit of the first byte; base64.
        project: Folder of the project.
        name: Of the files, without ending.

    Returns:
        `file` (STAR), `index` (CSV with particle and row), `chosen`, `count` and the `command` that
        gives the same STAR file again.

    Raises:
        MetadataError: If no particle is chosen, or the bits are of other particles.
        InputFileError: If the particles cannot be read or the files not be written.
    """
    opened = open_latents(Path(run))
    count = len(opened.table)
    chosen = _unpacked(bits, count, run)
    if not chosen.any():
        raise MetadataError(f"{run}: no particle is selected; select some first")
    path = free_path(Path(project) / "selections", name, [".star", ".csv"])
    index = path.with_suffix(".csv")
    table = opened.table
    lines = np.stack([table.particle[chosen], table.row[chosen]], axis=1).tolist()
    write_csv(index, ["particle", "row"], lines)
    config = SelectConfig(run=Path(run), among=index, output=path)
    try:
        run_job(select, config)
    except IcelensError:
        index.unlink(missing_ok=True)
        raise
    typed = SelectConfig(
        run=below(config.run, Path(project)),
        among=below(index, Path(project)),
        output=below(path, Path(project)),
    )
    return Answer(
        {
            "file": str(path),
            "index": str(index),
            "chosen": int(chosen.sum()),
            "count": count,
            "command": command_line(select, typed),
        }
    )


def _unpacked(bits: str, count: int, run: str) -> npt.NDArray[np.bool_]:
    try:
        packed = np.frombuffer(base64.b64decode(bits, validate=True), np.uint8)
    except ValueError as error:
        raise MetadataError(
            f"{run}: the selection is damaged ({error}); reload the page and select again"
        ) from error
    if len(packed) != -(-count // 8):
        raise MetadataError(
            f"{run}: a selection of {8 * len(packed)} particles, but the run has {count}; reload "
            "the page and select again"
        )
    return np.unpackbits(packed, bitorder="little")[:count].astype(bool)
