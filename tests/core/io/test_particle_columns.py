"""Columns shared by RELION and Warp."""

import numpy as np
import pytest

from icelens.core.data.picks import Picks
from icelens.core.io.particle_columns import bare_name, numbered_species


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("TS_1.tomostar", "TS_1"),
        ("a/b/TS_1.2.rec", "TS_1.2"),
        ("TS_1.2", "TS_1.2"),
        ("TS_1", "TS_1"),
    ],
)
def test_only_endings_of_volumes_are_cut(name: str, bare: str) -> None:
    assert bare_name(name) == bare


def test_species_are_numbered_by_the_alphabet() -> None:
    picks = Picks(np.zeros((3, 3)), species=("b", "a", "b"))
    assert numbered_species(picks) == {"a": 1, "b": 2}
