"""A project gives back what is written into it, and says what is missing."""

import json
import shutil

import numpy as np
import pytest

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.project import (
    Features,
    PicksKey,
    SegmentationKey,
    TomogramKey,
    open_project,
)

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(5, 6, 7)).astype(np.float32)
OBJECTS = [
    {"name": "ribosome", "is_particle": True, "label": 2, "radius": 150.0},
    {"name": "apoferritin", "is_particle": True, "label": 1, "radius": 60.0},
    {"name": "membrane", "is_particle": False, "label": 3},
]
CURATION = Source("curation", "0")


def new_project(folder, **changes):
    path = folder / "project.json"
    content = {
        "config_type": "filesystem",
        "pickable_objects": OBJECTS,
        "overlay_root": f"local://{folder}/overlay",
    }
    path.write_text(json.dumps(content | changes))
    return open_project(path)


@pytest.fixture
def project(tmp_path):
    made = new_project(tmp_path)
    made.write_tomogram("TS_1", Volume(VALUES, 10.012), "wbp")
    return made


def test_objects_are_found_by_name_and_particles_come_by_label(project):
    assert [each.name for each in project.particles()] == ["apoferritin", "ribosome"]
    assert project.find("membrane").label == 3
    with pytest.raises(MetadataError, match="no object virus; there are apoferritin, membrane"):
        project.find("virus")


def test_a_tomogram_is_read_back_to_the_bit_with_its_exact_sampling(project):
    key = TomogramKey(10.012, "wbp")
    assert project.tomograms("TS_1") == (key,)
    assert project.tomogram_shape("TS_1", key) == (5, 6, 7)
    found = project.open_tomogram("TS_1", key)
    np.testing.assert_array_equal(found.array, VALUES)
    assert found.pixel_size == 10.012


def test_levels_are_what_copick_expects(project, tmp_path):
    path = tmp_path / "overlay/ExperimentRuns/TS_1/VoxelSpacing10.012/wbp.zarr"
    array = json.loads((path / "0/.zarray").read_text())
    assert (array["zarr_format"], array["dimension_separator"], array["dtype"]) == (2, "/", "<f4")
    assert (array["compressor"]["id"], array["compressor"]["cname"]) == ("blosc", "lz4")
    image = json.loads((path / ".zattrs").read_text())["multiscales"][0]
    assert [level["path"] for level in image["datasets"]] == ["0", "1", "2"]
    steps = image["datasets"][2]["coordinateTransformations"]
    assert steps[0]["scale"] == pytest.approx([4 * 10.012] * 3)
    # the first coarse voxel covers four fine ones, so its centre is 1.5 of them further in
    assert steps[1]["translation"] == pytest.approx([1.5 * 10.012] * 3)
    for mark in (path.parent / ".meta", path.parent.parent / ".meta"):
        assert mark.read_text() == "meta"


def test_picks_are_read_back_to_the_bit_and_an_empty_list_stays_one(project):
    key = PicksKey("ribosome", CURATION)
    turned = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]] * 4)
    picks = Picks(RNG.normal(size=(4, 3)) * 100, turned, score=RNG.random(4))
    project.write_picks("TS_1", key, picks)
    found = project.read_picks("TS_1", key)
    np.testing.assert_array_equal(found.position_zyx, picks.position_zyx)
    np.testing.assert_array_equal(found.rotation, picks.rotation)
    np.testing.assert_array_equal(found.score, picks.score)
    assert (set(found.species), set(found.tomogram_id)) == ({"ribosome"}, {"TS_1"})
    path = project.write_picks("TS_1", key, picks.select([False] * 4))
    assert len(project.read_picks("TS_1", key)) == 0
    assert json.loads(path.read_text())["pickable_object_name"] == "ribosome"
    assert project.picks("TS_1") == (key,)


def test_the_translation_of_a_pose_is_added_to_its_location(project, tmp_path):
    pose = np.eye(4)
    pose[:3, 3] = (1.5, 2.5, 3.5)
    content = {
        "pickable_object_name": "ribosome",
        "user_id": "napari",
        "session_id": "7",
        "points": [{"location": {"x": 1, "y": 2, "z": 3}, "transformation_": pose.tolist()}],
    }
    folder = tmp_path / "overlay/ExperimentRuns/TS_2/Picks"
    folder.mkdir(parents=True)
    (folder / "napari_7_ribosome.json").write_text(json.dumps(content))
    found = project.read_picks("TS_2", PicksKey("ribosome", Source("napari", "7")))
    np.testing.assert_array_equal(found.position_zyx, [[6.5, 4.5, 2.5]])


