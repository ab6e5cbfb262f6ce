"""Names of tomograms, and what of a volume is drawn."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.volume import Volume
from icelens.tasks.restore.preview import LARGEST_PICTURE, thinned, tomogram_name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("TS_01_EVN.mrc", "TS_01"),
        ("TS_01_ODD.mrc.gz", "TS_01"),
        ("TS_01.even.mrc", "TS_01"),
        ("a-half1.rec", "a"),
        ("TS_01_6.80Apx.mrc", "TS_01_6.80Apx"),
        ("GODD.mrc", "GODD"),
    ],
)
def test_name_loses_suffixes_and_the_token_of_a_half_alone(file: str, name: str) -> None:
    assert tomogram_name(Path("folder") / file) == name


def test_large_volumes_are_drawn_from_their_middle() -> None:
    profile = np.arange(LARGEST_PICTURE + 10, dtype=np.float32)
    shown = thinned(Volume(np.broadcast_to(profile, (2, 3, len(profile))), 10.0))
    assert shown.shape == (2, 3, LARGEST_PICTURE)
    assert shown[0, 0, 0] == 5.0
