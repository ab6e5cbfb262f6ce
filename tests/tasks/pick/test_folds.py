"""Every run is held out once, and by the seed alone."""

import pytest

from icelens.core.errors import MetadataError
from icelens.tasks.pick.folds import deal_folds

NAMES = tuple(f"TS_{number}" for number in range(7))


@pytest.mark.parametrize("num_folds", [0, 2, 3, 7])
def test_each_run_is_held_out_once_and_learnt_otherwise(num_folds: int) -> None:
    splits = deal_folds(NAMES, num_folds, seed=1)
    assert len(splits) == (num_folds or len(NAMES))
    assert sorted(name for split in splits for name in split.validation) == list(NAMES)
    for split in splits:
        assert set(split.train) | set(split.validation) == set(NAMES)
    sizes = [len(split.validation) for split in splits]
    assert max(sizes) - min(sizes) <= 1


def test_the_seed_deals() -> None:
    assert deal_folds(NAMES, 3, seed=1) == deal_folds(NAMES, 3, seed=1)
    assert deal_folds(NAMES, 3, seed=1) != deal_folds(NAMES, 3, seed=2)


def test_one_run_at_a_time_follows_the_names() -> None:
    assert [split.validation for split in deal_folds(NAMES, 0, seed=5)] == [(n,) for n in NAMES]


@pytest.mark.parametrize("num_folds", [1, 8])
def test_impossible_numbers_of_folds_are_refused(num_folds: int) -> None:
    with pytest.raises(MetadataError, match=f"--folds {num_folds}: expected 2 to 7"):
        deal_folds(NAMES, num_folds, seed=0)


def test_one_run_cannot_be_cross_validated() -> None:
    with pytest.raises(MetadataError, match="only TS_1; expected two runs"):
        deal_folds(("TS_1",), 0, seed=0)
