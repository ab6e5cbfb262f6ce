"""Jobs of the queue on a cluster: hand them in, ask after them, tell how they ended."""

from icelens.jobs.project.entry import Entry
from icelens.jobs.project.outcome import Outcome
from icelens.jobs.project.project import Project


class ClusterRuns:
    """The cluster lanes of one project."""

    def __init__(self, project: Project) -> None:
        """Lanes are read when they are asked for."""
        self._project = project

    def has(self, lane: str) -> bool:
        """Whether a lane of this name is a cluster's."""
        del lane
        return False

    def submit(self, entry: Entry) -> None:
        """Hand a job in."""
        raise AssertionError(entry)

    def outcome(self, entry: Entry) -> Outcome | None:
        """How a job stands; None if there is nothing new."""
        raise AssertionError(entry)
