"""A time limit ends work at its next report, and not before."""

import pytest

from icelens.core.errors import StoppedEarly
from icelens.core.events import Message
from icelens.jobs.stopwatch import Deadline


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_work_ends_at_the_first_report_after_the_limit() -> None:
    clock, heard = Clock(), []
    listen = Deadline(2.0, clock).watch(heard.append)
    clock.now += 120.0
    listen(Message("in time"))
    clock.now += 0.1
    with pytest.raises(StoppedEarly, match="time limit"):
        listen(Message("late"))
    assert [event.text for event in heard] == ["in time", "late"]  # the last word is passed on


def test_without_a_limit_work_never_ends() -> None:
    clock, heard = Clock(), []
    listen = Deadline(None, clock).watch(heard.append)
    clock.now += 1e12
    listen(Message("still here"))
    assert len(heard) == 1
