"""`icelens jobs WORD`: all that the browser does with jobs, on the command line."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from icelens.apps import arguments
from icelens.apps.jobs import acting, looking, submitting
from icelens.jobs import registry
from icelens.jobs.project.project import NoProjectError, Project, find_project, open_project

Action = Callable[[Project, argparse.Namespace, list[str]], int]
WORDS: dict[str, tuple[str, Callable[[arguments.Parser], None], Action | None]] = {
    "init": ("Make a folder a project and take in the runs it holds.", acting.init_flags, None),
    "list": ("List the jobs of the project, the latest first.", looking.list_flags, looking.list_),
    "show": ("Show one job: state, settings, files, end of the log.", looking.show_flags,
             looking.show),
    "submit": ("Queue a job: icelens jobs submit [--lane NAME ...] TASK JOB --flag value ...",
               submitting.submit_flags, submitting.submit),
    "start": ("Queue drafts.", acting.number_flags, acting.start),
    "cancel": ("Stop jobs, cleanly at first.", acting.number_flags, acting.cancel),
    "resume": ("Queue jobs again that ended; what they saved is kept.", acting.number_flags,
               acting.resume),
    "clone": ("Copy a job with other settings: icelens jobs clone 7 --flag value ...",
              submitting.clone_flags, submitting.clone),
    "remove": ("Move jobs and their folders to the trash.", acting.number_flags, acting.remove),
    "restore": ("Take jobs out of the trash.", acting.number_flags, acting.restore),
    "empty-trash": ("Delete what is in the trash for good.", acting.no_flags, acting.empty_trash),
    "wait": ("Wait until jobs have ended.", looking.wait_flags, looking.wait),
    "diff": ("Say in what two or more jobs differ.", acting.number_flags, looking.diff),
    "lanes": ("List where jobs can run; --add slurm makes a cluster lane to be edited.",
              looking.lanes_flags, looking.lanes),
    "dispatch": ("Start what is queued until nothing is left; submit does it by itself.",
                 acting.no_flags, acting.dispatch),
}  # fmt: skip


def main(words: Sequence[str]) -> int:
    """Run one of `WORDS`; exit codes are those of the command line."""
    if not words or words[0] in ("-h", "--help"):
        print("icelens jobs WORD [--project FOLDER] --help\n")
        for word, (text, _, _) in WORDS.items():
            print(f"  {word:12} {text}")
        return 0
    if words[0] not in WORDS:
        raise arguments.UsageError(
            f"jobs {words[0]}: no such command; {registry.did_you_mean(words[0], WORDS)}"
        )
    text, add_flags, action = WORDS[words[0]]
    parser = arguments.Parser(prog=f"icelens jobs {words[0]}", description=text, allow_abbrev=False)
    parser.add_argument(
        "--project", type=Path, default=None, metavar="FOLDER",
        help="of the project; without it, the one you are in",
    )  # fmt: skip
    add_flags(parser)
    # what follows TASK JOB, or the number of the job to clone, belongs to the job
    own, rest = submitting.parted(words[0], list(words[1:]), parser)
    given = parser.parse_args(own)
    if action is None:
        return acting.init(given)
    return action(_project(given.project), given, rest)


def _project(folder: Path | None) -> Project:
    """The project that is meant.

    Raises:
        NoProjectError: If there is none.
    """
    if folder is not None:
        return open_project(folder)
    found = find_project(Path.cwd())
    if found is None:
        raise NoProjectError(
            f"{Path.cwd()}: lies in no project; make one with: icelens jobs init, or give --project"
        )
    return found
