"""Jobs that several processes can share: parts of the tomograms, or workers of one search."""

from collections.abc import Mapping, Sequence
from typing import Any

from icelens.core.errors import IcelensError
from icelens.jobs.job import Job

_STORAGE_NAME = "trials.log"


class SharingError(IcelensError):
    """A job that cannot be shared, or not so."""


def task_words(
    job: Job[Any, Any], settings: Mapping[str, Any], folder: str, tasks: int
) -> list[list[str]]:
    """Words that each task of an array adds to the job's command; none if it runs as one.

    Raises:
        SharingError: If the job cannot be cut.
    """
    if tasks == 0:
        return []
    return [_words(changes) for changes in shares(job, settings, folder, tasks)]


def shares(
    job: Job[Any, Any], settings: Mapping[str, Any], folder: str, count: int
) -> list[dict[str, str]]:
    """Settings in which the shares of a job differ from the whole.

    Args:
        job: Says by `shared_by` how it is shared.
        settings: Of the whole.
        folder: Of the whole; each share gets one of its own in it.
        count: Number of shares.

    Raises:
        SharingError: If the job cannot be shared, or tomograms were chosen by number.
    """
    by = job.shared_by
    if not by:
        raise SharingError(f"{job.name}: cannot be shared by several processes; start it as one")
    if by == "output":
        return [{} for _ in range(count)]
    if by == "storage":
        storage = str(settings.get("storage") or f"{folder}/{_STORAGE_NAME}")
        return [
            {"storage": storage, "output": f"{folder}/worker_{number}"}
            for number in range(1, count + 1)
        ]
    if settings.get(by) not in (None, "all", "", (), []):
        raise SharingError(f"{job.name}: --{by} is given; shares are cut from all, leave it out")
    return [
        {by: f"{number}/{count}", "output": f"{folder}/part_{number}"}
        for number in range(1, count + 1)
    ]


def is_shared(job: Job[Any, Any]) -> bool:
    """Whether several processes can work on it."""
    return bool(job.shared_by)


def _words(changes: Mapping[str, str]) -> list[str]:
    return [word for name, value in changes.items() for word in (f"--{name}", value)]


def lanes_in_turn(lanes: Sequence[str], count: int) -> list[str]:
    """A lane for each share, dealt out in turn."""
    return [lanes[number % len(lanes)] for number in range(count)]
