"""Which jobs have to be done before another can read what they write."""

import sqlite3
from pathlib import Path

from icelens.jobs.config import Config
from icelens.jobs.project.project import Project
from icelens.jobs.settings import paths_in


def earlier_jobs(
    project: Project, connection: sqlite3.Connection, number: int, job: str, config: Config
) -> list[int]:
    """Numbers of jobs that are not done and in whose folders a job's inputs lie, or will.

    A file that does not exist yet and that a job before names, such as a list of tomograms that
    one job makes and others go on with, makes that job one to wait for as well, unless it is one
    of the same kind, which reads the file just so.
    """
    rows = connection.execute(
        "SELECT number, job, folder, settings FROM jobs WHERE number != ? AND removed IS NULL "
        "AND state IN ('queued', 'waiting', 'running', 'stopped', 'failed', 'draft')",
        (number,),
    ).fetchall()
    inputs = [(project.relative(path), path) for _, path in paths_in(config)]
    found = []
    for row in rows:
        folder, is_missing = row["folder"], False
        for text, path in inputs:
            if text == folder or text.startswith(f"{folder}/"):
                found.append(row["number"])
            elif row["number"] < number and row["job"] != job and _names(row["settings"], text):
                is_missing = is_missing or not _exists(project, path)
        if is_missing:
            found.append(row["number"])
    return sorted(set(found))


def _names(settings: str, text: str) -> bool:
    return f'"{text}"' in settings


def _exists(project: Project, path: Path) -> bool:
    return (project.folder / path).exists()
