"""A project as somebody would send it who wants to harm the workbench that opens it."""

import json
import os
from pathlib import Path
from typing import Any

from project_jobs import add_job

from icelens.jobs.project.project import Project

SCRIPT = "<script>alert(1)</script>"
ODD_NAMES = (
    SCRIPT.replace("/", "") + ".png",
    '"><img src=x onerror=alert(1)>.csv',
    "line\nbreak.png",
    "\x1b[31mred.mrc",
    "\u202egnp.exe.star",
    "{{7*7}}.star",
    "x" * 240 + ".png",
    b"\xff\xfe.png",
    b"\xff.star",
    b"\xff.mrc",
    b"\xff_fsc.csv",
)
ENDINGS = (".png", ".star", ".mrc", ".csv", "_fsc.csv", ".cs", ".yaml", ".json", ".zarr", ".tif")
WATCHED = ("run.json", "metrics.jsonl", "log.txt", "report.html", "hetero.json", "run-1.json")
"""Files of a job that the workbench reads by itself."""
LOG = (
    b"2026-01-01T00:00:00+00:00 INFO  \x1b[2J\x1b]0;title\x07training: 10 steps\r\n"
    b"\x00\xff\xfe <script>alert(1)</script>\n" + b"x" * 300_000 + b"\n"
    b"2026-13-99T99:00:00 ERROR no\n2026-01-01T00:00:00+00:00 INFO  training: 99999999999999999 \n"
)
_LINES = (
    b'{"step": 1, "loss": NaN}\n{"step": 1e999, "loss": 1}\n[[[[\n{"step": "x"}\n\xff\xfe\n'
    b'{"step": 2, "loss": 1e400, "' + b"k" * 5000 + b'": 1}\nnull\n{"step": 3, "loss": {"a": []}}\n'
)


def hostile_records() -> dict[str, bytes]:
    """What `run.json` must not say, by what is wrong with it."""
    facts: dict[str, Any] = {
        "job": "restore.refine",
        "state": "running",
        "config": {"epochs": float("nan"), SCRIPT: SCRIPT, "a": {"b": [None, 10**400]}},
        "cause": SCRIPT,
        "outputs": [
            {"path": "\0"}, {"path": 5}, {"path": "/etc/passwd"}, {"path": "../../../etc/passwd"},
            {"path": "x" * 9000}, {"path": "a.mrc", "kind": [], "title": SCRIPT}, 7, None,
        ],
        "inputs": [{"path": "/etc/passwd", "sha256": 5}, {"path": None}, "x"],
        "progress": {"stage": SCRIPT, "done": "x", "total": -1},
        "started": "yesterday", "ended": 5, "heartbeat": {}, "seconds": float("inf"),
        "versions": [SCRIPT], "warnings": {"a": 1}, "citations": 7, "metrics": "x", "host": [],
        "pid": "1; rm -rf /", "seed": 1e400, "device": None, "command": [SCRIPT, 5],
    }  # fmt: skip
    lone = json.dumps({**facts, "cause": "\ud800", "config": {"\ud800": "\udfff"}})
    return {
        "wrong kinds": json.dumps(facts).encode(),
        "lone surrogates": lone.encode(),
        "numbers": json.dumps({**facts, "outputs": {}, "inputs": 3, "progress": [1]}).encode(),
        "a list": b"[]",
        "text": b'{"job": 5, "config": "x"}',
        "no text": b"\xff\xfe\x00",
        "deep": b'{"job": "restore.refine", "config": ' + b"[" * 100_000,
        "deep and whole": b'{"config": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
        "empty": b"",
        "digits": b'{"config": {"a": ' + b"9" * 10_000 + b"}}",
    }


def fill_hostile(project: Project) -> list[int]:
    """Jobs with hostile files, and hostile files in the project's folder; the jobs' numbers."""
    numbers = [_add(project, content) for content in hostile_records().values()]
    linked = add_job(project, title=SCRIPT, settings={"output": "/etc"}, folder="jobs/links")
    for name in WATCHED:
        (project.folder / "jobs/links" / name).symlink_to("/etc/passwd")
    outside = add_job(project, title="outside", folder="jobs/outside")
    (project.folder / "jobs/outside").rmdir()
    (project.folder / "jobs/outside").symlink_to("/etc", target_is_directory=True)
    piped = add_job(project, state="running", title="pipes")
    _add_pipes(project.folder / f"jobs/{piped:04d}", WATCHED)
    control = project.control(piped)
    control.mkdir(parents=True)
    _add_pipes(control, ("out.txt", "err.txt", "attempt-0.json", "attempt-1.json"))
    _add_odd(project.folder)
    return [*numbers, linked, outside, piped]


def release_pipes(folder: Path) -> None:
    """Let whoever waits for a pipe below a folder go on."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if path.is_fifo():
                os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))


def _add(project: Project, record: bytes) -> int:
    number = add_job(project, state="failed", title=f"{SCRIPT}\x1b[31m", metrics=_LINES)
    folder = project.folder / f"jobs/{number:04d}"
    (folder / "run.json").write_bytes(record)
    (folder / "log.txt").write_bytes(LOG)
    (folder / "report.html").write_text(SCRIPT)
    _add_odd(folder)
    return number


def _add_odd(folder: Path) -> None:
    for name in ODD_NAMES:
        (folder / os.fsdecode(name)).write_bytes(b"\x89PNG not really")
    for ending in ENDINGS:
        (folder / f"dangling{ending}").symlink_to("nowhere")
        (folder / f"loop{ending}").symlink_to(f"loop{ending}")
        (folder / f"outside{ending}").symlink_to("/etc/passwd")
        (folder / f"folder{ending}").mkdir()
    _add_pipes(folder, [f"pipe{ending}" for ending in ENDINGS])
    for kind in ("dangling", "outside"):
        (folder / kind).mkdir()
    (folder / "dangling" / "hetero.json").symlink_to("nowhere")
    (folder / "outside" / "hetero.json").symlink_to("/etc/passwd")
    (folder / os.fsdecode(b"\xff_run")).mkdir()
    (folder / os.fsdecode(b"\xff_run") / "hetero.json").write_text("{}")
    (folder / os.fsdecode(b"\xff_run") / "metrics.jsonl").write_text('{"step": 1, "x": 1}\n')


def _add_pipes(folder: Path, names: Any) -> None:
    for name in names:
        os.mkfifo(folder / name)
