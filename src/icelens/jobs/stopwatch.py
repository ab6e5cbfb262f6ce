"""A time limit for work that reports progress: when it is over, the next report stops the work."""

import time
from collections.abc import Callable

from icelens.core.errors import StoppedEarly
from icelens.core.events import Event, OnEvent


class Deadline:
    """Ends work `minutes` after its construction; None never does."""

    def __init__(self, minutes: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.end = None if minutes is None else clock() + 60.0 * minutes

    def watch(self, on_event: OnEvent) -> OnEvent:
        """A listener that passes events on, and raises `StoppedEarly` once the time is over."""

        def listen(event: Event) -> None:
            on_event(event)
            if self.end is not None and self.clock() > self.end:
                raise StoppedEarly("the time limit was reached; finished files are kept")

        return listen
