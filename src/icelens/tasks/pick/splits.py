"""Which runs to learn from, to choose by and to be judged on; no run is ever two of these."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from icelens.core.errors import MetadataError

_ROUNDING = 1e-6
"""Shares that add up to one but for this leave no rest."""


@dataclass(frozen=True)
class Split:
    """Runs by what they are for."""

    train: tuple[str, ...]
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse runs with two roles.

        Raises:
            MetadataError: If a run is in two parts, or there is nothing to learn from.
        """
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        names = list(parts)
        for number, first in enumerate(names):
            for second in names[number + 1 :]:
                both = sorted(set(parts[first]) & set(parts[second]))
                if both:
                    raise MetadataError(
                        f"run {', '.join(both)} is named for {first} and for {second}; a score on "
                        "what was learnt from means nothing, leave it out of one"
                    )
        if not self.train:
            raise MetadataError("no run is left to train on; name fewer for validation and test")


def choose_split(
    known: Sequence[str],
    *,
    train: Sequence[str],
    validation: Sequence[str],
    test: Sequence[str],
    shares: Sequence[float],
    seed: int,
) -> Split:
    """The runs as named, or drawn by shares.

    Args:
        known: Runs that have tomogram and truth.
        train: Named runs; empty takes all that are not named otherwise.
        validation: Named runs.
        test: Named runs.
        shares: Of training, validation and test; of fewer, the next part gets the rest.
        seed: The same seed draws the same runs.

    Raises:
        MetadataError: If runs are named and drawn at once, or shares are impossible.
    """
    if not shares:
        left = tuple(name for name in known if name not in {*validation, *test})
        return Split(tuple(train) or left, tuple(validation), tuple(test))
    if train or validation or test:
        raise MetadataError("--split draws the runs; leave it out, or name no runs")
    is_possible = shares[0] > 0 and min(shares) >= 0 and sum(shares) <= 1 + _ROUNDING
    if len(shares) > 3 or not is_possible:
        raise MetadataError(
            f"--split {','.join(f'{share:g}' for share in shares)}: expected up to three shares, "
            "the first above 0, that add up to at most 1, such as 0.7,0.15,0.15"
        )
    return _drawn(known, shares, seed)


def _drawn(known: Sequence[str], shares: Sequence[float], seed: int) -> Split:
    """Runs by chance; a part with a share gets one run at least, if there are enough."""
    rest = 1 - sum(shares)
    given = [*shares, rest if rest > _ROUNDING else 0.0, 0.0][:3]
    order = [known[number] for number in np.random.default_rng(seed).permutation(len(known))]
    held_out = [max(round(share * len(order)), 1 if share > 0 else 0) for share in given[1:]]
    # what was rounded up does not take the last run to train on
    while sum(held_out) >= len(order) and max(held_out) > 1:
        held_out[held_out.index(max(held_out))] -= 1
    counts = [max(len(order) - sum(held_out), 0), *held_out]
    first, second = counts[0], counts[0] + counts[1]
    return Split(
        tuple(sorted(order[:first])),
        tuple(sorted(order[first:second])),
        tuple(sorted(order[second:])),
    )
