"""Jobs of a project as runs leave them, without running any."""

import json
from pathlib import Path
from typing import Any

from icelens.jobs.project import changes
from icelens.jobs.project.project import Project


def add_job(
    project: Project,
    job: str = "restore.refine",
    *,
    state: str = "done",
    settings: dict[str, Any] | None = None,
    folder: str = "",
    record: dict[str, Any] | None = None,
    metrics: str | bytes | None = None,
    after: tuple[int, ...] = (),
    title: str = "",
) -> int:
    """Put a job into the database, and its files into its folder; its number."""
    started = None if state in ("draft", "queued", "waiting") else "2026-01-01T10:00:00+00:00"
    with project.connection(is_write=True) as connection:
        number = changes.insert(
            connection,
            {
                "job": job,
                "task": job.partition(".")[0],
                "title": title or job,
                "state": state,
                "settings": settings or {},
                "created": "2026-01-01T09:00:00+00:00",
                "started": started,
            },
        )
        folder = folder or f"jobs/{number:04d}"
        changes.update(connection, number, {"folder": folder})
        changes.set_waits(connection, number, after)
    place = Path(project.folder, folder)
    place.mkdir(parents=True, exist_ok=True)
    if record is not None:
        content = {"job": job, "state": state, "config": settings or {}, **record}
        (place / "run.json").write_text(json.dumps(content), encoding="utf-8")
    if metrics is not None:
        text = metrics if isinstance(metrics, bytes) else metrics.encode()
        (place / "metrics.jsonl").write_bytes(text)
    return number
