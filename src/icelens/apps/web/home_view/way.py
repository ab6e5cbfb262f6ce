"""The way from data to a result for each capability, and where a project stands on it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from icelens.apps.web.job_view.feeds import FOLDER, form_url
from icelens.apps.web.job_view.openers import view_url
from icelens.apps.web.job_view.outputs import picks_project
from icelens.jobs.project.entry import ENDED, Entry, State
from icelens.jobs.project.queue import Queue

Standing = Literal["done", "running", "queued", "failed", "next", "later"]
_OPEN: tuple[State, ...] = ("running", "queued", "waiting", "failed", "stopped")
_CONSIDERED = 500
"""Latest jobs that are neither done nor drafts; a project that has more is busy enough."""


@dataclass(frozen=True)
class _Step:
    """A step of a way.

    Attributes:
        title: What it is for.
        job: That does it.
        others: Jobs that do as well.
        takes: Settings filled in from earlier jobs: setting, job, and its setting or `FOLDER`.
    """

    title: str
    job: str
    others: tuple[str, ...] = ()
    takes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class _Way:
    task: str
    title: str
    purpose: str
    steps: tuple[_Step, ...]


@dataclass(frozen=True)
class Stage:
    """One step of a way, as the project stands on it.

    Attributes:
        number: Of the job that stands there; 0 if none does.
        url: Of the form to begin it.
    """

    title: str
    job: str
    standing: Standing
    number: int
    url: str


@dataclass(frozen=True)
class Way:
    """A capability with its steps.

    Attributes:
        look: Where its result can be looked at; empty before there is one.
    """

    task: str
    title: str
    purpose: str
    stages: tuple[Stage, ...]
    look: str

    @property
    def next(self) -> Stage | None:
        """The step to begin now, if any is left."""
        return next((stage for stage in self.stages if stage.standing == "next"), None)

    @property
    def is_begun(self) -> bool:
        """Whether anything of it was done or asked for."""
        return any(stage.number for stage in self.stages)


_SIMULATED = "simulate.tomograms"
_PROJECT = ("project", "pick.train", "project")
_STAR = ("star", "restore.prepare", "star")
_WAYS = (
    _Way(
        "restore", "Restore", "Fill the missing wedge and remove noise in tomograms",
        (
            _Step("List the tomograms", "restore.prepare",
                  takes=(("odd", _SIMULATED, "./odd"), ("even", _SIMULATED, "./even"))),
            _Step("Mask what holds protein", "restore.mask", takes=(_STAR,)),
            _Step("Train a network", "restore.refine", ("restore.denoise",), (_STAR,)),
            _Step("Restore the tomograms", "restore.predict",
                  takes=(_STAR, ("checkpoint", "restore.refine", FOLDER))),
        ),
    ),
    _Way(
        "pick", "Pick", "Find particles in tomograms",
        (
            _Step("Train a picker", "pick.train",
                  ("pick.search", "pick.cross-validate", "pick.import-octopi"),
                  (("project", _SIMULATED, FOLDER),)),
            _Step("Segment the tomograms", "pick.segment",
                  takes=(_PROJECT, ("model", "pick.train", FOLDER))),
            _Step("Make picks", "pick.localize",
                  takes=(_PROJECT, ("model", "pick.train", FOLDER))),
            _Step("Extract subtomograms", "pick.extract", takes=(_PROJECT,)),
        ),
    ),
    _Way(
        "pose", "Pose", "See orientations of particle images",
        (
            _Step("Train on a consensus", "pose.train",
                  takes=(("particles", "simulate.particles", "./particles.star"),)),
            _Step("Find poses", "pose.infer", ("pose.watch",), (("model", "pose.train", FOLDER),)),
            _Step("Reconstruct a map", "tools.reconstruct",
                  takes=(("particles", "pose.infer", "./particles.star"),)),
        ),
    ),
    _Way(
        "hetero", "Hetero", "See the states of a molecule",
        (
            _Step("Learn the structures", "hetero.train", ("hetero.abinitio", "hetero.linear"),
                  (("particles", "simulate.states", "./particles.star"),)),
            _Step("Analyse the latents", "hetero.analyze",
                  takes=(("run", "hetero.train", FOLDER),)),
            _Step("Select particles", "hetero.select", takes=(("run", "hetero.train", FOLDER),)),
        ),
    ),
)  # fmt: skip
_LOOKS: Mapping[str, tuple[str, str, str]] = {
    "pick": ("pick.localize", "picks", "project"),
    "hetero": ("hetero.train", "latents", "run"),
}


def ways(queue: Queue) -> tuple[Way, ...]:
    """The four ways with the standing of a project on each."""
    done = queue.latest_of_each_job("done")
    others: dict[str, Entry] = {}
    for entry in queue.entries(states=_OPEN, limit=_CONSIDERED):
        others.setdefault(entry.job, entry)
    return tuple(_way(way, done, others) for way in _WAYS)


def _way(way: _Way, done: Mapping[str, Entry], others: Mapping[str, Entry]) -> Way:
    stages: list[Stage] = []
    for step in way.steps:
        found, standing = _standing(step, done, others)
        url = form_url(step.job, _values(step, done))
        stages.append(Stage(step.title, step.job, standing, found.number if found else 0, url))
    # steps may be left out: the next is the one behind the last that was done
    reached = max((i for i, stage in enumerate(stages) if stage.number), default=-1)
    is_free = reached < 0 or stages[reached].standing == "done"
    if is_free and reached + 1 < len(stages):
        stages[reached + 1] = replace(stages[reached + 1], standing="next")
    look = ""
    if way.task in _LOOKS and _LOOKS[way.task][0] in done:
        job, place, parameter = _LOOKS[way.task]
        entry = done[job]
        look = view_url(place, parameter, picks_project(entry) or entry.folder)
    return Way(way.task, way.title, way.purpose, tuple(stages), look)


def _standing(
    step: _Step, done: Mapping[str, Entry], others: Mapping[str, Entry]
) -> tuple[Entry | None, Standing]:
    jobs = (step.job, *step.others)
    finished = [done[job] for job in jobs if job in done]
    open_ones = [others[job] for job in jobs if job in others]
    latest = max((*finished, *open_ones), key=lambda entry: entry.number, default=None)
    if latest is None:
        return None, "later"
    if latest.state == "running":
        return latest, "running"
    if latest.state not in ENDED:
        return latest, "queued"
    # a later attempt that failed does not undo what is there
    return (finished[0], "done") if finished else (latest, "failed")


def _values(step: _Step, done: Mapping[str, Entry]) -> dict[str, str]:
    found = {}
    for setting, job, source in step.takes:
        if job not in done:
            continue
        entry = done[job]
        if source == FOLDER:
            found[setting] = entry.folder
        elif source.startswith("./"):
            found[setting] = f"{entry.folder}/{source[2:]}"
        else:
            found[setting] = str(entry.settings.get(source, ""))
    return {setting: value for setting, value in found.items() if value}
