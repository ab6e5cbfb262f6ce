"""The scores of picks as a table and in sentences."""

from collections.abc import Iterator, Sequence

import numpy as np

from icelens.core.metrics.detection import ClassScore, DetectionScore
from icelens.tasks.pick.evaluate_input import Evaluated

NONE = "–"
"""Stands in tables where there is nothing to score."""
CERTAIN = 4.0
"""Standard errors beyond which a mean shift of the picks is no chance."""
NOTABLE_SHIFT = 1.0
"""Å below which a shift of all picks matters to nobody."""


def score_table(score: DetectionScore) -> tuple[list[str], list[list[object]]]:
    """Header and rows, one row for each class."""
    header = [
        "object", "particles", "picks", "true", "false", "missed", "precision", "recall",
        f"F{score.beta:g}", "AP", "RMS (Å)", "weight",
    ]  # fmt: skip
    return header, [_row(each) for each in score.classes]


def summary(score: DetectionScore) -> str:
    """The result in one sentence."""
    counted = [each for each in score.classes if each.weight > 0 and each.counts.num_truth]
    num_runs = f"{len(score.runs)} run{'s' if len(score.runs) != 1 else ''}"
    if score.f_beta is None:
        return f"no object with a weight has particles in {num_runs}: nothing to score"
    return (
        f"weighted F{score.beta:g} {score.f_beta:.3f}, mean average precision "
        f"{score.mean_average_precision:.3f} over {_objects(len(counted))} in {num_runs} "
        f"(rule {score.rule}, distance {score.distance_scale:g} x radius)"
    )


def hints(score: DetectionScore, inputs: Evaluated) -> Iterator[str]:
    """What the numbers alone do not say and a user should know."""
    duplicates = {each.name: each.counts.duplicates for each in score.classes}
    if any(duplicates.values()):
        each = ", ".join(f"{number} {name}" for name, number in duplicates.items() if number)
        yield f"{sum(duplicates.values())} picks are duplicates, counted as false: {each}"
    absent = [each for each in score.classes if not each.counts.num_truth]
    if absent:
        names = ", ".join(f"{each.name} ({each.counts.false} false picks)" for each in absent)
        yield f"no particle of {names} in the truth: left out of the mean"
    if any(each.counts.false < 0 for each in score.classes):
        yield (
            "one pick found two particles, which czii counts twice: particles lie closer than "
            "their radius; --rule one-to-one counts it once"
        )
    yield from _no_hit(score, inputs)
    yield from _shift(score)


def aligned(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """A table as lines of text; the first column to the left, numbers to the right."""
    cells = [list(header), *([as_text(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for first, *others in cells:
        words = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *words]).rstrip()


def as_text(value: object) -> str:
    """A cell of a table: scores to three digits, lengths beyond 1 Å to one."""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) <= 1 else f"{value:.1f}"
    return NONE if value is None else str(value)


def or_none(value: float | None) -> object:
    """A number for a table, or the sign that there is none."""
    return NONE if value is None else value


def _row(each: ClassScore) -> list[object]:
    counts = each.counts
    numbers = (
        each.precision, each.recall, each.f_beta, each.average_precision, each.rms_error,
    )  # fmt: skip
    return [
        each.name, counts.num_truth, counts.num_found, counts.true, counts.false, counts.missed,
        *map(or_none, numbers), f"{each.weight:g}",
    ]  # fmt: skip


def _no_hit(score: DetectionScore, inputs: Evaluated) -> Iterator[str]:
    """The commonest cause of no true pick at all is a mistake of units or axes."""
    reach = [
        np.concatenate([picks.position_zyx for picks in side.values()])
        for side in (inputs.truth, inputs.found)
    ]
    if any(each.counts.true for each in score.classes) or not all(map(len, reach)):
        return
    true, found = (", ".join(f"{value:.0f}" for value in side.max(axis=0)) for side in reach)
    yield (
        f"no pick is true; true picks reach to (z, y, x) = ({true}) Å, picks to ({found}) Å: are "
        "they in voxels, or their axes swapped?"
    )


def _shift(score: DetectionScore) -> Iterator[str]:
    """A shift of all picks alike, as a mistake of half a voxel makes it."""
    errors = np.concatenate([np.empty((0, 3)), *(each.error_zyx for each in score.classes)])
    if len(errors) < 2:
        return
    mean = errors.mean(axis=0)
    chance = CERTAIN * errors.std(axis=0) / np.sqrt(len(errors))
    if ((np.abs(mean) > chance) & (np.abs(mean) > NOTABLE_SHIFT)).any():
        shift = ", ".join(f"{value:+.1f}" for value in mean)
        yield (
            f"all picks lie (z, y, x) = ({shift}) Å beside their particles on average: is one of "
            "the sources half a voxel off?"
        )


def _objects(number: int) -> str:
    return f"{number} object{'s' if number != 1 else ''}"
