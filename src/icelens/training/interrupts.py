"""Ctrl-C and SIGTERM as a wish: the loop finishes its step, saves, and only then gives way."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def listen_for_interrupts() -> Iterator[Interrupt]:
    """Turn the first SIGINT or SIGTERM inside the block into `Interrupt.requested`.

    A second one acts as it would have without us, for those who cannot wait. Only the main thread
    may listen to signals; in another one nothing is caught.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    previous = {
        number: signal.getsignal(number) or signal.SIG_DFL
        for number in (signal.SIGINT, signal.SIGTERM)
    }

    def remember(number: int, frame: FrameType | None) -> None:
        del frame
        interrupt.requested = True
        signal.signal(number, previous[signal.Signals(number)])

    try:
        for number in previous:
            signal.signal(number, remember)
        yield interrupt
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
