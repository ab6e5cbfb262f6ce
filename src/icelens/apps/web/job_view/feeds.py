"""Which jobs can go on from a result: one table of what feeds which setting."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from icelens.jobs.project.entry import Entry
from icelens.jobs.registry import tasks
from icelens.jobs.settings import settings_of

FOLDER = "."
"""The source is the job's folder."""


@dataclass(frozen=True)
class _Rule:
    """What jobs leave, and the setting by which others take it.

    Attributes:
        jobs: That leave it.
        source: `FOLDER`, a part of it such as `./even`, or one of their settings.
        setting: That takes it.
        takers: Tasks or jobs that have such a setting and can make use of it.
    """

    jobs: tuple[str, ...]
    source: str
    setting: str
    takers: tuple[str, ...]


_RULES = (
    _Rule(("simulate.tomograms",), "./even", "even", ("restore.prepare",)),
    _Rule(("simulate.tomograms",), "./odd", "odd", ("restore.prepare",)),
    _Rule(("simulate.tomograms",), FOLDER, "project", ("pick",)),
    _Rule(("restore",), "star", "star", ("restore",)),
    _Rule(("restore.refine", "restore.denoise"), FOLDER, "checkpoint", ("restore",)),
    _Rule(("pick",), "project", "project", ("pick",)),
    _Rule(
        ("pick.train", "pick.cross-validate", "pick.search"), FOLDER, "model",
        ("pick.segment", "pick.localize"),
    ),
    _Rule(("pose.train",), FOLDER, "model", ("pose.infer", "pose.watch")),
    _Rule(("hetero.train", "hetero.linear", "hetero.abinitio"), FOLDER, "run", ("hetero",)),
)  # fmt: skip
_LISTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("particle list", "particles", ("pose.train", "pose.infer", "hetero", "tools")),
    ("tomogram list", "star", ("restore",)),
    ("tomogram list", "tomograms_star", ("pick.extract",)),
)
"""What kinds of files feed which setting of which tasks or jobs."""
_MAPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("map", ("tools.sharpen", "tools.mask", "pose.refine")),
    ("map_1", ("tools.fsc",)),
    ("half_1", ("tools.postprocess",)),
    ("maps", ("tools.edit-map", "tools.flip-hand", "tools.movie")),
)
_NOT_AGAIN = ("restore.prepare",)
"""Jobs whose setting of that name is what they write."""


@dataclass(frozen=True)
class Next:
    """A job that can go on from a result, with the form's address."""

    job: str
    summary: str
    url: str

    @property
    def words(self) -> str:
        """`restore predict`."""
        return self.job.replace(".", " ")


def next_jobs(entry: Entry) -> dict[str, list[Next]]:
    """Jobs that can go on from a job as a whole, by task."""
    found: dict[str, dict[str, str]] = {}
    for rule in _RULES:
        value = _value(entry, rule.source) if _is_one(entry.job, rule.jobs) else ""
        for job in _takers(rule.setting, rule.takers) if value else ():
            if job != entry.job:
                found.setdefault(job, {})[rule.setting] = value
    own = {"checkpoint", "model", "run", "project", "even"}
    telling = {name: values for name, values in found.items() if own & set(values)} or found
    return _by_task((job, values) for job, values in telling.items())


def next_for_file(path: str, kind: str, task: str) -> dict[str, list[Next]]:
    """Jobs that take a file of this kind, by task."""
    pairs: list[tuple[str, dict[str, str]]] = []
    for its_kind, setting, takers in _LISTS:
        if kind == its_kind:
            pairs += [(job, {setting: path}) for job in _takers(setting, takers)]
    if kind == "volume" and task in ("pose", "hetero", "tools") and path.endswith((".mrc", ".map")):
        for setting, takers in _MAPS:
            pairs += [(job, {setting: path}) for job in _takers(setting, takers)]
    return _by_task(pairs)


def form_url(job: str, values: Mapping[str, str]) -> str:
    """The address of a form that is filled in so far; the most telling value is the last."""
    pairs: list[tuple[str, str]] = [("job", job)]
    for setting, value in values.items():
        pairs += [("input", value), ("setting", setting)]
    return f"/jobs/new?{urlencode(pairs)}"


def _by_task(pairs: Iterable[tuple[str, Mapping[str, str]]]) -> dict[str, list[Next]]:
    summaries = _summaries()
    grouped: dict[str, list[Next]] = {}
    for job, values in pairs:
        made = Next(job, summaries.get(job, ""), form_url(job, values))
        grouped.setdefault(job.partition(".")[0], []).append(made)
    return grouped


def _value(entry: Entry, source: str) -> str:
    if source == FOLDER:
        return entry.folder
    if source.startswith("./"):
        return f"{entry.folder}/{source[2:]}"
    value = entry.settings.get(source)
    return value if isinstance(value, str) else ""


def _is_one(job: str, names: Iterable[str]) -> bool:
    return any(name in (job, job.partition(".")[0]) for name in names)


def _takers(setting: str, names: tuple[str, ...]) -> list[str]:
    return [
        job
        for job, settings in _path_settings().items()
        if setting in settings and _is_one(job, names) and not (
            job in _NOT_AGAIN and setting == "star"
        )
    ]  # fmt: skip


@cache
def _path_settings() -> dict[str, frozenset[str]]:
    """Settings of each job that hold paths."""
    return {
        job.name: frozenset(
            setting.key
            for setting in settings_of(job.config_type)
            if any(_is_path(kind) for kind in setting.alternatives)
        )
        for jobs in tasks().values()
        for job in jobs
    }


@cache
def _summaries() -> dict[str, str]:
    return {job.name: job.summary for jobs in tasks().values() for job in jobs}


def _is_path(kind: Any) -> bool:  # noqa: ANN401 - annotations are of any type
    return kind is Path or any(_is_path(each) for each in getattr(kind, "__args__", ()))
