"""Which runs the trials of a search learn from, which judge them, and which none may see."""

from icelens.core.errors import MetadataError
from icelens.tasks.pick.learning_data import LearningData
from icelens.tasks.pick.search_settings import SearchConfig
from icelens.tasks.pick.splits import Split, choose_split

_SHARES = (0.75, 0.25)


def split_of(config: SearchConfig, data: LearningData) -> Split:
    """Runs to learn from and to judge trials by; drawn where none are named.

    Raises:
        MetadataError: If no run is left to judge by.
    """
    named = (config.train_runs, config.validation_runs, config.test_runs)
    train, validation, test = (data.checked(names) for names in named)
    known = data.run_names()
    if not validation and not config.split:
        left = [name for name in known if name not in test and (not train or name not in train)]
        judges = _drawn_judges(left, known, config.seed, is_free=not train)
        return Split(train or tuple(n for n in left if n not in judges), judges, test)
    split = choose_split(
        known, train=train, validation=validation, test=test, shares=config.split, seed=config.seed
    )
    if not split.validation:
        raise MetadataError(
            "no run is left to judge trials by; give a share to --split or name --validation-runs"
        )
    return split


def _drawn_judges(
    left: list[str], known: tuple[str, ...], seed: int, *, is_free: bool
) -> tuple[str, ...]:
    """A quarter of the runs; where the runs to learn from are named, all others."""
    if not is_free and left:
        return tuple(left)
    if len(left) > 1:
        drawn = choose_split(left, train=(), validation=(), test=(), shares=_SHARES, seed=seed)
        return drawn.validation
    raise MetadataError(
        f"a search judges trials on runs they did not learn from, but of {len(known)} runs with "
        "truth none is left for that; annotate one more, or name fewer for training and test"
    )
