"""Lanes as small gauges: how many places each has, how many are taken, how many jobs wait."""

from dataclasses import dataclass

from icelens.apps.web.workbench import Workbench
from icelens.core.errors import IcelensError
from icelens.jobs.project.lanes import default_lane, local_lanes


@dataclass(frozen=True)
class Gauge:
    """One lane.

    Attributes:
        slots: Places; 0 where the lane has no fixed number, as a cluster.
    """

    name: str
    title: str
    slots: int
    running: int
    queued: int

    @property
    def sentence(self) -> str:
        """In words, for those who cannot see the gauge."""
        places = f" of {self.slots}" if self.slots else ""
        return f"{self.title}: {self.running}{places} running, {self.queued} queued"


def lane_gauges(bench: Workbench) -> tuple[list[Gauge], str]:
    """A gauge for each lane of this machine and each other that has jobs; and what is wrong."""
    trouble = ""
    try:
        lanes = local_lanes(bench.project)
    except IcelensError as error:
        lanes, trouble = {}, str(error)
    usual = default_lane(lanes)
    running: dict[str, int] = {}
    queued: dict[str, int] = {}
    for name, counts in bench.queue.lane_counts().items():
        lane = name or usual
        running[lane] = running.get(lane, 0) + counts.get("running", 0)
        queued[lane] = queued.get(lane, 0) + counts.get("queued", 0)
    gauges = [
        Gauge(
            lane.name, lane.title, lane.slots, running.get(lane.name, 0), queued.get(lane.name, 0)
        )
        for lane in lanes.values()
    ]
    others = [name for name in {**running, **queued} if name not in lanes]
    gauges += [Gauge(name, name, 0, running.get(name, 0), queued.get(name, 0)) for name in others]
    return gauges, trouble
