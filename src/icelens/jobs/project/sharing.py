"""Jobs that several processes can share: parts of the tomograms, or workers of one search."""

from collections.abc import Mapping
from typing import Any

from icelens.core.errors import IcelensError
from icelens.jobs.job import Job

_STORAGE_NAME = "trials.log"


class SharingError(IcelensError):
    """A job that cannot be shared, or not so."""


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
