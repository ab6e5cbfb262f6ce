"""What to do about a failure, in plain words."""

import re

_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        r"out of memory|memory ran out|can't allocate|OUT_OF_MEMORY",
        "Use a smaller batch or box, fewer images at once, or more memory; then resume.",
    ),
    (
        r"disk is full|No space left|free some space",
        "Free some space, then resume; what is done is kept.",
    ),
    (
        r"without a word",
        "Resume it: what was saved is kept. If it happens again, look at the end of the log and at "
        "the machine's memory.",
    ),
    (
        r"time limit|TIMEOUT",
        "Resume it: it goes on where it stopped; or give it more time.",
    ),
    (r"NODE_FAIL", "The machine failed, not the job: resume it."),
    (
        r"holds a run of",
        "Clone the job, which gives it a folder of its own, or resume the earlier one.",
    ),
    (
        r"is running a job in this folder",
        "Wait until the other job ends, or clone this one.",
    ),
    (
        r"no such (STAR )?file|does not exist|not found|cannot be read|cannot be opened",
        "Check the path: the file may have moved, or an earlier job may not have written it.",
    ),
    (
        r"[Pp]ermission",
        "Ask the owner of the folder for the right to read or write there.",
    ),
    (
        r"bug|unexpected \w*Error|Traceback|^\w+Error: ",
        "This is a mistake in icelens, not yours. Report it with the log and the command.",
    ),
    (r"(^|\n)--", "Clone the job, change the setting it names, and start it."),
)


def remedy_for(cause: str) -> str:
    """A sentence or two; the general advice if nothing special is known."""
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, cause):
            return remedy
    return "Read the last lines of the log, clone the job, change what it names, and start it."
