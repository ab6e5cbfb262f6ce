"""Run a job: its folder, lock, record, log, metrics and report.

A folder holds `run.json` (and `run-1.json` ... of earlier runs), `log.txt`, `metrics.jsonl`,
`report.html` and what the job writes.
"""

import os
import platform
import shlex
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icelens.core.errors import IcelensError, StoppedEarly
from icelens.core.events import OnEvent, ignore
from icelens.jobs import provenance
from icelens.jobs.config import Config
from icelens.jobs.job import ConfigT, Job, ResultT
from icelens.jobs.journal import METRICS_NAME, Journal
from icelens.jobs.lock import locked_folder
from icelens.jobs.project.inbox import announce
from icelens.jobs.record import Record, free_name, keep_as_history, read_record
from icelens.jobs.report import Report, write_report
from icelens.jobs.settings import command_line, paths_in
from icelens.jobs.tracking import LEFT_BEHIND, Tracking, check_trackers, tracked_run

WORKERS_FOLDER = "workers"
"""Where the runs of a shared output lie."""


class FolderInUseError(IcelensError):
    """The folder already holds a run that the new one would mix with."""


@dataclass
class Run:
    """What a job sees of the world."""

    folder: Path
    """Where results go; it exists."""
    on_event: OnEvent = ignore
    """Tell progress, metrics, messages and saved files here."""
    resume: bool = False
    """Continue what the folder holds."""
    report: Report = field(default_factory=Report)
    """Sections, tables and figures for `report.html`."""
    inputs: list[Path] = field(default_factory=list)
    """Append files that were read but are not among the settings."""
    citations: list[str] = field(default_factory=list)
    """Append keys of `citations.bib` for methods that only this run used."""


def run_job(
    job: Job[ConfigT, ResultT],
    config: ConfigT,
    *,
    resume: bool = False,
    overwrite: bool = False,
    trackers: Sequence[str] = (),
    on_event: OnEvent = ignore,
) -> ResultT:
    """Run a job in the folder `config.output` and record it there.

    A job whose settings have no `output`, or None, only answers, and one whose `output` is a file
    (`OUTPUT_FILE`) only writes that: they get a temporary folder and leave no record.

    Args:
        job: The declaration.
        config: Its settings.
        resume: Continue the run in the folder.
        overwrite: Begin anew in a folder that holds a run; its checkpoints and metrics are removed.
        trackers: Where metrics go besides `metrics.jsonl`: `tensorboard`, `mlflow` or both.
        on_event: Also hears every event, after the record.

    Returns:
        What the job's function returns.

    Raises:
        FolderInUseError: If a resumable job finds an earlier run and is not told what to do.
        RunLockedError: If another process uses the folder.
        TrackerError: If a tracker is not installed, or there is no folder to track.
        StoppedEarly: If the time limit was reached; the record says `stopped`.
        KeyboardInterrupt: After the record says `stopped`.
    """
    folder = output_folder(config)
    if not is_follower():
        check_trackers(job, folder, trackers)
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="icelens-") as temporary:
            return job(config, Run(Path(temporary), on_event))
    if is_follower():
        folder.mkdir(parents=True, exist_ok=True)
        return job(config, Run(folder, resume=resume))
    with locked_folder(folder):
        _settle_earlier_run(job, folder, resume=resume, overwrite=overwrite)
        with _recorded(
            job, config, folder, resume=resume, trackers=trackers, on_event=on_event
        ) as run:
            return job(config, run)


def output_folder(config: Config) -> Path | None:
    """The folder of a run, if its job has one; below a shared output each process has its own."""
    output = getattr(config, "output", None)
    if not isinstance(output, Path):
        return None
    extra = type(config).model_fields["output"].json_schema_extra
    kind = extra.get("output") if isinstance(extra, dict) else None
    if kind == "shared":
        return output / WORKERS_FOLDER / f"{platform.node() or 'host'}-{os.getpid()}"
    return None if kind == "file" else output


def is_follower() -> bool:
    """Whether another process of the same run keeps the record.

    torchrun starts one process for each device and numbers them in `RANK`; number 0 records.
    """
    return os.environ.get("RANK", "0") != "0"


