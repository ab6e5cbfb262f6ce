"""Where results come from: which job reads what another wrote, told from settings and records."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from icelens.core.errors import IcelensError
from icelens.jobs.job import Job
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.settings_paths import with_paths
from icelens.jobs.registry import find_job

NEVER_READ = ("output",)
"""Settings that name what is written."""
MOST_FILES = 3
"""Of one folder that a job starts from; more are shown as the folder."""


@dataclass(frozen=True)
class Node:
    """A job (`job` given) or a file or folder that no job of the project wrote."""

    key: str
    label: str
    job: Entry | None = None


@dataclass(frozen=True)
class Link:
    """`target` reads what `source` wrote; both are keys of nodes.

    Attributes:
        paths: What passes between them; empty where one only waits for the other.
    """

    source: str
    target: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lineage:
    """Jobs, the files they start from, and what passes between them."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    def around(self, key: str) -> "Lineage":
        """The part that a job comes from and leads to; all of it if there is no such node."""
        if all(node.key != key for node in self.nodes):
            return self
        kept = (
            {key} | self._reached(key, "source", "target") | self._reached(key, "target", "source")
        )
        return self.only(kept)

    def only(self, keys: set[str]) -> "Lineage":
        """The part with these nodes."""
        return Lineage(
            tuple(node for node in self.nodes if node.key in keys),
            tuple(link for link in self.links if link.source in keys and link.target in keys),
        )

    def _reached(self, key: str, from_end: str, to_end: str) -> set[str]:
        neighbours: dict[str, list[str]] = {}
        for link in self.links:
            neighbours.setdefault(getattr(link, from_end), []).append(getattr(link, to_end))
        reached: set[str] = set()
        waiting = [key]
        while waiting:
            for neighbour in neighbours.get(waiting.pop(), ()):
                if neighbour not in reached and neighbour != key:
                    reached.add(neighbour)
                    waiting.append(neighbour)
        return reached


@dataclass
class _Writers:
    """Which jobs wrote a path or a folder, in the order of their numbers."""

    folders: dict[str, list[Entry]] = field(default_factory=dict)
    files: dict[str, list[Entry]] = field(default_factory=dict)

    def of(self, path: str, reader: Entry) -> Entry | None:
        """Who wrote what a job reads: the last one before it, of the path or what it lies in."""
        for place in (path, *map(str, Path(path).parents)):
            candidates = self.files.get(place, []) if place == path else []
            candidates = [*candidates, *self.folders.get(place, [])]
            before = [each for each in candidates if each.number < reader.number]
            if before:
                return max(before, key=lambda each: each.number)
            later = [each for each in candidates if each.number > reader.number]
            # a draft may read what a job that was made after it will write
            if later and reader.started is None:
                return min(later, key=lambda each: each.number)
            if any(each.number == reader.number for each in candidates):
                return None  # its own folder lies in no other job
        return None


def lineage_of(
    root: Path, entries: Iterable[Entry], records: Mapping[int, Mapping[str, Any]]
) -> Lineage:
    """Link jobs by what they read and write.

    A file that several jobs change in place, such as a list of tomograms, comes from the last that
    saved it before.

    Args:
        root: Folder of the project; relative paths are meant from there.
        entries: Jobs of the project.
        records: What their `run.json` says, by number, of those that have one.
    """
    jobs = sorted(entries, key=lambda entry: entry.number)
    writers = _writers(root, jobs, records)
    nodes = {
        f"job:{job.number}": Node(f"job:{job.number}", job.title or job.job, job) for job in jobs
    }
    links: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        key = f"job:{job.number}"
        outside = []
        for path in dict.fromkeys(_read_paths(root, job, records.get(job.number, {}))):
            writer = writers.of(path, job)
            if writer is not None:
                links.setdefault((f"job:{writer.number}", key), []).append(_shown(root, path))
            elif job not in writers.files.get(path, ()) and _is_outside(path, root, job, writers):
                outside.append(path)
        for node, paths in _sources(root, outside):
            nodes.setdefault(node.key, node)
            links.setdefault((node.key, key), []).extend(paths)
        for number in job.after:
            if f"job:{number}" in nodes and number != job.number:
                links.setdefault((f"job:{number}", key), [])
    return Lineage(
        tuple(nodes.values()),
        tuple(Link(source, target, tuple(paths)) for (source, target), paths in links.items()),
    )


