from itertools import pairwise

import pytest

from icelens.training.schedules import learning_rate_at


def rates(num_steps, warmup_steps):
    return [
        learning_rate_at(
            step, peak=1.0, minimum=0.1, num_steps=num_steps, warmup_steps=warmup_steps
        )
        for step in range(num_steps)
    ]


def test_warm_up_is_linear_and_reaches_the_peak_in_its_last_step():
    assert rates(100, 4)[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_cosine_falls_all_the_way_and_ends_at_the_minimum():
    values = rates(100, 4)[4:]
    assert values[0] == 1.0
    assert all(later < earlier for earlier, later in pairwise(values))
    assert values[-1] == pytest.approx(0.1)


def test_cosine_is_half_way_down_half_way_through():
    assert rates(101, 0)[50] == pytest.approx(0.55)


@pytest.mark.parametrize(("num_steps", "warmup_steps"), [(1, 0), (1, 5), (3, 3), (2, 1)])
def test_shortest_runs_have_a_rate_between_zero_and_the_peak(num_steps, warmup_steps):
    assert all(0 < rate <= 1 for rate in rates(num_steps, warmup_steps))
