"""Which runs each fold of a cross-validation holds out: every run once."""

from collections.abc import Sequence

import numpy as np

from icelens.core.errors import MetadataError
from icelens.tasks.pick.splits import Split

_FEWEST = 2


def deal_folds(names: Sequence[str], num_folds: int, seed: int) -> tuple[Split, ...]:
    """Deal runs to folds, drawn by the seed; sizes differ by one at most.

    Args:
        names: Runs, each once.
        num_folds: How many folds; 0 holds out one run in each, in the order of the names.
        seed: The same seed deals the same folds.

    Returns:
        For each fold the runs it learns from and, as `validation`, those it holds out.

    Raises:
        MetadataError: If there are fewer than two runs or folds, or more folds than runs.
    """
    if len(names) < _FEWEST:
        raise MetadataError(
            f"cross-validation holds runs out and learns from the others, but there is only "
            f"{', '.join(names) or 'none'}; expected two runs with tomogram and truth at least"
        )
    if num_folds and not _FEWEST <= num_folds <= len(names):
        raise MetadataError(
            f"--folds {num_folds}: expected 2 to {len(names)}, the number of runs, or 0 to hold "
            "out one run in each"
        )
    order = list(names)
    if 0 < num_folds < len(names):
        order = [names[number] for number in np.random.default_rng(seed).permutation(len(names))]
    count = num_folds or len(names)
    held_out = [set(order[first::count]) for first in range(count)]
    return tuple(
        Split(
            train=tuple(name for name in names if name not in out),
            validation=tuple(name for name in names if name in out),
        )
        for out in held_out
    )
