"""Progress is readable on a terminal and in a file."""

import io

from icelens.core.events import Message, Metrics, Progress
from icelens.jobs.progress import Display


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_plain_lines_come_at_most_every_few_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    with Display(stream, clock=clock) as display:
        for step in range(101):
            clock.now = step * 0.2
            display(Progress("train", step, 100))
    lines = stream.getvalue().splitlines()
    # 20 s of work: the first line, one in each 5 s, and the last
    assert len(lines) == 5
    assert lines[1] == "train: 25/100 steps, 5 step/s, 15 s left"
    assert lines[-1] == "train: 100/100 steps, 5 step/s"


def test_slow_steps_are_told_as_seconds_per_step() -> None:
    stream, clock = io.StringIO(), Clock()
    with Display(stream, clock=clock) as display:
        display(Progress("predict", 0, 10, "tile"))
        clock.now = 8.0
        display(Metrics(1, {"rate": 1.0, "loss": 0.25}))
        display(Progress("predict", 2, 10, "tile"))
    assert stream.getvalue().splitlines()[-1] == (
        "predict: 2/10 tiles, 4 s/tile, 32 s left, loss 0.25"
    )


def test_what_follows_a_training_does_not_show_its_loss() -> None:
    stream = io.StringIO()
    with Display(stream) as display:
        display(Metrics(1, {"loss": 0.25}))
        display(Progress("train", 1, 1))
        display(Progress("read tomograms", 1, 1, "run"))
    assert stream.getvalue().splitlines() == [
        "train: 1/1 steps, loss 0.25",
        "read tomograms: 1/1 runs",
    ]


def test_brackets_in_messages_are_shown_as_they_are() -> None:
    stream = io.StringIO()
    with Display(stream) as display:
        display(Message("[red] row 1 has no mask", "warning"))
    assert stream.getvalue() == "warning: [red] row 1 has no mask\n"


def test_remaining_time_counts_only_what_was_done_since_the_start() -> None:
    stream, clock = io.StringIO(), Clock()
    with Display(stream, clock=clock) as display:
        display(Progress("train", 500, 1000))
        clock.now = 10.0
        display(Progress("train", 510, 1000))
    # A resumed run: 10 steps in 10 s, not 510.
    assert stream.getvalue().splitlines() == [
        "train: 500/1000 steps",
        "train: 510/1000 steps, 1 step/s, 8 min 10 s left",
    ]
