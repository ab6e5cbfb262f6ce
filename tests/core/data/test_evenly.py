"""Some of many things are spread over all of them."""

from icelens.core.data.evenly import evenly


def test_places_are_spread_evenly_and_hold_both_ends():
    assert evenly(3, 8).tolist() == [0, 1, 2]
    assert evenly(100, 4).tolist() == [0, 33, 66, 99]
    assert evenly(1, 4).tolist() == [0]
    assert evenly(0, 4).tolist() == []
