"""What several routes take alike (numbers of jobs, paths), and how binary answers are declared."""

from typing import Annotated, Any

from fastapi import Path, Query

from icelens.core.errors import IcelensError

MOST_NUMBER = 2**53 - 1
"""What a browser holds exactly."""
_MOST_DIGITS = 15
JobNumber = Annotated[int, Path(ge=1, le=MOST_NUMBER, description="Number of the job.")]
AskedJob = Annotated[int, Query(ge=1, le=MOST_NUMBER, description="Number of the job.")]
OptionalJob = Annotated[
    int | None, Query(ge=1, le=MOST_NUMBER, description="Number of a job, if of one only.")
]
FilePath = Annotated[
    str,
    Query(min_length=1, max_length=4096, description="Of a file, from the project's or absolute."),
]
BINARY = "application/octet-stream"


class NumberError(IcelensError):
    """A text that names no jobs."""


def job_numbers(text: str) -> list[int]:
    """The numbers in a text such as `3,5` or `J3, J5`, each once.

    Raises:
        NumberError: If a word is no number of a job.
    """
    numbers = []
    for word in text.replace(",", " ").upper().split():
        digits = word.removeprefix("J")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS):
            raise NumberError(f"{word!r:.60}: is no number of a job; expected such as 3,5")
        numbers.append(int(digits))
    return list(dict.fromkeys(numbers))


def binary(description: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with bytes.

    Args:
        description: What they are.
    """
    return {200: {"content": {BINARY: {}}, "description": description}}
