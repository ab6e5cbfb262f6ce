"""Tests of apps/web/work/picks.py."""

import numpy as np
import pytest

from icelens.apps.web.work.picks import file_picks, list_project, list_run, read_file, read_session
from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.config import new_project_content, write_project_file
from icelens.core.io.copick.project import PicksKey, open_project
from icelens.core.io.picks import write_picks_csv
from icelens.core.io.relion_particles import write_relion_particles
from icelens.core.io.volumes import write_volume

SHAPE, PIXEL_SIZE = (10, 20, 30), 5.0
PLACES = np.asarray([[5.0, 10.0, 15.0], [20.0, 50.0, 100.0], [40.0, 90.0, 140.0]])


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "TS_01.mrc"
    write_volume(path, Volume(np.zeros(SHAPE, np.float32), PIXEL_SIZE))
    return path


@pytest.fixture
def project(tmp_path):
    """A copick project with one run, one tomogram, and picks of two objects."""
    objects = [PickableObject("ribosome", 1, 120.0), PickableObject("ferritin", 2, 60.0)]
    path = tmp_path / "project.json"
    content = new_project_content("p", objects, overlay_root=tmp_path / "root", static_root=None)
    write_project_file(path, content)
    opened = open_project(path)
    opened.write_tomogram("TS_01", Volume(np.zeros(SHAPE, np.float32), PIXEL_SIZE), "wbp")
    for name, rows in (("ribosome", [0, 1]), ("ferritin", [2])):
        picks = Picks(PLACES[rows], score=np.asarray(rows) + 0.5)
        opened.write_picks("TS_01", PicksKey(name, Source("octopi", "1")), picks)
    return path


def rows(answer):
    return np.frombuffer(answer.blob, "<f4").reshape(-1, 5)


def test_a_project_lists_objects_runs_tomograms_and_sessions(project, tmp_path):
    facts = list_project(str(project)).data
    assert facts["runs"] == ["TS_01"]
    assert {each["name"]: each["radius"] for each in facts["objects"]} == {
        "ribosome": 120.0,
        "ferritin": 60.0,
    }
    run = list_run(str(project), "TS_01").data
    assert [each["name"] for each in run["tomograms"]] == ["wbp@5"]
    assert run["tomograms"][0]["file"].startswith(str(tmp_path / "root"))
    assert run["sources"] == [{"source": "octopi,1", "objects": ["ferritin", "ribosome"]}]


def test_a_session_comes_with_places_in_angstrom_scores_and_classes(project):
    answer = read_session(str(project), "TS_01", "octopi,1")
    assert [each["name"] for each in answer.data["classes"]] == ["ferritin", "ribosome"]
    found = {tuple(row[:3]): (row[3], row[4]) for row in rows(answer).tolist()}
    assert found == {(5, 10, 15): (0.5, 1), (20, 50, 100): (1.5, 1), (40, 90, 140): (2.5, 0)}


def test_without_a_session_one_begins_with_the_objects_alone(project):
    answer = read_session(str(project), "TS_01", "")
    assert answer.blob == b""
    assert len(answer.data["classes"]) == 2


@pytest.mark.parametrize("run", ["../..", "TS_02", "", "TS_01/.."])
def test_a_run_that_the_project_does_not_list_is_refused(project, run):
    with pytest.raises(MetadataError, match="no run"):
        list_run(str(project), run)
    with pytest.raises(MetadataError, match="no run"):
        read_session(str(project), run, "")


def test_an_unknown_session_names_those_there_are(project):
    with pytest.raises(InputFileError, match="there are octopi,1"):
        read_session(str(project), "TS_01", "nobody,7")


def test_a_plain_folder_is_a_project_too(volume, tmp_path):
    write_picks_csv(tmp_path / "TS_01.csv", Picks(PLACES, species=("a", "a", "b")))
    run = list_run(str(tmp_path), "TS_01").data
    assert run["tomograms"][0]["file"] == str(volume)
    answer = read_session(str(tmp_path), "TS_01", run["sources"][0]["source"])
    assert sorted(rows(answer)[:, 2].tolist()) == [15.0, 100.0, 140.0]


def test_a_star_file_gives_the_picks_of_the_tomogram_it_is_shown_over(volume, tmp_path):
    picks = Picks(PLACES, species=("1", "3", "3"), tomogram_id=("TS_01", "TS_01", "TS_02"))
    extent = tuple(side * PIXEL_SIZE for side in SHAPE)
    write_relion_particles(tmp_path / "p.star", picks, extent_zyx=extent, pixel_size=PIXEL_SIZE)
    answer = read_file(str(tmp_path / "p.star"), str(volume))
    np.testing.assert_allclose(rows(answer)[:, :3], PLACES[:2], atol=1e-3)
    assert answer.data["tomograms"] == ["TS_01", "TS_02"]
    other = read_file(str(tmp_path / "p.star"), str(volume), "TS_02")
    np.testing.assert_allclose(rows(other)[:, :3], PLACES[2:], atol=1e-3)
    with pytest.raises(InputFileError, match=r"holds picks of TS_01, TS_02, none of TS_03"):
        file_picks(tmp_path / "p.star", volume, "TS_03")


def test_picks_that_name_no_tomogram_belong_to_the_only_one(volume, tmp_path):
    write_picks_csv(tmp_path / "a.csv", Picks(PLACES))
    answer = read_file(str(tmp_path / "a.csv"), str(volume))
    assert len(rows(answer)) == 3
    assert [each["name"] for each in answer.data["classes"]] == ["particle"]


def test_a_tomogram_without_pixel_size_cannot_bear_picks(tmp_path):
    import mrcfile

    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(np.zeros(SHAPE, np.float32))
    write_picks_csv(tmp_path / "a.csv", Picks(PLACES))
    with pytest.raises(MetadataError, match="does not know the pixel size"):
        read_file(str(tmp_path / "a.csv"), str(tmp_path / "a.mrc"))


@pytest.mark.parametrize("content", [b"z,y,x\n1,2,nan\n", b"\xff\xfe\x00", b"z,y\n1,2\n"])
def test_what_is_no_table_of_picks_is_one_line(volume, tmp_path, content):
    path = tmp_path / "kaputte Datei ä.csv"
    path.write_bytes(content)
    with pytest.raises((InputFileError, MetadataError), match="kaputte Datei ä") as caught:
        read_file(str(path), str(volume))
    assert "\n" not in str(caught.value)


def test_an_empty_table_holds_no_picks(volume, tmp_path):
    (tmp_path / "a.csv").write_text("z,y,x\n")
    assert read_file(str(tmp_path / "a.csv"), str(volume)).blob == b""
