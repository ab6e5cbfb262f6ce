"""Of many volumes some are shown."""

from icelens.tasks.hetero.volume_pictures import spread


def test_places_are_spread_evenly_and_hold_both_ends():
    assert spread(3, 8) == [0, 1, 2]
    assert spread(100, 4) == [0, 33, 66, 99]
    assert spread(1, 4) == [0]
