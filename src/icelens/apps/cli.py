"""The command line: `icelens <task> <job> --flag value`.

Exit codes: 0 done or stopped by its time limit, 1 a bug of ours, 2 something the user can mend,
130 interrupted.
"""

import errno
import json
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import icelens
from icelens.apps import arguments
from icelens.core.errors import IcelensError, StoppedEarly
from icelens.jobs import registry
from icelens.jobs.job import Job

DONE, BUG, MISTAKE, INTERRUPTED = 0, 1, 2, 130
# A path that cannot be used is no bug: a file where a folder should be, no permission, and so on.
_OF_FOLDERS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.EDQUOT,
    errno.EFBIG,
    errno.ELOOP,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    try:
        return _dispatch(words)
    except (IcelensError, registry.UnknownJobError) as error:
        return _say(str(error), MISTAKE)
    except KeyboardInterrupt:
        return _say("stopped", INTERRUPTED)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; the devnull keeps Python from saying so.
        sys.stdout = Path("/dev/null").open("w")  # noqa: SIM115
        return DONE
    except SystemExit as leaving:  # argparse after --help
        return int(leaving.code or 0)


def _dispatch(words: list[str]) -> int:
    commands: dict[str, Callable[[list[str]], int]] = {
        "doctor": _doctor,
        "demo": _demo,
        "schema": _schema,
        "serve": _serve,
        "jobs": _jobs,
    }
    if not words or words[0] in ("-h", "--help", "help"):
        return _overview()
    if words[0] in ("-V", "--version"):
        print(f"icelens {icelens.__version__}")
        return DONE
    if words[0] in commands:
        return commands[words[0]](words[1:])
    return _job(words, commands)


def _job(words: list[str], commands: Sequence[str] | dict[str, Any]) -> int:
    """Find the job that the first two words name, and run it."""
    grouped = registry.tasks()
    task, rest = words[0], words[1:]
    if task not in grouped:
        # `icelens predict` for `icelens restore predict` is a likely slip.
        full = [f"{name} {task}" for name in grouped if task in _commands(grouped[name])]
        hint = registry.did_you_mean(task, [*grouped, *commands])
        hint = f"did you mean {' or '.join(full)}?" if full else hint
        raise arguments.UsageError(f"{task}: no such command; {hint}")
    by_command = _commands(grouped[task])
    if not rest or rest[0] in ("-h", "--help"):
        return _task_overview(task, grouped[task])
    if rest[0] not in by_command:
        hint = registry.did_you_mean(rest[0], by_command)
        raise arguments.UsageError(f"{task} {rest[0]}: no such job; {hint}")
    return _run(by_command[rest[0]], rest[1:])


def _commands(jobs: Sequence[Job[Any, Any]]) -> dict[str, Job[Any, Any]]:
    return {job.command: job for job in jobs}


def _run(job: Job[Any, Any], words: list[str]) -> int:
    """Do what a job's command line asks for."""
    request = arguments.parse(job, words)
    if request.print_config:
        from icelens.jobs.validation import as_yaml

        print(as_yaml(job, request.config), end="")
        return DONE
    if request.dry_run:
        from icelens.apps.dry_run import describe
        from icelens.jobs import run, tracking

        tracking.check_trackers(job, run.output_folder(request.config), request.trackers)
        print(describe(job, request.config))
        return DONE
    return _perform(job, request)


def _perform(job: Job[Any, Any], request: arguments.Request) -> int:
    """Run a job with progress on the terminal and turn its end into an exit code."""
    from icelens.core.events import ignore
    from icelens.jobs import run
    from icelens.jobs.progress import Display

    folder = run.output_folder(request.config)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with Display() as display:
            result = run.run_job(
                job,
                request.config,
                resume=request.resume,
                overwrite=request.overwrite,
                trackers=request.trackers,
                on_event=ignore if run.is_follower() else display,
            )
    except StoppedEarly as stop:
        return _say(f"stopped: {stop or 'time limit'}{_continue(job, folder, request)}", DONE)
    except KeyboardInterrupt:
        return _say(f"stopped{_continue(job, folder, request)}", INTERRUPTED)
    except IcelensError:
        raise
    except Exception as error:  # noqa: BLE001 - the last resort, so that nobody meets a bare traceback
        return _unexpected(error, folder)
    if not run.is_follower():
        _conclude(result, folder)
    return DONE