def resume_command(job: Job[Any, Any], folder: Path, trackers: Sequence[str] = ()) -> str:
    """The command that continues a stopped run; its settings are read from the folder."""
    words = ["icelens", job.task, job.command, "--output", str(folder), "--resume"]
    return shlex.join([*words, *_track_words(trackers)])


def _track_words(trackers: Sequence[str]) -> list[str]:
    return [word for name in trackers for word in ("--track", name)]


def _settle_earlier_run(job: Job[Any, Any], folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse to mix two trainings; keep the old record; clear what `overwrite` gives up."""
    earlier = read_record(folder)
    if earlier is None:
        return
    has_begun = earlier.get("state") != "failed" or any(folder.glob("*.safetensors"))
    if job.resumable and has_begun and not (resume or overwrite):
        raise FolderInUseError(
            f"{folder}: holds a run of {earlier.get('job')} ({earlier.get('state')}); "
            "use --resume to continue it, --overwrite to begin anew, or another --output"
        )
    if resume and earlier.get("job") != job.name:
        raise FolderInUseError(
            f"{folder}: holds a run of {earlier.get('job')}, which {job.name} cannot resume; "
            "choose another --output"
        )
    keep_as_history(folder)
    for left in (folder / name for name in (METRICS_NAME, *LEFT_BEHIND)):
        if not resume and left.exists():
            left.rename(free_name(folder, left.stem, left.suffix))
    if overwrite and job.resumable:
        # A state left behind would be taken up by a later --resume of a run that never made it.
        for checkpoint in folder.glob("*.safetensors"):
            checkpoint.unlink()


@contextmanager
def _recorded(
    job: Job[ConfigT, Any],
    config: ConfigT,
    folder: Path,
    *,
    resume: bool,
    trackers: Sequence[str],
    on_event: OnEvent,
) -> Iterator[Run]:
    """Give a job its Run, and write down how it ended whatever happens."""
    inputs = [{"setting": key, **provenance.fingerprint(path)} for key, path in paths_in(config)]
    record = Record(
        folder,
        {
            "format": 1,
            "job": job.name,
            "config": config.model_dump(mode="json"),
            "command": command_line(job, config, *_track_words(trackers)),
            "working_directory": str(Path.cwd()),
            "resumed": resume,
            "seed": getattr(config, "seed", None),
            "versions": provenance.versions(),
            "machine": provenance.machine(),
            "inputs": inputs,
            "outputs": [],
            "citations": list(job.cites),
        },
    )
    tracked = tracked_run(job, config, folder, is_resumed=resume)
    with Journal(folder, record) as journal:
        tracking = Tracking(trackers, tracked, journal.tee(on_event))
        run = Run(folder, tracking.listen, resume=resume)
        with record:
            announce(folder)
            try:
                with tracking:
                    yield run
            except BaseException as error:
                # The first error matters; a full disk may be why its record fails too.
                with suppress(IcelensError, OSError):
                    _end(record, journal, run, error)
                    write_report(folder, run.report, record.content)
                raise
            _end(record, journal, run, None)
            write_report(folder, run.report, record.content)


def _end(record: Record, journal: Journal, run: Run, error: BaseException | None) -> None:
    """Write state and cause; log the traceback of what nobody expected."""
    inputs = [*record.content["inputs"], *(provenance.fingerprint(path) for path in run.inputs)]
    citations = list(dict.fromkeys([*record.content["citations"], *run.citations]))
    record.note(
        inputs=inputs,
        citations=citations,
        machine=provenance.machine(),
        peak_memory_bytes=provenance.peak_memory_bytes(),
    )
    if error is None:
        record.finish("done")
        journal.write("info", "done")
    elif isinstance(error, StoppedEarly | KeyboardInterrupt):
        cause = str(error) or "interrupted by the user"
        record.finish("stopped", cause)
        journal.write("warning", f"stopped: {cause}")
    else:
        cause = (
            str(error) if isinstance(error, IcelensError) else f"{type(error).__name__}: {error}"
        )
        journal.write("error", f"failed: {cause}")
        if not isinstance(error, IcelensError):
            journal.write("error", "".join(traceback.format_exception(error)))
        record.finish("failed", cause)
