"""The table of subtomograms notes places, turns and files."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.data.picks import Picks
from icelens.core.io.copick.project import TomogramKey
from icelens.core.io.relion_particles import read_relion_particles
from icelens.core.io.star import read_star
from icelens.tasks.pick.exchange_jobs import ExtractConfig
from icelens.tasks.pick.extract_plan import Source
from icelens.tasks.pick.extract_table import Written, write_table
from icelens.tasks.pick.picked import Frame

RANDOM = np.random.default_rng(2)
PICKS = Picks(
    RANDOM.uniform(50, 200, (3, 3)),
    Rotation.random(3, rng=RANDOM).as_matrix(),
    ("a", "b", "a"),
    RANDOM.uniform(size=3),
    ("TS_1",) * 3,
)
SOURCE = Source("TS_1", TomogramKey(10.0, "wbp"), Frame((30, 40, 50), 10.0), PICKS, None, 0.0)


@pytest.mark.parametrize("orient", [False, True])
@pytest.mark.parametrize("between_voxels", [False, True])
def test_every_way_of_cutting_gives_the_picks_back(
    tmp_path: Path, *, orient: bool, between_voxels: bool
) -> None:
    config = ExtractConfig(
        project=Path("p"),
        picks=("a", "1"),
        box_size=8,
        orient=orient,
        between_voxels=between_voxels,
    )
    star = tmp_path / "p.star"
    write_table(star, config, [SOURCE], Written(["1.mrc", "2.mrc", "3.mrc"]), 10.0)
    again = read_relion_particles(star, extent_zyx=SOURCE.frame.extent_zyx)
    np.testing.assert_allclose(again.position_zyx, PICKS.position_zyx, atol=1e-9)
    np.testing.assert_allclose(again.rotation, PICKS.rotation, atol=1e-9)
    assert again.species == ("1", "2", "1")
    table = read_star(star)["particles"]
    assert table["rlnImageName"].tolist() == ["1.mrc", "2.mrc", "3.mrc"]
    assert table["rlnTomoParticleName"].tolist() == ["TS_1/1", "TS_1/2", "TS_1/3"]
    is_on_voxels = not (orient or between_voxels)
    assert (table["rlnCoordinateX"] % 1 == 0).all() == is_on_voxels
    assert ("rlnTomoSubtomogramRot" in table) == orient
    # the same places from the voxels alone
    voxels = np.stack([table[f"rlnCoordinate{axis}"] for axis in "ZYX"], axis=1) * 10.0
    assert np.abs(voxels - PICKS.position_zyx).max() <= (5.0 if is_on_voxels else 1e-9)
