"""Run the scheduler's commands: lists of words, with a time limit, errors in one line."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icelens.core.errors import IcelensError

_LONGEST_SAID = 300


class SchedulerError(IcelensError):
    """The scheduler could not be asked, or its answer is not understood."""


class SubmissionRefusedError(SchedulerError):
    """The scheduler did not take a job; nothing of it is queued."""


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Errors, or else what was printed, in one line."""
        text = " ".join((self.err.strip() or self.out.strip()).split())
        return text[:_LONGEST_SAID] or "nothing"


def filled(words: Sequence[str], values: Mapping[str, str | Sequence[str]]) -> list[str]:
    """Put values for `{name}` into the words of a command.

    A list takes the place of a word that is `{name}` alone, and is joined by commas within a word.
    Values are not looked into for further placeholders.
    """
    made: list[str] = []
    for word in words:
        whole = values.get(word[1:-1]) if word[:1] == "{" and word[-1:] == "}" else None
        if whole is not None:
            made += [whole] if isinstance(whole, str) else whole
        else:
            made.append(_filled_word(word, values))
    return made


def _filled_word(word: str, values: Mapping[str, str | Sequence[str]]) -> str:
    before, brace, after = word.partition("{")
    name, closing, rest = after.partition("}")
    if not brace:
        return word
    if not closing or name not in values:
        return before + brace + _filled_word(after, values)
    value = values[name]
    return (
        before + (value if isinstance(value, str) else ",".join(value)) + _filled_word(rest, values)
    )


def ask(
    lane: str,
    words: Sequence[str],
    *,
    timeout: float,
    cwd: Path | None = None,
    script: Path | None = None,
) -> Answer:
    """Run a command of the scheduler.

    Args:
        lane: Its file, for messages.
        words: The command; no shell reads it.
        timeout: Seconds.
        cwd: Folder it runs in; ours if None.
        script: Given on its standard input, if any.

    Raises:
        SchedulerError: If it is absent, cannot be run, or takes too long. Whether it has done what
            it was asked for is not known in the last case.
    """
    try:
        with (script or Path(os.devnull)).open("rb") as stdin:
            done = subprocess.run(
                list(words),
                cwd=cwd,
                stdin=stdin,
                capture_output=True,
                timeout=timeout,
                check=False,
                # messages are read: they must be in one language
                env={**os.environ, "LC_ALL": "C"},
            )
    except FileNotFoundError as error:
        missing = words[0] if error.filename in (None, words[0]) else error.filename
        raise SchedulerError(
            f"{lane}: {missing} was not found; give the full path of the command, or start "
            "icelens where the cluster's commands are"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SchedulerError(
            f"{lane}: {words[0]} did not answer within {timeout:g} s; try again later, or raise "
            "timeout in the lane"
        ) from error
    except (OSError, ValueError) as error:
        raise SchedulerError(
            f"{lane}: {words[0]} cannot be run ({error}); mend the lane"
        ) from error
    return Answer(
        done.returncode,
        done.stdout.decode("utf-8", errors="replace"),
        done.stderr.decode("utf-8", errors="replace"),
    )
