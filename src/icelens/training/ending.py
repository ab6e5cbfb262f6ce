"""Say how a training ended, in the words of its user."""

from icelens.core.errors import StoppedEarly
from icelens.core.events import Message, OnEvent
from icelens.training.contract import FitResult


def say_how_it_ended(result: FitResult, on_event: OnEvent) -> None:
    """Tell the steps that were taken and the checkpoint to use.

    Raises:
        StoppedEarly: If the time limit came first.
    """
    if result.stopped == "time_limit":
        raise StoppedEarly(
            f"the time limit was reached at step {result.last_step}; {result.checkpoint} can be "
            "used, `--resume` continues"
        )
    reason = " (no better score for a while)" if result.stopped == "early_stop" else ""
    on_event(Message(f"Trained {result.last_step} steps{reason}: {result.checkpoint}"))
