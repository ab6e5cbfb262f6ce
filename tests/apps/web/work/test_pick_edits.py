"""Tests of apps/web/work/pick_edits.py."""

from pathlib import Path

import numpy as np
import pytest

from icelens.apps.web.work import pick_edits as module
from icelens.apps.web.work.pick_edits import Edits, edited, save_file, save_session
from icelens.apps.web.work.picks import read_file, read_session, version_of
from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.io.copick.config import new_project_content, write_project_file
from icelens.core.io.copick.project import PicksKey, open_project
from icelens.core.io.pick_files import read_picks
from icelens.core.io.picks import read_picks_csv, write_copick, write_picks_csv
from icelens.core.io.relion_particles import write_relion_particles
from icelens.core.io.star import read_star
from icelens.core.io.volumes import write_volume

SHAPE, PIXEL_SIZE = (10, 20, 30), 5.0
TURN = np.asarray([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
OLD = Picks(
    np.asarray([[5.0, 10.0, 15.0], [20.0, 50.0, 100.0], [40.0, 90.0, 140.0]]),
    np.stack([TURN] * 3),
    ("a", "a", "b"),
    np.asarray([0.2, 0.8, 0.5]),
    ("TS_01",) * 3,
)


def changes(version, **given):
    empty = {"moved": [], "deleted": [], "added": [], "least_scores": {}}
    return empty | {"version": version} | given


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "TS_01.mrc"
    write_volume(path, Volume(np.zeros(SHAPE, np.float32), PIXEL_SIZE))
    return str(path)


@pytest.fixture
def project(tmp_path):
    objects = [PickableObject("a", 1, 20.0), PickableObject("b", 2, 10.0)]
    path = tmp_path / "project.json"
    content = new_project_content("p", objects, overlay_root=tmp_path / "root", static_root=None)
    write_project_file(path, content)
    opened = open_project(path)
    opened.write_tomogram("TS_01", Volume(np.zeros(SHAPE, np.float32), PIXEL_SIZE), "wbp")
    for name in "ab":
        chosen = OLD.select([each == name for each in OLD.species])
        opened.write_picks("TS_01", PicksKey(name, Source("octopi", "1")), chosen)
    return str(path)


def test_edits_move_delete_and_add_and_leave_all_else_alone():
    result = edited(
        OLD,
        Edits(version_of(OLD), [(1, 1.0, 2.0, 3.0)], [2], [("b", 7.0, 8.0, 9.0)], {}),
        "TS_01",
    )
    assert result.position_zyx.tolist() == [[5, 10, 15], [1, 2, 3], [7, 8, 9]]
    assert result.species == ("a", "a", "b")
    assert result.score.tolist() == [0.2, 0.8, 1.0]
    assert np.array_equal(result.rotation[1], TURN)
    assert np.array_equal(result.rotation[2], np.eye(3))
    assert OLD.position_zyx[1].tolist() == [20.0, 50.0, 100.0]


def test_thresholds_leave_out_lower_scores_but_never_new_picks():
    given = Edits(version_of(OLD), [], [], [("a", 7.0, 8.0, 9.0)], {"a": 0.8, "b": 2.0})
    assert edited(OLD, given, "TS_01").score.tolist() == [0.8, 1.0]


def test_edits_of_other_picks_are_refused():
    with pytest.raises(InputFileError, match="changed on disk"):
        edited(OLD, Edits("another", [], [], [], {}), "TS_01")


@pytest.mark.parametrize("row", [-1, 3, 10**6])
def test_edits_of_picks_that_are_not_there_are_refused(row):
    with pytest.raises(GeometryError, match="there are 3"):
        edited(OLD, Edits(version_of(OLD), [], [row], [], {}), "TS_01")


def test_more_picks_than_anyone_can_look_at_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_PICKS", 3)
    with pytest.raises(GeometryError, match="more than 3"):
        edited(OLD, Edits(version_of(OLD), [], [], [("a", 1.0, 1.0, 1.0)], {}), "TS_01")


def test_a_session_is_saved_as_a_new_one_and_the_old_one_stays(project, volume):
    version = read_session(project, "TS_01", "octopi,1").data["version"]
    given = changes(version, added=[["b", 10.0, 20.0, 30.0]], deleted=[0])
    answer = save_session(project, "TS_01", "octopi,1", volume, "curation", "1", given)
    assert answer.data["counts"] == {"a": 1, "b": 2}
    saved = open_project(Path(project)).read_picks("TS_01", PicksKey("b", Source("curation", "1")))
    assert [10.0, 20.0, 30.0] in saved.position_zyx.tolist()
    assert read_session(project, "TS_01", "octopi,1").data["version"] == version


def test_an_existing_session_is_never_written_over(project, volume):
    version = read_session(project, "TS_01", "octopi,1").data["version"]
    with pytest.raises(MetadataError, match="choose another session"):
        save_session(project, "TS_01", "octopi,1", volume, "octopi", "1", changes(version))


def test_an_object_whose_last_pick_was_deleted_is_saved_as_none(project, volume):
    version = read_session(project, "TS_01", "octopi,1").data["version"]
    given = changes(version, deleted=[2])
    answer = save_session(project, "TS_01", "octopi,1", volume, "curation", "1", given)
    assert answer.data["counts"] == {"a": 2, "b": 0}


@pytest.mark.parametrize(
    ("user", "session"), [("../x", "1"), ("me", "a_b"), ("", "1"), ("me", "a/b")]
)
def test_names_that_are_no_file_names_are_refused(project, volume, tmp_path, user, session):
    version = read_session(project, "TS_01", "octopi,1").data["version"]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(MetadataError):
        save_session(project, "TS_01", "octopi,1", volume, user, session, changes(version))
    assert sorted(tmp_path.rglob("*")) == before


def test_unknown_classes_are_refused_in_a_project(project, volume):
    version = read_session(project, "TS_01", "octopi,1").data["version"]
    given = changes(version, added=[["c", 1.0, 1.0, 1.0]])
    with pytest.raises(MetadataError, match="no object c"):
        save_session(project, "TS_01", "octopi,1", volume, "me", "1", given)


@pytest.mark.parametrize("place", [(-2.6, 1, 1), (1, 1, 147.6), (47.6, 1, 1), (float("nan"), 1, 1)])
def test_places_outside_the_tomogram_are_refused(project, volume, place):
    version = read_session(project, "TS_01", "octopi,1").data["version"]
    given = changes(version, added=[["a", *place]])
    with pytest.raises(GeometryError, match="lies outside the tomogram"):
        save_session(project, "TS_01", "octopi,1", volume, "me", "1", given)


def test_the_outermost_voxels_are_inside(project, volume):
    version = read_session(project, "TS_01", "octopi,1").data["version"]
    given = changes(version, added=[["a", -2.4, -2.4, -2.4], ["a", 47.4, 97.4, 147.4]])
    answer = save_session(project, "TS_01", "octopi,1", volume, "me", "1", given)
    assert answer.data["counts"]["a"] == 4


def test_a_star_file_is_saved_beside_with_its_optics_and_other_tomograms(volume, tmp_path):
    picks = Picks(
        OLD.position_zyx, species=("1", "3", "3"), tomogram_id=("TS_01", "TS_01", "TS_02")
    )
    extent = tuple(side * PIXEL_SIZE for side in SHAPE)
    source = tmp_path / "p.star"
    write_relion_particles(
        source,
        picks,
        extent_zyx=extent,
        pixel_size=1.25,
        voltage=200.0,
        class_numbers={"1": 1, "3": 3},
    )
    content = source.read_bytes()
    version = read_file(str(source), volume).data["version"]
    given = changes(version, moved=[[1, 20.0, 50.0, 105.0]])
    answer = save_file(str(source), volume, None, given)
    assert answer.data["file"] == str(tmp_path / "p_edited_1.star")
    saved = read_picks(tmp_path / "p_edited_1.star", pixel_size=PIXEL_SIZE, shape=SHAPE)
    assert sorted(zip(saved.tomogram_id, saved.species, strict=True)) == [
        ("TS_01", "1"), ("TS_01", "3"), ("TS_02", "3"),
    ]  # fmt: skip
    assert 105.0 in np.round(saved.position_zyx[:, 2], 3)
    assert float(read_star(tmp_path / "p_edited_1.star")["optics"]["rlnVoltage"].iloc[0]) == 200.0
    assert source.read_bytes() == content
    again = save_file(str(source), volume, None, given)
    assert again.data["file"].endswith("p_edited_2.star")


def test_csv_keeps_scores_and_rotations(volume, tmp_path):
    write_picks_csv(tmp_path / "a.csv", OLD)
    version = read_file(str(tmp_path / "a.csv"), volume).data["version"]
    save_file(str(tmp_path / "a.csv"), volume, None, changes(version, deleted=[0]))
    saved = read_picks_csv(tmp_path / "a_edited_1.csv")
    assert saved.score.tolist() == [0.8, 0.5]
    np.testing.assert_allclose(saved.rotation, OLD.rotation[1:])


def test_copick_json_stays_json_while_it_holds_one_object(volume, tmp_path):
    path = tmp_path / "a.json"
    write_copick(path, OLD.select([True, True, False]))
    version = read_file(str(path), volume).data["version"]
    assert save_file(str(path), volume, None, changes(version)).data["file"].endswith("_1.json")
    given = changes(version, added=[["other", 1.0, 1.0, 1.0]])
    assert save_file(str(path), volume, None, given).data["file"].endswith("_1.csv")


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 65])
def test_class_names_that_would_break_a_table_are_refused(volume, tmp_path, name):
    write_picks_csv(tmp_path / "a.csv", OLD)
    version = read_file(str(tmp_path / "a.csv"), volume).data["version"]
    with pytest.raises(MetadataError, match="cannot be a class"):
        save_file(
            str(tmp_path / "a.csv"), volume, None, changes(version, added=[[name, 1.0, 1.0, 1.0]])
        )
