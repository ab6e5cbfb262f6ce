"""Put one job into several lanes, as shares of its work."""

from collections.abc import Mapping, Sequence
from typing import Any

from icelens.jobs.job import Job
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.queue import Queue
from icelens.jobs.project.settings_paths import job_folder, with_output
from icelens.jobs.project.sharing import shares


def submit_shares(
    queue: Queue,
    job: Job[Any, Any],
    settings: Mapping[str, Any],
    lanes: Sequence[str],
    *,
    title: str = "",
    is_draft: bool = False,
    **options: Any,  # noqa: ANN401 - as for `Queue.submit`
) -> list[Entry]:
    """Queue a share of a job in each lane: workers of a search, or parts of the tomograms.

    All lie in the folder of the first.

    Args:
        queue: Where to.
        job: Must say by `shared_by` how it is shared.
        settings: Of the whole.
        lanes: One for each share; a lane may be named several times.
        title: Of the whole.
        is_draft: Do not start them yet.
        options: As for `Queue.submit`.

    Raises:
        SharingError: If the job cannot be shared.
    """
    shares(job, settings, "", len(lanes))  # before anything is queued
    title = title or f"{job.task} {job.command}"
    first = queue.submit(job.name, settings, lane=lanes[0], title=title, is_draft=True, **options)
    folder = str(with_output(job, settings, job_folder(first.number, job))["output"])
    whole = {**settings, "output": folder}
    parts = shares(job, whole, folder, len(lanes))
    entries = [first]
    entries += [
        queue.submit(job.name, whole, lane=lane, title=title, is_draft=True, **options)
        for lane in lanes[1:]
    ]
    for number, (entry, part) in enumerate(zip(entries, parts, strict=True), start=1):
        name = f"{title} {number}/{len(parts)}"
        queue.edit(entry.number, settings={**whole, **part}, title=name)
    return [queue.get(each.number) if is_draft else queue.start(each.number) for each in entries]
