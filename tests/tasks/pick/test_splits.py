"""Every run has one role, and no role that was asked for is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icelens.core.errors import MetadataError
from icelens.tasks.pick.splits import Split, choose_split

RUNS = tuple(f"TS_{number}" for number in range(1, 8))


def chosen(known: tuple[str, ...] = RUNS, **changes: object) -> Split:
    settings = {"train": (), "validation": (), "test": (), "shares": (), "seed": 0}
    return choose_split(known, **{**settings, **changes})


@pytest.mark.parametrize(
    "parts",
    [
        {"train": ("TS_1", "TS_2"), "validation": ("TS_2",)},
        {"train": ("TS_1",), "test": ("TS_1",)},
        {"validation": ("TS_3",), "test": ("TS_3", "TS_4")},
    ],
)
def test_run_with_two_roles_is_refused_in_one_line(parts: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(MetadataError, match=r"run TS_\d is named for \w+ and for \w+") as caught:
        chosen(**parts)
    assert "\n" not in str(caught.value)


def test_runs_that_are_not_named_are_trained_on() -> None:
    split = chosen(validation=("TS_2",), test=("TS_5",))
    assert split.train == ("TS_1", "TS_3", "TS_4", "TS_6", "TS_7")
    assert chosen(train=("TS_3",), test=("TS_1",)) == Split(("TS_3",), (), ("TS_1",))


def test_nothing_left_to_train_on_is_refused() -> None:
    with pytest.raises(MetadataError, match="no run is left to train on"):
        chosen(validation=RUNS)


def test_runs_are_drawn_or_named_but_not_both() -> None:
    with pytest.raises(MetadataError, match="--split draws the runs"):
        chosen(shares=(0.5,), validation=("TS_1",))


@pytest.mark.parametrize(
    "shares", [(0.7, 0.7), (-0.1, 0.5), (0.2,) * 4, (1.2,), (0.0, 0.5, 0.5), (0.5, -0.2, 0.5)]
)
def test_impossible_shares_are_refused_in_one_line(shares: tuple[float, ...]) -> None:
    with pytest.raises(MetadataError, match=r"--split .*: expected up to three shares") as caught:
        chosen(shares=shares)
    assert "\n" not in str(caught.value)


def test_two_shares_leave_the_rest_to_the_test() -> None:
    split = chosen(tuple(f"TS_{number}" for number in range(20)), shares=(0.7, 0.15))
    assert (len(split.train), len(split.validation), len(split.test)) == (14, 3, 3)


@given(percent=st.integers(1, 99), num_runs=st.integers(2, 30))
def test_two_shares_of_all_leave_no_run_to_a_third_part(percent: int, num_runs: int) -> None:
    runs = tuple(map(str, range(num_runs)))
    split = chosen(runs, shares=(percent / 100, (100 - percent) / 100))
    assert not split.test
    assert split.train
    assert split.validation


@given(
    num_runs=st.integers(3, 40),
    weights=st.tuples(*[st.integers(1, 100)] * 3),
    num_given=st.integers(1, 3),
    seed=st.integers(0, 5),
)
def test_every_run_is_in_exactly_one_part_and_no_part_is_lost(
    num_runs: int, weights: tuple[int, int, int], num_given: int, seed: int
) -> None:
    runs = tuple(f"TS_{number}" for number in range(num_runs))
    shares = tuple(weight / sum(weights) for weight in weights)
    split = chosen(runs, shares=shares[:num_given], seed=seed)
    assert sorted((*split.train, *split.validation, *split.test)) == sorted(runs)
    assert split == chosen(runs, shares=shares[:num_given], seed=seed)
    assert split.train
    assert split.validation
    assert bool(split.test) == (num_given > 1)  # one share leaves its rest to validation


@given(num_runs=st.integers(10, 60), first=st.integers(40, 80), second=st.integers(5, 20))
def test_parts_are_as_large_as_their_shares(num_runs: int, first: int, second: int) -> None:
    runs = tuple(map(str, range(num_runs)))
    split = chosen(runs, shares=(first / 100, second / 100))
    assert abs(len(split.train) - first / 100 * num_runs) <= 1.5
    assert abs(len(split.validation) - second / 100 * num_runs) <= 1


def test_seed_draws_other_runs() -> None:
    drawn = {chosen(shares=(0.5, 0.25), seed=seed).validation for seed in range(8)}
    assert len(drawn) > 2


def test_too_few_runs_for_the_parts_is_one_line() -> None:
    with pytest.raises(MetadataError, match="no run is left to train on"):
        chosen(("TS_1", "TS_2"), shares=(0.6, 0.2, 0.2))
