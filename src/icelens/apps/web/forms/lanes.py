"""Lanes that a form offers, with the variables that a cluster's script takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from icelens.apps.web.forms.values import Problem
from icelens.core.errors import IcelensError
from icelens.jobs.project.cluster.folders import find_lanes, lane_problems
from icelens.jobs.project.lanes import default_lane, local_lanes
from icelens.jobs.project.project import Project

Scalar = bool | int | float | str


@dataclass(frozen=True)
class LaneVariable:
    """A variable of a cluster's script; the default tells its kind."""

    name: str
    default: Scalar
    help: str


@dataclass(frozen=True)
class LaneAnswer:
    """Where a job may run.

    Attributes:
        most_tasks: Parts it takes as an array; 0 if it has none.
        is_default: Whether jobs go there that name no lane.
    """

    name: str
    title: str
    kind: Literal["cpu", "gpu", "cluster"]
    slots: int
    variables: tuple[LaneVariable, ...]
    most_tasks: int
    is_default: bool


def lanes_of(project: Project) -> tuple[list[LaneAnswer], list[str]]:
    """All lanes, those of this machine first, and what is wrong with lanes that cannot be used."""
    local = local_lanes(project)
    usual = default_lane(local)
    found = [
        LaneAnswer(
            lane.name,
            lane.title,
            "gpu" if lane.name.startswith("gpu-") else "cpu",
            lane.slots,
            (),
            0,
            is_default=lane.name == usual,
        )
        for lane in local.values()
    ]
    for lane in find_lanes(project.folder).values():
        variables = tuple(LaneVariable(v.name, v.default, v.help) for v in lane.variables)
        tasks = lane.max_tasks if lane.has_arrays else 0
        found.append(
            LaneAnswer(lane.name, lane.title, "cluster", 0, variables, tasks, is_default=False)
        )
    return found, lane_problems(project.folder)


def check_lane(
    project: Project, name: str, variables: Mapping[str, Scalar], parts: int
) -> list[Problem]:
    """What is wrong with a choice of lane; an empty name is the default."""
    if not name:
        return []
    clusters = find_lanes(project.folder)
    if name not in clusters:
        known = [*local_lanes(project), *clusters]
        return [] if name in known else [Problem("lane", _unknown(name, known))]
    lane = clusters[name]
    if parts > 1 and not lane.has_arrays:
        return [Problem("parts", f"{lane.title} takes no arrays; leave it at 1")]
    if parts > lane.max_tasks:
        return [Problem("parts", f"{lane.title} takes {lane.max_tasks} parts at most")]
    try:
        lane.check_variables(dict(variables))
    except IcelensError as error:
        return [Problem("variables", str(error).removeprefix(f"{lane.folder}: "))]
    return []


def lanes_for_parts(project: Project, name: str, count: int) -> list[str]:
    """A lane of this machine for each part: the one that was chosen, or its GPUs in turn."""
    lanes = local_lanes(project)
    if name:
        return [name] * count
    gpus = [lane for lane in lanes if lane.startswith("gpu-")] or [default_lane(lanes)]
    return [gpus[number % len(gpus)] for number in range(count)]


def is_cluster(project: Project, name: str) -> bool:
    """Whether a lane is a cluster's."""
    return bool(name) and name in find_lanes(project.folder)


def _unknown(name: str, known: Sequence[str]) -> str:
    return f"{name:.80}: no such lane; there are {', '.join(known)}"
