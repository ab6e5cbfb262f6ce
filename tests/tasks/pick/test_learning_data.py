"""Classes, sources and runs are settled before anything is loaded, and doubts are one line."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blob_project import OBJECTS, PIXEL_SIZE, SHAPE, TRUTH, add_run, blob_project, empty_project

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import Event, Message, ignore
from icelens.core.io.copick.project import PicksKey, Project, SegmentationKey
from icelens.tasks.pick.learning_data import LearningData, open_data
from icelens.tasks.pick.train_settings import PickComputeConfig

NOBODY = Picks(np.empty((0, 3)))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blob_project(tmp_path_factory.mktemp("learning") / "p", 2).path.parent


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Project:
    """Two runs with picks of both objects by one source."""
    made = empty_project(tmp_path / "p")
    shutil.copytree(template / "overlay", tmp_path / "p" / "overlay", dirs_exist_ok=True)
    return made


def data_of(*projects: Project, **settings: Any) -> LearningData:
    config = PickComputeConfig(project=tuple(each.path for each in projects), **settings)
    return open_data(config, ignore)


def refused(*projects: Project, **settings: Any) -> str:
    with pytest.raises(MetadataError) as caught:
        data_of(*projects, **settings).run_names()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def add_membrane(project: Project, run: str = "TS_1", name: str = "membrane") -> None:
    key = SegmentationKey(PIXEL_SIZE, name, Source("other", "1"), is_multilabel=False)
    labels = np.zeros(SHAPE, np.uint8)
    labels[5:7] = 1
    project.write_segmentation(run, key, Volume(labels, PIXEL_SIZE))


def test_the_only_source_is_found_and_classes_are_ordered_by_label(project: Project) -> None:
    told: list[Event] = []
    data = open_data(PickComputeConfig(project=(project.path,)), told.append)
    assert [each.name for each in data.truth.classes] == ["dark", "bright"]
    assert data.truth.source == TRUTH
    assert data.run_names() == ("TS_1", "TS_2")
    assert [event.text for event in told if isinstance(event, Message)] == [
        "Classes: dark, bright; from picks of curation,0"
    ]


def test_only_what_is_asked_for_is_learnt(project: Project) -> None:
    data = data_of(project, objects=("bright",))
    assert [each.name for each in data.truth.classes] == ["bright"]
    (tomogram,) = data.load(("TS_2",), ignore)
    assert tomogram.name == "TS_2"
    assert set(tomogram.kind) == {0}


def test_unknown_object_names_those_there_are(project: Project) -> None:
    assert "no object brihgt; there are bright, dark" in refused(project, objects=("brihgt",))


@pytest.mark.parametrize("radius", [None, 0.0, -5.0, float("nan"), float("inf"), 1e9])
def test_object_without_radius_is_refused(tmp_path: Path, radius: float | None) -> None:
    objects = [{**OBJECTS[0], "radius": radius}]
    project = empty_project(tmp_path / "p", objects)
    project.write_picks("TS_1", PicksKey("bright", TRUTH), NOBODY)
    assert f"{project.path}: object bright has radius" in refused(project)


def test_unknown_source_of_truth_is_refused(project: Project) -> None:
    message = refused(project, truth=("nobody", "7"))
    assert "there are no picks of nobody,7; look at what there is with `icelens pick br" in message
    assert "picks of nobody,7" in refused(project, truth=("nobody", "7"), objects=("dark",))


def test_several_sources_must_be_chosen_from(project: Project) -> None:
    project.write_picks("TS_1", PicksKey("dark", Source("icelens", "1")), NOBODY)
    assert "several sources of picks (curation,0; icelens,1); say which" in refused(project)
    assert data_of(project, truth=("curation", "0")).truth.source == TRUTH


def test_project_without_picks_says_so(tmp_path: Path) -> None:
    assert "holds no picks to learn from; bring some in with" in refused(empty_project(tmp_path))


def test_picks_of_an_object_that_the_project_does_not_know_are_refused(project: Project) -> None:
    project.write_picks("TS_1", PicksKey("ghost", TRUTH), NOBODY)
    assert "no object ghost" in refused(project)


def test_runs_without_tomogram_or_truth_are_left_out_unless_named(project: Project) -> None:
    project.write_picks("TS_3", PicksKey("dark", TRUTH), NOBODY)
    project.write_tomogram("TS_4", Volume(np.ones(SHAPE, np.float32), PIXEL_SIZE), "wbp")
    data = data_of(project)
    assert data.run_names() == ("TS_1", "TS_2")
    assert data.checked(["TS_3"]) == ("TS_3",)
    with pytest.raises(MetadataError, match="run TS_3 has no tomogram"):
        data.load(("TS_3",), ignore)
    with pytest.raises(MetadataError, match="run TS_4 has no picks of curation,0; leave it out"):
        data.checked(["TS_4"])
    with pytest.raises(MetadataError, match=r"no run TS_9; there are TS_1, TS_2"):
        data.checked(["TS_9"])


def test_no_run_that_can_be_used_is_one_line(tmp_path: Path) -> None:
    project = empty_project(tmp_path / "p")
    project.write_picks("TS_1", PicksKey("dark", TRUTH), NOBODY)
    assert "no run has a tomogram and picks of curation,0" in refused(project)


def test_continuous_classes_come_last_and_may_be_made_up(project: Project) -> None:
    add_membrane(project)
    data = data_of(project, segmentations=("membrane", "other", "1"))
    assert [each.name for each in data.truth.classes] == ["dark", "bright", "membrane"]
    membrane = data.truth.classes[-1]
    assert (membrane.label, membrane.is_particle) == (4, False)
    assert data.load(("TS_1",), ignore)[0].holds(2)
    with pytest.raises(MetadataError, match="run TS_2 has no segmentation membrane,other,1"):
        data.load(("TS_2",), ignore)


def test_words_of_segmentations_come_in_threes(project: Project) -> None:
    assert "--segmentations is membrane,other" in refused(
        project, segmentations=("membrane", "other")
    )


def test_target_needs_no_picks(project: Project) -> None:
    key = SegmentationKey(PIXEL_SIZE, "targets", Source("other", "1"), is_multilabel=True)
    project.write_segmentation("TS_2", key, Volume(np.full(SHAPE, 3, np.uint8), PIXEL_SIZE))
    data = data_of(project, target=("targets", "other", "1"))
    assert data.truth.source is None
    assert data.run_names() == ("TS_2",)
    (tomogram,) = data.load(("TS_2",), ignore)
    assert (tomogram.labels == 2).all()
    assert "segmentation targets,else,1" in refused(project, target=("targets", "else", "1"))


def test_runs_of_one_name_in_two_projects_are_told_apart(project: Project, tmp_path: Path) -> None:
    other = empty_project(tmp_path / "q")
    add_run(other, "TS_1", 77)
    data = data_of(project, other)
    assert data.run_names() == ("p/TS_1", "p/TS_2", "q/TS_1")
    assert data.checked(["TS_2", "q/TS_1"]) == ("p/TS_2", "q/TS_1")
    first, second = data.load(("p/TS_1", "q/TS_1"), ignore)
    assert (first.name, second.name) == ("p/TS_1", "q/TS_1")
    assert not np.array_equal(first.centre_zyx_px, second.centre_zyx_px)
    with pytest.raises(MetadataError, match="in several projects: name it p/TS_1 or q/TS_1"):
        data.checked(["TS_1"])
    with pytest.raises(MetadataError, match="run q/TS_2 is in no project"):
        data.checked(["q/TS_2"])


def test_projects_whose_files_have_one_name_are_told_by_their_folders(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        add_run(empty_project(tmp_path / folder), "TS_1", len(folder))
        (tmp_path / folder / f"{folder}.json").rename(tmp_path / folder / "project.json")
    paths = tuple(tmp_path / folder / "project.json" for folder in ("first", "second"))
    data = open_data(PickComputeConfig(project=paths), ignore)
    assert data.run_names() == ("first/TS_1", "second/TS_1")
    assert [each.name for each in data.load(("second/TS_1",), ignore)] == ["second/TS_1"]
    nested = tmp_path / "deeper" / "first"
    shutil.copytree(tmp_path / "first", nested)
    data = open_data(PickComputeConfig(project=(paths[0], nested / "project.json")), ignore)
    assert data.run_names() == ("1/TS_1", "2/TS_1")


def test_project_named_twice_is_learnt_from_once(project: Project) -> None:
    assert data_of(project, project).run_names() == ("TS_1", "TS_2")


def test_project_under_two_names_is_learnt_from_once(project: Project, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(project.path)
    data = open_data(PickComputeConfig(project=(project.path, link)), ignore)
    assert data.run_names() == ("TS_1", "TS_2")


def test_runs_of_different_sampling_are_not_mixed(project: Project) -> None:
    values = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    project.write_tomogram("TS_3", Volume(values, 12.0), "wbp")
    project.write_picks("TS_3", PicksKey("dark", TRUTH), NOBODY)
    with pytest.raises(MetadataError, match="TS_3 has 12 Å/voxel but TS_1 10; choose runs of one"):
        data_of(project).load(("TS_1", "TS_3"), ignore)
