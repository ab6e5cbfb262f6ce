"""Tomograms that many trainings share, read from disk once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from icelens.core.events import OnEvent
from icelens.tasks.pick.labelled import LabelledTomogram, Truth
from icelens.tasks.pick.learning_data import LearningData


@dataclass(frozen=True, eq=False)
class LoadedOnce:
    """Data that keeps what it loaded; each choice of runs is a choice of its own."""

    data: LearningData
    loaded: dict[tuple[str, ...], tuple[LabelledTomogram, ...]] = field(default_factory=dict)

    @property
    def truth(self) -> Truth:
        """What is learnt."""
        return self.data.truth

    def load(self, names: Sequence[str], on_event: OnEvent) -> tuple[LabelledTomogram, ...]:
        """The tomograms of these runs with their truth."""
        key = tuple(names)
        if key not in self.loaded:
            self.loaded[key] = self.data.load(key, on_event)
        return self.loaded[key]