def test_labels_are_read_back_as_uint8(project):
    labels = RNG.integers(0, 4, size=(5, 6, 7))
    key = SegmentationKey(10.0, "targets", CURATION, is_multilabel=True)
    project.write_segmentation("TS_1", key, Volume(labels, 10.0))
    assert project.segmentations("TS_1") == (key,)
    found = project.read_segmentation("TS_1", key)
    np.testing.assert_array_equal(found.array, labels)
    assert found.array.dtype == np.uint8


@pytest.mark.parametrize("value", [256, -1, 0.5])
def test_labels_that_do_not_fit_are_refused(project, value):
    labels = np.full((2, 2, 2), value)
    key = SegmentationKey(10.0, "targets", CURATION, is_multilabel=True)
    with pytest.raises(MetadataError, match="0 to 255"):
        project.write_segmentation("TS_1", key, Volume(labels, 10.0))
    assert project.segmentations("TS_1") == ()


def test_features_are_read_back_with_their_grid_and_attributes(project):
    key = project.choose_tomogram("TS_1", 10.0, "wbp")
    features = Features(
        RNG.random((2, 3, 3, 4)).astype(np.float16),
        20.024,
        (5.006, 5.006, 5.006),
        {"objects": ["ribosome"], "thresholds": {"ribosome": 0.5}},
    )
    project.write_features("TS_1", key, "predict-icelens-1", features)
    assert project.features("TS_1", key) == ("predict-icelens-1",)
    assert project.tomograms("TS_1") == (key,)
    found = project.read_features("TS_1", key, "predict-icelens-1")
    np.testing.assert_array_equal(found.array, features.array)
    assert found.array.dtype == np.float16
    assert (found.pixel_size, found.origin_zyx) == (20.024, features.origin_zyx)
    assert found.attributes == features.attributes


def test_static_and_overlay_are_one_and_the_overlay_wins(tmp_path):
    (tmp_path / "first").mkdir()
    first = new_project(tmp_path / "first")
    key = PicksKey("ribosome", CURATION)
    first.write_picks("TS_1", key, Picks(np.zeros((1, 3))))
    first.write_picks("TS_2", key, Picks(np.zeros((2, 3))))
    second = new_project(tmp_path, static_root=f"local://{tmp_path}/first/overlay")
    second.write_picks("TS_1", key, Picks(np.zeros((3, 3))))
    second.write_picks("TS_3", key, Picks(np.zeros((0, 3))))
    assert second.run_names() == ("TS_1", "TS_2", "TS_3")
    assert [len(second.read_picks(run, key)) for run in second.run_names()] == [3, 2, 0]
    assert [len(first.read_picks(run, key)) for run in first.run_names()] == [1, 2]


def test_the_configuration_may_list_its_runs(tmp_path):
    project = new_project(tmp_path, runs=["TS_2"])
    project.write_picks("TS_1", PicksKey("ribosome", CURATION), Picks(np.zeros((1, 3))))
    assert project.select_runs(()) == ("TS_2",)


def test_only_runs_that_exist_are_selected(project):
    assert project.select_runs(["TS_1", "TS_1"]) == ("TS_1",)
    with pytest.raises(MetadataError, match="no run TS_9; there are TS_1"):
        project.select_runs(["TS_9"])


def test_a_project_without_runs_says_so(tmp_path):
    with pytest.raises(MetadataError, match="holds no run"):
        new_project(tmp_path).select_runs(())


