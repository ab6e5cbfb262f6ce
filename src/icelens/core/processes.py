"""Share work among processes: start them, pass their events on, end all if one fails."""

import multiprocessing
import queue
from collections.abc import Callable, Sequence
from multiprocessing.queues import Queue
from typing import Any

from icelens.core.errors import IcelensError
from icelens.core.events import Event, OnEvent

_LOOK_EVERY = 0.5  # seconds

Work = Callable[[Any, OnEvent], None]
_Told = tuple[int, Event | str | None]


def run_in_processes(
    work: Work, shares: Sequence[Any], on_event: OnEvent, *, advice: str = "use fewer workers"
) -> None:
    """Call `work(share, on_event)` in a new process for each share and wait for all.

    Args:
        work: A function of a module; what it makes it leaves in files.
        shares: What each gets; is sent to the process.
        on_event: Hears the events of all.
        advice: What to do if one of them is gone, as when memory ran out.

    Raises:
        IcelensError: If one of them failed, with what it said; the others are ended.
    """
    # not "fork": torch and matplotlib may have threads by now, which a copy would wait for forever
    context = multiprocessing.get_context("spawn")
    told: Queue[_Told] = context.Queue()
    processes = [
        context.Process(target=_work_and_tell, args=(work, share, number, told), daemon=True)
        for number, share in enumerate(shares)
    ]
    for process in processes:
        process.start()
    try:
        _listen(processes, told, on_event, advice)
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _work_and_tell(work: Work, share: object, number: int, told: "Queue[_Told]") -> None:
    """What a process does; anything that goes wrong is told as text."""
    try:
        work(share, lambda event: told.put((number, event)))
    except IcelensError as error:
        told.put((number, str(error)))
    except Exception as error:  # noqa: BLE001 - the parent must hear of it
        told.put((number, f"{type(error).__name__}: {error}"))
    told.put((number, None))


def _listen(processes: Sequence[Any], told: "Queue[_Told]", on_event: OnEvent, advice: str) -> None:
    ended: set[int] = set()
    while len(ended) < len(processes):
        try:
            number, event = told.get(timeout=_LOOK_EVERY)
        except queue.Empty:
            dead = [n for n, each in enumerate(processes) if n not in ended and not each.is_alive()]
            if dead:
                raise IcelensError(
                    f"worker {dead[0] + 1} ended without a word (exit code "
                    f"{processes[dead[0]].exitcode}, perhaps out of memory); {advice}"
                ) from None
            continue
        if event is None:
            ended.add(number)
        elif isinstance(event, str):
            raise IcelensError(event)
        else:
            on_event(event)