def _sources(root: Path, paths: Iterable[str]) -> Iterator[tuple[Node, list[str]]]:
    """Nodes of files that no job wrote; many of one folder become one node."""
    by_folder: dict[str, list[str]] = {}
    for path in paths:
        by_folder.setdefault(str(Path(path).parent), []).append(_shown(root, path))
    for folder, names in by_folder.items():
        if len(names) > MOST_FILES:
            shown = _shown(root, folder)
            yield Node(f"file:{shown}/*", f"{len(names)} files in {Path(folder).name}"), names
        else:
            for name in names:
                yield Node(f"file:{name}", Path(name).name or name), [name]


def _writers(
    root: Path, jobs: Iterable[Entry], records: Mapping[int, Mapping[str, Any]]
) -> _Writers:
    writers = _Writers()
    for job in jobs:
        folders = {_absolute(root, job.folder)} if job.folder else set()
        output = job.settings.get("output")
        if isinstance(output, str) and output:
            folders.add(_absolute(root, output))
        record = records.get(job.number, {})
        base = Path(_absolute(root, job.folder))
        # what a setting names lies where the job stood, all else in its folder
        named = {_absolute(root, text) for text in _named_paths(job)} if record else set()
        files = set()
        for path in _saved(record):
            stood = _absolute(root, path)
            files.add(stood if stood in named else _absolute(base, path))
        for place in folders - {str(root)}:
            writers.folders.setdefault(place, []).append(job)
        for place in files:
            writers.files.setdefault(place, []).append(job)
    return writers


def _read_paths(root: Path, job: Entry, record: Mapping[str, Any]) -> Iterator[str]:
    """Absolute paths a job reads: those recorded, and texts of its settings that name some."""
    inputs = record.get("inputs")
    for file in inputs if isinstance(inputs, list) else []:
        if isinstance(file, Mapping) and isinstance(file.get("path"), str):
            yield _absolute(root, file["path"])
    own = _absolute(root, job.folder)
    for text in _named_paths(job):
        path = _absolute(root, text)
        if path != own:
            yield path


def _named_paths(entry: Entry) -> list[str]:
    """Paths among the settings but `output`; none if the job is of a package that is gone."""
    job = _declared(entry.job)
    if job is None:
        return []
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    with_paths(job, {k: v for k, v in entry.settings.items() if k not in NEVER_READ}, note)
    return [text for text in found if "\0" not in text]


@cache
def _declared(name: str) -> Job[Any, Any] | None:
    try:
        return find_job(name)
    except IcelensError:
        return None


def _is_outside(path: str, root: Path, job: Entry, writers: _Writers) -> bool:
    """Whether a path is something the project starts from: not the job's own, and named plainly."""
    own = _absolute(root, job.folder)
    mine = path == own or path.startswith(f"{own}{os.sep}")
    return not mine and path != str(root) and path not in writers.folders


def _saved(record: Mapping[str, Any]) -> Iterator[str]:
    outputs = record.get("outputs")
    for output in outputs if isinstance(outputs, list) else []:
        if isinstance(output, Mapping) and isinstance(output.get("path"), str):
            yield output["path"]


def _absolute(root: Path, text: str) -> str:
    return os.path.normpath(os.path.join(root, text))  # noqa: PTH118 - 100,000 paths, fast


def _shown(root: Path, path: str) -> str:
    prefix = f"{root}{os.sep}"
    return path.removeprefix(prefix)