def test_the_only_fitting_tomogram_is_chosen(project):
    wbp = TomogramKey(10.012, "wbp")
    assert project.choose_tomogram("TS_1", None, None) == wbp
    assert project.choose_tomogram("TS_1", 10, None) == wbp
    project.write_tomogram("TS_1", Volume(VALUES, 10.0), "denoised")
    project.write_tomogram("TS_1", Volume(VALUES, 10.0), "wbp")
    assert project.choose_tomogram("TS_1", 10.012, "wbp") == wbp
    assert project.choose_tomogram("TS_1", 10, "wbp") == TomogramKey(10.0, "wbp")
    for pixel_size, tomogram_type, words in (
        (None, None, "more than one tomogram of any type at any voxel size"),
        (5.0, None, "no tomogram of any type at 5 Å; there are denoised@10, wbp@10, wbp@10.012"),
        (None, "raw", "no tomogram of raw"),
    ):
        with pytest.raises(MetadataError, match=words):
            project.choose_tomogram("TS_1", pixel_size, tomogram_type)


def test_a_run_without_tomogram_says_so(project):
    project.write_picks("TS_2", PicksKey("ribosome", CURATION), Picks(np.zeros((1, 3))))
    with pytest.raises(MetadataError, match="run TS_2 has no tomogram; import one"):
        project.choose_tomogram("TS_2", None, None)


def test_what_is_not_there_is_told_with_what_is(project):
    with pytest.raises(InputFileError, match="holds no ribosome,a,1; there is nothing of the kind"):
        project.read_picks("TS_1", PicksKey("ribosome", Source("a", "1")))
    with pytest.raises(InputFileError, match=r"holds no x@1; there are wbp@10.012"):
        project.open_tomogram("TS_1", TomogramKey(1.0, "x"))


def test_picks_of_another_object_or_run_are_not_written(project):
    key = PicksKey("ribosome", CURATION)
    with pytest.raises(MetadataError, match="picks of object virus cannot be written as ribosome"):
        project.write_picks("TS_1", key, Picks(np.zeros((1, 3)), species=("virus",)))
    with pytest.raises(MetadataError, match="picks of run TS_2 cannot be written as TS_1"):
        project.write_picks("TS_1", key, Picks(np.zeros((1, 3)), tomogram_id=("TS_2",)))
    assert project.picks("TS_1") == ()


def test_names_that_would_break_file_names_are_refused(project):
    with pytest.raises(MetadataError, match=r"user 'my_name' .* call it 'my-name'"):
        project.write_picks(
            "TS_1", PicksKey("ribosome", Source("my_name", "0")), Picks(np.zeros((1, 3)))
        )
    with pytest.raises(MetadataError, match="tomogram type"):
        project.write_tomogram("TS_1", Volume(VALUES, 10.0), "w_b_p")


def test_a_tomogram_with_a_missing_chunk_is_refused(project, tmp_path):
    key = TomogramKey(10.012, "wbp")
    chunk = tmp_path / "overlay/ExperimentRuns/TS_1/VoxelSpacing10.012/wbp.zarr/0/0/0/0"
    chunk.unlink()
    with pytest.raises(InputFileError, match="1 of 1 chunks are missing, the first is 0/0/0"):
        project.open_tomogram("TS_1", key)


def test_a_segmentation_may_lack_chunks_of_background(project, tmp_path):
    key = SegmentationKey(10.0, "targets", CURATION, is_multilabel=True)
    path = project.write_segmentation("TS_1", key, Volume(np.ones((3, 3, 3)), 10.0))
    shutil.rmtree(path / "0/0")
    assert not project.read_segmentation("TS_1", key).array.any()


def test_a_sampling_that_contradicts_the_folder_is_refused(project, tmp_path):
    spacing = tmp_path / "overlay/ExperimentRuns/TS_1/VoxelSpacing10.012"
    spacing.rename(spacing.with_name("VoxelSpacing5.000"))
    with pytest.raises(MetadataError, match=r"10.012 Å/px but the name says 5 Å/px"):
        project.open_tomogram("TS_1", TomogramKey(5.0, "wbp"))


def test_an_overlay_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "overlay").write_text("a file where the folder should be")
    project = new_project(tmp_path)
    with pytest.raises(InputFileError, match="overlay: cannot write here"):
        project.write_picks("TS_1", PicksKey("ribosome", CURATION), Picks(np.zeros((1, 3))))
    with pytest.raises(InputFileError, match="overlay: cannot write here"):
        project.write_tomogram("TS_1", Volume(VALUES, 10.0), "wbp")
