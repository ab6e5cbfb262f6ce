"""Picks keep place and orientation through each format."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.picks import (
    read_box_file,
    read_copick,
    read_picks_csv,
    write_box_file,
    write_copick,
    write_picks_csv,
)
from icelens.core.io.relion_particles import read_relion_particles, write_relion_particles

NUM = 20
RANDOM = np.random.default_rng(3)
EXTENT_ZYX = (640.0, 1600.0, 1500.0)
PICKS = Picks(
    RANDOM.uniform(0, 600, (NUM, 3)),
    Rotation.random(NUM, rng=RANDOM).as_matrix(),
    ("1", "2") * (NUM // 2),
    RANDOM.uniform(size=NUM),
    ("TS 1",) * 10 + ("TS_ü",) * 10,
)


def assert_same(again, picks, atol=1e-9):
    np.testing.assert_allclose(again.position_zyx, picks.position_zyx, atol=atol)
    np.testing.assert_allclose(again.rotation, picks.rotation, atol=atol)
    assert again.species == picks.species
    assert again.tomogram_id == picks.tomogram_id


def test_csv_keeps_everything(tmp_path):
    write_picks_csv(tmp_path / "p.csv", PICKS)
    again = read_picks_csv(tmp_path / "p.csv")
    assert_same(again, PICKS)
    np.testing.assert_array_equal(again.score, PICKS.score)


def test_copick_keeps_one_species_of_one_tomogram(tmp_path):
    one = PICKS.of_tomogram("TS_ü")
    one = one.select([name == "1" for name in one.species])
    write_copick(tmp_path / "ribo.json", one)
    again = read_copick(tmp_path / "ribo.json")
    assert_same(again, one)
    np.testing.assert_array_equal(again.score, one.score)
    with pytest.raises(MetadataError, match="one species of one tomogram"):
        write_copick(tmp_path / "all.json", PICKS)


def test_copick_translations_move_the_point(tmp_path):
    pose = np.eye(4)
    pose[:3, 3] = 1.0, 2.0, 3.0
    point = {"location": {"x": 10, "y": 20, "z": 30}, "transformation_": pose.tolist()}
    (tmp_path / "p.json").write_text(json.dumps({"points": [point]}))
    assert read_copick(tmp_path / "p.json").position_zyx.tolist() == [[33.0, 22.0, 11.0]]


def test_relion_particles_return_in_their_tomograms_frame(tmp_path):
    write_relion_particles(tmp_path / "p.star", PICKS, extent_zyx=EXTENT_ZYX, pixel_size=1.35)
    again = read_relion_particles(tmp_path / "p.star", extent_zyx=EXTENT_ZYX)
    assert_same(again, PICKS)


def test_relion_angles_of_the_file_are_scipys_transposed(tmp_path):
    (tmp_path / "p.star").write_text(
        "data_particles\nloop_\n_rlnTomoName\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n"
        "_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\n_rlnOriginXAngst\n_rlnOriginYAngst\n"
        "_rlnOriginZAngst\nTS 10 20 30 11 22 33 1 2 3\n".replace("TS 10", "TS_1 10")
    )
    picks = read_relion_particles(tmp_path / "p.star", pixel_size=2.0)
    expected = Rotation.from_euler("ZYZ", [11, 22, 33], degrees=True).as_matrix().T
    np.testing.assert_allclose(picks.rotation[0], expected, atol=1e-12)
    assert picks.position_zyx.tolist() == [[57.0, 38.0, 19.0]]  # coordinate times 2 minus origin
    with pytest.raises(MetadataError, match="pixel size"):
        read_relion_particles(tmp_path / "p.star")


def test_centred_coordinates_need_the_tomograms_size(tmp_path):
    write_relion_particles(tmp_path / "p.star", PICKS, extent_zyx=EXTENT_ZYX, pixel_size=1.35)
    with pytest.raises(MetadataError, match="'TS_ü'"):
        read_relion_particles(tmp_path / "p.star", extent_zyx={"TS 1": EXTENT_ZYX})


def test_warps_particles_are_read(shared_data):
    star = shared_data / "subtomo_real" / "warptools_test_4-tomos_10-ptcls_box-32_angpix-12.star"
    picks = read_relion_particles(star, pixel_size=12.0)
    assert len(picks) == 40
    assert len(picks.of_tomogram("Unt_083.tomostar")) == 10
    np.testing.assert_allclose(
        picks.position_zyx[0], np.array([28.146, 564.065, 494.521]) * 12.0, rtol=1e-12
    )


def test_box_files_count_voxels_in_x_y_z(tmp_path):
    (tmp_path / "b.txt").write_text("# picked\n1 2 3\n\n4.5,5,6\n")
    picks = read_box_file(tmp_path / "b.txt", pixel_size=10.0, tomogram_id="t")
    assert picks.position_zyx.tolist() == [[30.0, 20.0, 10.0], [60.0, 50.0, 45.0]]
    write_box_file(tmp_path / "c.txt", picks, pixel_size=10.0)
    again = read_box_file(tmp_path / "c.txt", pixel_size=10.0)
    np.testing.assert_allclose(again.position_zyx, picks.position_zyx)


@pytest.mark.parametrize(
    ("reader", "content"),
    [
        (read_copick, "not json"),
        (read_copick, "[1]"),
        (read_copick, '{"points": [{"location": {"x": 1}}]}'),
        (read_copick, '{"points": [{"location": {"x": 1, "y": NaN, "z": 3}}]}'),
        (
            read_copick,
            '{"points": [{"location": {"x": 1, "y": 2, "z": 3}, "transformation_": '
            "[[2,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]}]}",
        ),
        (read_picks_csv, "a,b\n1,2\n"),
        (read_picks_csv, "z,y,x\n1,2,three\n"),
        (lambda path: read_box_file(path, pixel_size=1.0), "1 2\n"),
    ],
)
def test_files_that_are_no_picks_are_refused_in_one_line(tmp_path, reader, content):
    path = tmp_path / "p"
    with pytest.raises(InputFileError):
        reader(path)
    path.write_text(content)
    with pytest.raises(InputFileError) as error:
        reader(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_no_picks_are_picks_too(tmp_path):
    none = Picks(np.empty((0, 3)))
    write_copick(tmp_path / "n.json", none)
    write_picks_csv(tmp_path / "n.csv", none)
    write_relion_particles(tmp_path / "n.star", none, extent_zyx=EXTENT_ZYX, pixel_size=1.0)
    assert len(read_copick(tmp_path / "n.json")) == 0
    assert len(read_picks_csv(tmp_path / "n.csv")) == 0
    assert len(read_relion_particles(tmp_path / "n.star", extent_zyx=EXTENT_ZYX)) == 0