def _conclude(result: object, folder: Path | None) -> None:
    """Say where the result is."""
    if folder is not None:
        shown = result if isinstance(result, Path) else folder
        print(f"done: {shown} (report: {folder / 'report.html'})")
    elif isinstance(result, str):
        print(result)


def _continue(job: Job[Any, Any], folder: Path | None, request: arguments.Request) -> str:
    """How to go on, if the job can."""
    from icelens.jobs.run import resume_command

    if folder is None or not job.resumable:
        return ""
    return f"; continue with: {resume_command(job, folder, request.trackers)}"


def _unexpected(error: Exception, folder: Path | None) -> int:
    """A short message; the traceback is in the log, or here if there is none."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return _say(f"{error.filename or folder}: the disk is full; free some space", MISTAKE)
    if isinstance(error, OSError) and error.errno in _OF_FOLDERS:
        return _say(f"{error.filename or folder}: {error.strerror}; choose another path", MISTAKE)
    if _is_out_of_memory(error):
        return _say("out of memory; use a smaller --batch-size or --box-size", MISTAKE)
    message = f"unexpected {type(error).__name__}: {error}"
    log = folder / "log.txt" if folder else None
    if log and log.exists():
        return _say(f"{message}; this is a bug, the traceback is in {log}", BUG)
    traceback.print_exception(error)
    return _say(f"{message}; this is a bug", BUG)


def _is_out_of_memory(error: Exception) -> bool:
    kinds = (type(error).__name__ == "OutOfMemoryError", isinstance(error, MemoryError))
    # torch has no type of its own for the memory of the CPU
    return any(kinds) or "can't allocate memory" in str(error)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """A scheduler's SIGTERM ends a run as Ctrl-C does: cleanly and resumable."""
    del number, frame
    raise KeyboardInterrupt


def _say(text: str, code: int) -> int:
    for line in text.splitlines():
        print(f"icelens: {line}", file=sys.stderr)
    return code


def _overview() -> int:
    print("Cryo-EM with deep learning. Every job: icelens <task> <job> --help\n")
    for task, jobs in registry.tasks().items():
        print(task)
        _list_jobs(jobs)
    print("more")
    print("  jobs                Queue jobs of a project, list, stop, resume and compare them.")
    print("  serve               Open the workbench over a project in the browser.")
    print("  doctor              Say what this machine can do and what is missing.")
    print("  demo                Simulate, restore and score a small tomogram.")
    print("  schema              Print the JSON schema of a job's settings.")
    print("  --version           Print the version.")
    return DONE


def _task_overview(task: str, jobs: Sequence[Job[Any, Any]]) -> int:
    print(f"icelens {task} <job> --help\n")
    _list_jobs(jobs)
    return DONE


def _list_jobs(jobs: Sequence[Job[Any, Any]]) -> None:
    for job in jobs:
        print(f"  {job.command:19} {job.summary}")


def _doctor(words: list[str]) -> int:
    from icelens.apps import doctor

    return doctor.main(words)


def _demo(words: list[str]) -> int:
    from icelens.apps import demo

    return demo.main(words)


def _jobs(words: list[str]) -> int:
    from icelens.apps.jobs import command

    return command.main(words)


def _serve(words: list[str]) -> int:
    from icelens.apps.web import serve

    return serve.main(words)


def _schema(words: list[str]) -> int:
    """Print the JSON schema of one job, or of all."""
    from icelens.jobs.validation import schema

    jobs = [registry.find_job(word) for word in words] or list(registry.all_jobs())
    schemas = {job.name: schema(job) for job in jobs}
    shown = schemas[jobs[0].name] if len(words) == 1 else schemas
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
