"""Results of earlier jobs that fit an input; of jobs that have not run, what they will leave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from icelens.apps.web.forms.fitting import KIND_OF_SAVED, PRODUCTS, Kind, Product
from icelens.jobs.project.attempt import read_json
from icelens.jobs.project.entry import Entry, State
from icelens.jobs.project.project import Project
from icelens.jobs.project.queue import Queue
from icelens.jobs.record import RECORD_NAME

MOST_JOBS = 400
MOST_RESULTS = 200
_MOST_OF_JOB = 40


@dataclass(frozen=True)
class Result:
    """Something that a job left, or will leave.

    Attributes:
        path: As the project keeps it.
        kind: What it is.
        number: Of the job.
        job: Its name.
        title: What the user calls it.
        state: Of the job.
        exists: Whether it is there now.
    """

    path: str
    kind: Kind
    number: int
    job: str
    title: str
    state: State
    exists: bool


def results_for(queue: Queue, kinds: Sequence[Kind], *, only: int | None = None) -> list[Result]:
    """What fits, of the latest jobs first.

    Args:
        queue: Whose jobs.
        kinds: What is looked for.
        only: Number of the one job to look at; None for all.
    """
    entries = [queue.get(only)] if only else queue.entries(limit=MOST_JOBS)
    found: list[Result] = []
    for entry in entries:
        if entry.state == "failed" and not (queue.project.folder / entry.folder).is_dir():
            continue
        found += _of_job(queue.project, entry, set(kinds))
        if len(found) >= MOST_RESULTS:
            break
    return found[:MOST_RESULTS]


def _of_job(project: Project, entry: Entry, kinds: set[Kind]) -> Iterator[Result]:
    seen: set[str] = set()
    places = [*_products(entry), *(_saved(project, entry) if entry.state != "draft" else ())]
    for kind, path in places:
        if kind not in kinds or path in seen or len(seen) >= _MOST_OF_JOB:
            continue
        seen.add(path)
        exists = (project.folder / path).exists()
        if exists or entry.state not in ("done", "failed", "stopped"):
            yield Result(path, kind, entry.number, entry.job, entry.title, entry.state, exists)


def _products(entry: Entry) -> Iterator[tuple[Kind, str]]:
    for product in PRODUCTS.get(entry.job, ()):
        path = _place(entry, product)
        if path:
            yield product.kind, path


def _place(entry: Entry, product: Product) -> str:
    if product.place.startswith("@"):
        value = entry.settings.get(product.place[1:], "")
        return value if isinstance(value, str) else ""
    # a draft that was never queued has no output yet; its folder is where it will be
    folder = entry.settings.get("output") or entry.folder
    return (Path(str(folder)) / product.place).as_posix()


def _saved(project: Project, entry: Entry) -> Iterator[tuple[Kind, str]]:
    for output in outputs_of(project, entry):
        kind = KIND_OF_SAVED.get(str(output.get("kind")))
        if kind is not None and isinstance(output.get("path"), str):
            yield kind, project.relative(project.absolute(entry.folder) / output["path"])


def outputs_of(project: Project, entry: Entry) -> Sequence[dict[str, Any]]:
    """What the record of a job's run says it saved: `path`, from the run's folder, and `kind`."""
    path = project.absolute(entry.folder) / RECORD_NAME
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return ()
    return _outputs(path, stamp)


@lru_cache(maxsize=2 * MOST_JOBS)
def _outputs(path: Path, stamp: int) -> tuple[dict[str, Any], ...]:
    del stamp  # a record that was written anew is read anew
    record = read_json(path) or {}
    outputs = record.get("outputs", ())
    if not isinstance(outputs, list):
        return ()
    return tuple(output for output in outputs[:2000] if isinstance(output, dict))
