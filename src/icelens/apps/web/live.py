"""Tell open pages what has changed, through one websocket each."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from icelens.core.errors import IcelensError
from icelens.jobs.project.dispatcher import TICK_SECONDS, Dispatcher, only_one
from icelens.jobs.project.listing import Listing
from icelens.jobs.project.project import Project
from icelens.jobs.registry import all_jobs

MOST_LISTENERS = 200
MOST_NUMBERS = 200
"""If more jobs have changed at once, pages are told to look at all."""


class Live:
    """Who listens; told from any thread."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._listeners: set[asyncio.Queue[Mapping[str, Any]]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell listeners in this event loop."""
        self._loop = loop

    def join(self) -> "asyncio.Queue[Mapping[str, Any]]":
        """Begin to listen; messages are dropped where a listener is too slow for them."""
        queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(maxsize=100)
        self._listeners.add(queue)
        return queue

    @property
    def is_full(self) -> bool:
        """Whether no more may listen."""
        return len(self._listeners) >= MOST_LISTENERS

    def leave(self, queue: "asyncio.Queue[Mapping[str, Any]]") -> None:
        """Stop listening."""
        self._listeners.discard(queue)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Tell all who listen."""
        if self._loop is not None and self._listeners:
            self._loop.call_soon_threadsafe(self._deliver, message)

    def _deliver(self, message: Mapping[str, Any]) -> None:
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait(message)


class Watch(threading.Thread):
    """Moves the queue on and says what changed, once a second."""

    def __init__(self, project: Callable[[], Project], live: Live, *, dispatches: bool) -> None:
        """Begin with `start`, end with `stop`.

        Args:
            project: Gives the project of now; another may be opened.
            live: Who is told.
            dispatches: Whether jobs may be started from here.
        """
        super().__init__(name="watch", daemon=True)
        self._project = project
        self._live = live
        self._dispatches = dispatches
        self._ended = threading.Event()

    def stop(self) -> None:
        """End soon; jobs run on."""
        self._ended.set()

    def run(self) -> None:
        """Watch one project after the other."""
        all_jobs()  # imported before the first page asks for them
        while not self._ended.is_set():
            project = self._project()
            with only_one(project) as may_dispatch:
                self._watch(project, may_dispatch=may_dispatch)

    def _watch(self, project: Project, *, may_dispatch: bool) -> None:
        dispatcher = Dispatcher(project) if may_dispatch and self._dispatches else None
        listing, revision, trouble = Listing(project), -1, ""
        for count in range(10**9):
            # where another process dispatches, ask now and then whether it still does
            if self._project() != project or (not may_dispatch and count == 10):
                return
            try:
                if dispatcher is not None:
                    dispatcher.tick()
                revision = self._say(listing, revision)
                trouble = ""
            except (IcelensError, OSError) as error:
                if str(error) != trouble:
                    trouble = str(error)
                    self._live.tell({"trouble": trouble})
            if self._ended.wait(TICK_SECONDS):
                return

    def _say(self, listing: Listing, revision: int) -> int:
        if revision < 0:
            return listing.changed_since(2**62)[0]
        latest, numbers = listing.changed_since(revision)
        if latest != revision:
            few = len(numbers) <= MOST_NUMBERS
            self._live.tell({"revision": latest, "jobs": numbers if few else None})
        return latest
