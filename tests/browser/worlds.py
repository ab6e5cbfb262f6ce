"""Small projects made by the queue itself: restored tomograms, and images of two states."""

import shlex
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from icelens.apps import arguments
from icelens.jobs.project.dispatcher import dispatch_until_idle
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.project import DATABASE_NAME, create_project, open_project
from icelens.jobs.project.queue import Queue
from icelens.jobs.registry import find_job

SIMULATE = "simulate tomograms --output simulated --shape 32,64,64 --pixel-size 10 --count 2"
PREPARE = (
    "restore prepare --even simulated/even --odd simulated/odd --star tomograms.star "
    "--pixel-size 10 --defocus 35000 --subtomograms 4"
)
REFINE = (
    "restore refine --star tomograms.star --network unet-small --box-size 32 --batch-size 2 "
    "--epochs 2 --output refine"
)
PREDICT = (
    "restore predict --star tomograms.star --checkpoint refine --output corrected --turned-copies 1"
)
COMPARE = (
    "tools fsc --map-1 simulated/full/TS_01.mrc --map-2 simulated/truth/TS_01.mrc --output score"
)
STATES = "simulate states --output states --count 300 --box-size 24 --pixel-size 4 --snr 0.5"
LINEAR = "hetero linear --particles states/particles.star --components 2 --output linear"
NO_STAR = "restore refine --star missing.star --network unet-small"


def submit(
    queue: Queue, line: str, *, after: Sequence[int] = (), title: str = "", is_draft: bool = False
) -> Entry:
    """Queue what one would type after `icelens`."""
    words = shlex.split(line)
    job = find_job(".".join(words[:2]))
    config = arguments.parse(job, words[2:]).config
    settings = config.model_dump(mode="json", exclude_unset=True)
    return queue.submit(job.name, settings, after=after, title=title, is_draft=is_draft)


def restored(folder: Path) -> Path:
    """Two tomograms simulated, listed, restored, and one compared with its truth."""
    return run(folder, (SIMULATE, PREPARE, REFINE, PREDICT, COMPARE))


def states(folder: Path) -> Path:
    """Images of a molecule in two states, and their principal components."""
    return run(folder, (STATES, LINEAR))


def run(folder: Path, lines: Sequence[str], *, may_fail: bool = False) -> Path:
    """Queue lines, each after the one before, and dispatch until all have ended."""
    project = create_project(folder)
    queue = Queue(project)
    before: tuple[int, ...] = ()
    for line in lines:
        before = (submit(queue, line, after=before).number,)
    dispatch_until_idle(project, patience=2.0)
    failed = [each for each in queue.entries() if each.state != "done"]
    assert may_fail or not failed, failed
    return folder


def copied(template: Path, folder: Path) -> Path:
    """A project elsewhere, as one moves it: nothing in it is absolute."""
    with sqlite3.connect(template / DATABASE_NAME) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    shutil.copytree(template, folder)
    return folder


def many_jobs(folder: Path, count: int) -> Path:
    """A project of so many ended jobs, written as rows: queueing each would take minutes."""
    queue = Queue(create_project(folder))
    first = submit(queue, SIMULATE, is_draft=True).number
    with open_project(folder).connection(is_write=True) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]
        kept = ", ".join(name for name in names if name not in ("number", "title", "state"))
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            f"INSERT INTO jobs (title, state, {kept}) "
            f"SELECT 'tomogram ' || i, CASE i % 3 WHEN 0 THEN 'failed' WHEN 1 THEN 'done' "
            f"ELSE 'stopped' END, {kept} FROM n, jobs WHERE number = ?",
            (count - 1, first),
        )
    return folder
