"""Warp's particles: names, pixels and fractions."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.io.star import read_star
from icelens.core.io.warp_particles import is_warp, read_warp_particles, write_warp_particles

RANDOM = np.random.default_rng(5)
PICKS = Picks(
    RANDOM.uniform(20, 600, (6, 3)),
    Rotation.random(6, rng=RANDOM).as_matrix(),
    ("apo", "ribosome") * 3,
    RANDOM.uniform(size=6),
    ("TS_1",) * 4 + ("TS_2",) * 2,
)


def test_everything_but_species_names_returns(tmp_path: Path) -> None:
    path = tmp_path / "p.star"
    write_warp_particles(path, PICKS, pixel_size=1.7)
    blocks = read_star(path)
    assert is_warp(blocks)
    assert set(blocks["particles"]["rlnMicrographName"]) == {"TS_1.tomostar", "TS_2.tomostar"}
    again = read_warp_particles(path, pixel_size=1.7, species_names={1: "apo", 2: "ribosome"})
    np.testing.assert_allclose(again.position_zyx, PICKS.position_zyx, atol=1e-9)
    np.testing.assert_allclose(again.rotation, PICKS.rotation, atol=1e-9)
    np.testing.assert_array_equal(again.score, PICKS.score)
    assert (again.species, again.tomogram_id) == (PICKS.species, PICKS.tomogram_id)


def test_warps_own_exports_count_in_pixels_of_the_box(shared_data: Path) -> None:
    folder = shared_data / "subtomo_real"
    star = folder / "warptools_test_4-tomos_10-ptcls_box-32_angpix-12.star"
    assert is_warp(read_star(star))
    picks = read_warp_particles(star)
    assert len(picks.of_tomogram("Unt_083")) == 10
    expected = np.array([28.146, 564.065, 494.521]) * 12.0
    np.testing.assert_allclose(picks.position_zyx[0], expected, rtol=1e-12)


def test_template_matching_counts_in_fractions_of_the_volume(tmp_path: Path) -> None:
    path = tmp_path / "p.star"
    path.write_text(
        "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n_rlnMicrographName\n"
        "0.5 0.25 1.0 TS_1.tomostar\n"
    )
    with pytest.raises(MetadataError, match="fractions of TS_1, whose size is not known"):
        read_warp_particles(path, extent_zyx={"TS_2": (1.0, 1.0, 1.0)})
    picks = read_warp_particles(path, extent_zyx=(100.0, 200.0, 300.0))
    assert picks.position_zyx.tolist() == [[100.0, 50.0, 150.0]]


def test_pixels_of_unknown_size_and_nameless_tomograms_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.star"
    write_warp_particles(path, PICKS, pixel_size=1.0)
    with pytest.raises(MetadataError, match="pixels of unknown size"):
        read_warp_particles(path)
    path.write_text("data_\nloop_\n_rlnCoordinateX\n1\n")
    with pytest.raises(MetadataError, match="neither rlnMicrographName nor rlnTomoName"):
        read_warp_particles(path)
