"""All that the page of one job shows, gathered from the queue and from the job's files."""

from collections.abc import Mapping
from dataclasses import dataclass

from icelens.apps.dry_run import size
from icelens.apps.web.job_view.cards import Card, card_of
from icelens.apps.web.job_view.feeds import Next, next_for_file, next_jobs
from icelens.apps.web.job_view.log_file import read_end
from icelens.apps.web.job_view.log_lines import Line
from icelens.apps.web.job_view.openers import View, view_url
from icelens.apps.web.job_view.outputs import (
    Input,
    Output,
    grouped,
    inputs_of,
    outputs_of,
    picks_project,
)
from icelens.apps.web.job_view.parameters import Parameter, command_of, parameters_of
from icelens.apps.web.job_view.pictures import Picture, Series, pictures_in, sorted_out
from icelens.apps.web.job_view.record_file import RecordFile, read_record_file
from icelens.apps.web.roots import OutsideRootsError
from icelens.apps.web.workbench import Workbench
from icelens.core.errors import IcelensError
from icelens.jobs.journal import LOG_NAME
from icelens.jobs.project.attempt import ERR_NAME, Attempt, attempt_path, read_attempt
from icelens.jobs.project.entry import Entry
from icelens.jobs.provenance import citation
from icelens.jobs.registry import find_job
from icelens.jobs.report import REPORT_NAME

_LAST_LINES = 12
_MOST_ATTEMPTS = 20
_MOST_SINGLE = 60


@dataclass(frozen=True)
class JobPage:
    """One job, ready for its page."""

    card: Card
    record: RecordFile
    is_known: bool
    summary: str
    series: list[Series]
    pictures: list[Picture]
    outputs: list[tuple[str, list[Output]]]
    inputs: list[Input]
    parameters: list[Parameter]
    machine: dict[str, str]
    versions: dict[str, str]
    citations: list[str]
    command: str
    views: list[View]
    feeds: dict[str, list[Next]]
    file_feeds: list[tuple[Output, dict[str, list[Next]]]]
    before: list[Entry]
    after: list[Entry]
    attempts: list[tuple[int, Attempt]]
    last_lines: list[Line]
    has_report: bool

    @property
    def entry(self) -> Entry:
        """The job."""
        return self.card.entry

    @property
    def differing(self) -> list[Parameter]:
        """Settings that are not as by default."""
        return [each for each in self.parameters if each.differs]


def job_page(bench: Workbench, entry: Entry) -> JobPage:
    """Gather what the page of a job shows; nothing that is missing or damaged makes it fail."""
    roots, queue = bench.roots, bench.queue
    record = read_record_file(roots, entry)
    series, single = sorted_out(pictures_in(record.folder))
    outputs = outputs_of(roots, entry, record)
    config = record.content.get("config")
    recorded = config if isinstance(config, Mapping) else {}
    feeds = next_jobs(entry) if entry.state in ("done", "stopped", "running") else {}
    return JobPage(
        card=card_of(roots, entry),
        record=record,
        is_known=_is_known(entry),
        summary=_summary(entry),
        series=series,
        pictures=single[:_MOST_SINGLE],
        outputs=grouped(outputs),
        inputs=inputs_of(roots, entry, record),
        parameters=parameters_of(entry, recorded),
        machine=_machine(record),
        versions=record.texts("versions"),
        citations=_citations(entry, record),
        command=command_of(entry) or record.text("command"),
        views=_views(bench, entry, record, outputs),
        feeds=feeds,
        file_feeds=_file_feeds(entry, outputs),
        before=_before(bench, entry),
        after=queue.waiting_for(entry.number),
        attempts=_attempts(bench, entry),
        last_lines=last_lines(bench, entry) if entry.state in ("failed", "stopped") else [],
        has_report=record.folder is not None and (record.folder / REPORT_NAME).is_file(),
    )


def last_lines(bench: Workbench, entry: Entry) -> list[Line]:
    """The end of the log, or of what went to standard error if there is none."""
    places = [f"{entry.folder}/{LOG_NAME}", str(bench.project.control(entry.number) / ERR_NAME)]
    for place in places if entry.folder else places[1:]:
        try:
            piece = read_end(bench.roots.resolve(place), most=_LAST_LINES)
        except IcelensError:
            continue
        if piece.lines:
            return piece.lines
    return []


def _is_known(entry: Entry) -> bool:
    """Whether this icelens has the job."""
    try:
        find_job(entry.job)
    except IcelensError:
        return False
    return True


def _summary(entry: Entry) -> str:
    try:
        return find_job(entry.job).summary
    except IcelensError:
        return "A job that this icelens does not have; its files can still be seen."


def _machine(record: RecordFile) -> dict[str, str]:
    found = record.texts("machine")
    said = record.content.get("machine")
    memory = said.get("memory_bytes") if isinstance(said, Mapping) else None
    if isinstance(memory, int | float) and 0 < memory < 2**60:
        found["memory"] = size(float(memory))
        found.pop("memory_bytes", None)
    return found


def _citations(entry: Entry, record: RecordFile) -> list[str]:
    keys = record.words("citations")
    if not keys:
        try:
            keys = list(find_job(entry.job).cites)
        except IcelensError:
            keys = []
    return [found for key in dict.fromkeys(keys[:50]) if (found := citation(key))]


def _views(bench: Workbench, entry: Entry, record: RecordFile, outputs: list[Output]) -> list[View]:
    """Viewers for the job as a whole."""
    found = []
    if any(output.kind == "latents" and output.is_there for output in outputs):
        found.append(View("Latents", "latents", view_url("latents", "run", entry.folder)))
    project = picks_project(entry)
    if project and entry.state == "done":
        found.append(View("Picks", "picks", view_url("picks", "project", project)))
    return found


def _file_feeds(entry: Entry, outputs: list[Output]) -> list[tuple[Output, dict[str, list[Next]]]]:
    """For the first file of each kind, the jobs that take it."""
    found, seen = [], set()
    for output in outputs:
        if output.kind in seen or not output.is_there:
            continue
        seen.add(output.kind)
        takers = next_for_file(output.path, output.kind, entry.task)
        if takers:
            found.append((output, takers))
    return found


def _before(bench: Workbench, entry: Entry) -> list[Entry]:
    found = []
    for number in entry.after:
        try:
            found.append(bench.queue.get(number))
        except IcelensError:
            continue  # deleted for good since
    return found


def _attempts(bench: Workbench, entry: Entry) -> list[tuple[int, Attempt]]:
    control = bench.project.control(entry.number)
    first = max(1, entry.attempt - _MOST_ATTEMPTS)
    found = []
    for number in range(first, entry.attempt + 1):
        try:
            attempt = read_attempt(bench.roots.resolve(str(attempt_path(control, number))))
        except (OutsideRootsError, TypeError):
            continue
        if attempt is not None:
            found.append((number, attempt))
    return found
