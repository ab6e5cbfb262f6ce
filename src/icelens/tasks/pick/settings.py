"""Settings that the jobs of pick share. Imports no torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from icelens.core.data.pickable import Source
from icelens.core.errors import MetadataError
from icelens.jobs.config import Angstrom, Config

SourceText = tuple[str, str]
"""`USER,SESSION` as it is typed."""
NamedSourceText = tuple[str, str, str]
"""`NAME,USER,SESSION` as it is typed."""
EXCLUSION_SCALE = 0.75
"""Two particles of one kind are at least this share of their radius apart."""
CENTROID_SCALE = 0.75
"""The place of a peak is the centre of mass of the probability within this share of the radius."""
DEFAULT_THRESHOLD = 0.25
"""Probability from which on a pick counts where no held-out run has told a better one.

Centres are weighted up in training, so that probabilities are high; on simulated tomograms 0.2 to
0.4 scored within 0.02 of the best thresholds (F4)."""


class ProjectConfig(Config):
    """Which project, and which tomograms of it."""

    project: Path
    """Configuration of a copick project (JSON), or a plain folder of tomograms with a table of
    coordinates (STAR or CSV)."""

    voxel_size: Annotated[Angstrom, Field(gt=0)] | None = None
    """Sampling of the tomograms to use; without it, the only one there is."""

    tomogram_type: str | None = None
    """Which reconstruction to use, such as wbp or denoised; without it, the only one there is."""


class RunsConfig(ProjectConfig):
    """A project and a choice of its runs."""

    runs: tuple[str, ...] = ()
    """Names of the runs to work on; without them, all."""


def source_of(text: SourceText) -> Source:
    """The source that `USER,SESSION` names."""
    return Source(*text)


def named_sources(words: Sequence[str], *, flag: str) -> list[tuple[str, Source]]:
    """Object names with their sources, from the flat list that a repeated flag gives.

    Args:
        words: `name, user, session, name, user, session ...`.
        flag: Of the command line, for the message.

    Raises:
        MetadataError: If the words do not come in threes.
    """
    if len(words) % 3:
        raise MetadataError(
            f"{flag} is {','.join(words)}; expected NAME,USER,SESSION, repeated for each object"
        )
    return [
        (words[start], Source(words[start + 1], words[start + 2]))
        for start in range(0, len(words), 3)
    ]
