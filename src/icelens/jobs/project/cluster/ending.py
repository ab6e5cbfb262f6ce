"""Why a job of the cluster is gone without an exit code, in plain words and with a remedy."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

ReasonKind = Literal["time", "memory", "node", "preempted", "dependency", "launch", "cancelled"]


@dataclass(frozen=True)
class Ending:
    """How a job ended that could not say so itself.

    Attributes:
        state: `stopped` where what was done is as good as before, `failed` otherwise.
        cause: What happened, with the scheduler's own word.
        remedy: What to do.
    """

    state: Literal["stopped", "failed"]
    cause: str
    remedy: str


_RESUME = "Resume it: it goes on from its last checkpoint"
_ENDINGS: dict[ReasonKind, Ending] = {
    "time": Ending(
        "stopped",
        "the cluster ended it at its time limit",
        f"{_RESUME}; give it more time if it needs many such rounds.",
    ),
    "memory": Ending(
        "failed",
        "the cluster ended it because it took more memory than it had asked for",
        "Ask for more memory, or use a smaller batch or box; then resume.",
    ),
    "node": Ending(
        "failed",
        "the machine it ran on failed, not the job",
        f"{_RESUME} on another machine.",
    ),
    "preempted": Ending(
        "stopped",
        "the cluster took its place for a more urgent job",
        f"{_RESUME}.",
    ),
    "dependency": Ending(
        "failed",
        "the cluster dropped it because a job before it failed",
        "Mend and resume the job before it, then resume this one.",
    ),
    "launch": Ending(
        "failed",
        "the cluster could not start it on the machine it chose",
        "See that the project's folder is there on the cluster's machines under the same path; "
        "then resume.",
    ),
    "cancelled": Ending(
        "stopped",
        "it was cancelled at the cluster, not from here",
        f"{_RESUME}.",
    ),
}
_SILENT = Ending(
    "failed",
    "it is gone from the cluster and left no exit code, nor did the cluster say why",
    "Read the end of the scheduler's log; most often memory or time ran out. Then resume.",
)


def ending_from(
    texts: Sequence[str], reasons: Mapping[ReasonKind, Sequence[str]], word: str = ""
) -> Ending:
    """Tell how a job ended from what the scheduler said.

    Args:
        texts: What the scheduler printed, the most reliable first; the first that says anything
            decides.
        reasons: Regular expressions by what they mean, as in `lane.yaml`; of several that match
            a text the first kind in the order of `ReasonKind` counts.
        word: The scheduler's word for its state, told where there is nothing better.
    """
    for text in texts:
        for kind, ending in _ENDINGS.items():
            for pattern in reasons.get(kind, ()):
                found = re.search(pattern, text, re.MULTILINE)
                if found:
                    said = " ".join(found.group().split())[:80]
                    return Ending(ending.state, f"{ending.cause} ({said})", ending.remedy)
    said = f" ({word})" if word else ""
    return Ending(_SILENT.state, f"{_SILENT.cause}{said}", _SILENT.remedy)
