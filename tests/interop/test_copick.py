"""The real copick reads what we write, and we read what it writes, to the last bit.

Run by `make interop` in an environment of its own.
"""

import json
import warnings

import copick
import fsspec
import numpy as np
import pytest
import zarr
from copick.util.escape import sanitize_name

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError
from icelens.core.io.copick.config import new_project_content, write_project_file
from icelens.core.io.copick.keys import copick_name
from icelens.core.io.copick.project import (
    Features,
    PicksKey,
    SegmentationKey,
    TomogramKey,
    open_project,
)

RNG = np.random.default_rng(0)
SHAPE = (9, 300, 11)  # odd sides, and more than one chunk of 256
VALUES = RNG.normal(size=SHAPE).astype(np.float32)
LABELS = RNG.integers(0, 3, SHAPE).astype(np.uint8)
OBJECTS = (
    PickableObject("ribosome", 2, 150.0, color=(1, 2, 3, 255), metadata={"score_weight": 2.0}),
    PickableObject("membrane", 7, is_particle=False),
)
KEY = TomogramKey(10.0, "wbp-denoised")
RIBOSOMES = PicksKey("ribosome", Source("curation", "0"))
TARGETS = SegmentationKey(10.0, "targets", Source("icelens", "1"), is_multilabel=True)
MASK = SegmentationKey(10.0, "membrane", Source("icelens", "1"), is_multilabel=False)


def random_poses(num):
    """Rotations by QR, and shifts of a few Å with all their digits."""
    poses = np.tile(np.eye(4), (num, 1, 1))
    for pose in poses:
        q, r = np.linalg.qr(RNG.normal(size=(3, 3)))
        q = q * np.sign(np.diag(r))
        pose[:3, :3] = q if np.linalg.det(q) > 0 else -q
    poses[:, :3, 3] = RNG.normal(size=(num, 3))
    return poses


@pytest.fixture(params=["disk", "memory"])
def path(tmp_path, request):
    """A project on disk, and one that only fsspec reaches."""
    file = tmp_path / "project.json"
    content = new_project_content(
        "both", OBJECTS, overlay_root=tmp_path / "overlay", static_root=None
    )
    if request.param == "memory":
        content["overlay_root"] = f"memory://{tmp_path.name}"
        content["overlay_fs_args"] = {}
    write_project_file(file, content)
    return file


def picked(num=5):
    poses = random_poses(num)
    return Picks(RNG.uniform(0, 90, (num, 3)), poses[:, :3, :3], score=RNG.random(num))


def test_copick_reads_our_configuration(path):
    root = copick.from_file(str(path))
    assert root.config.name == "both"
    ribosome, membrane = root.config.pickable_objects
    assert (ribosome.name, ribosome.label, ribosome.radius) == ("ribosome", 2, 150.0)
    assert (ribosome.color, ribosome.metadata) == ((1, 2, 3, 255), {"score_weight": 2.0})
    assert (membrane.is_particle, membrane.radius, membrane.label) == (False, None, 7)
    assert open_project(path).objects == OBJECTS


def test_copick_reads_our_tomograms_and_segmentations(path):
    project = open_project(path)
    project.write_tomogram("TS_1", Volume(VALUES, 10.0), KEY.tomogram_type)
    project.write_segmentation("TS_1", TARGETS, Volume(LABELS, 10.0))
    project.write_segmentation("TS_1", MASK, Volume((LABELS > 0).astype(np.uint8), 10.0))
    run = copick.from_file(str(path)).get_run("TS_1")
    (spacing,) = run.voxel_spacings
    (tomogram,) = spacing.tomograms
    assert (spacing.voxel_size, tomogram.tomo_type) == (10.0, "wbp-denoised")
    np.testing.assert_array_equal(tomogram.numpy(), VALUES)
    for level, shape in (("1", (5, 150, 6)), ("2", (3, 75, 3))):
        assert tomogram.numpy(zarr_group=level).shape == shape
    (targets,) = run.get_segmentations(is_multilabel=True)
    (mask,) = run.get_segmentations(is_multilabel=False)
    np.testing.assert_array_equal(targets.numpy(), LABELS)
    np.testing.assert_array_equal(mask.numpy(), LABELS > 0)
    assert (targets.name, targets.user_id, targets.session_id) == ("targets", "icelens", "1")


def test_copick_reads_our_picks(path):
    picks = picked()
    project = open_project(path)
    project.write_picks("TS_1", RIBOSOMES, picks)
    project.write_picks("TS_2", RIBOSOMES, picks.select([False] * 5))
    root = copick.from_file(str(path))
    (found,) = root.get_run("TS_1").picks
    places, poses = found.numpy()
    np.testing.assert_array_equal(places + poses[:, :3, 3], picks.position_zyx[:, ::-1])
    np.testing.assert_array_equal(poses[:, :3, :3], picks.rotation)
    assert [point.score for point in found.points] == picks.score.tolist()
    (empty,) = root.get_run("TS_2").picks
    assert (empty.points, empty.pickable_object_name) == ([], "ribosome")


def test_copick_reads_our_features(path):
    project = open_project(path)
    project.write_tomogram("TS_1", Volume(VALUES, 10.0), KEY.tomogram_type)
    array = RNG.random((2, 5, 150, 6)).astype(np.float16)
    features = Features(array, 20.0, (5.0, 5.0, 5.0), {"objects": ["ribosome"]})
    project.write_features("TS_1", KEY, "predict-icelens-1", features)
    tomogram = copick.from_file(str(path)).get_run("TS_1").voxel_spacings[0].tomograms[0]
    (found,) = tomogram.features
    assert found.feature_type == "predict-icelens-1"
    np.testing.assert_array_equal(found.numpy(), array)
    again = open_project(path).read_features("TS_1", KEY, "predict-icelens-1")
    np.testing.assert_array_equal(again.array, array)
    assert (again.pixel_size, again.origin_zyx) == (20.0, (5.0, 5.0, 5.0))
    assert again.attributes == {"objects": ["ribosome"]}


def test_we_read_what_copick_writes(path):
    run = copick.from_file(str(path)).new_run("TS_1")
    tomogram = run.new_voxel_spacing(10.0).new_tomogram("wbp-denoised")
    tomogram.from_numpy(VALUES)
    poses, places, scores = random_poses(6), RNG.uniform(0, 90, (6, 3)), RNG.random(6)
    picks = run.new_picks("ribosome", "0", "curation")
    picks.from_numpy(places, poses, scores=scores)
    targets = run.new_segmentation(10.0, "targets", "1", is_multilabel=True, user_id="icelens")
    targets.from_numpy(LABELS)
    mask = run.new_segmentation(10.0, "membrane", "1", user_id="icelens")
    mask.from_numpy((LABELS > 0).astype(np.uint8))
    project = open_project(path)
    assert project.run_names() == ("TS_1",)
    assert project.tomograms("TS_1") == (KEY,)
    assert project.tomogram_shape("TS_1", KEY) == SHAPE
    found = project.open_tomogram("TS_1", KEY)
    np.testing.assert_array_equal(found.array, VALUES)
    assert found.pixel_size == 10.0
    read = project.read_picks("TS_1", RIBOSOMES)
    np.testing.assert_array_equal(read.position_zyx[:, ::-1], places + poses[:, :3, 3])
    np.testing.assert_array_equal(read.rotation, poses[:, :3, :3])
    np.testing.assert_array_equal(read.score, scores)
    assert set(project.segmentations("TS_1")) == {TARGETS, MASK}
    np.testing.assert_array_equal(project.read_segmentation("TS_1", TARGETS).array, LABELS)
    np.testing.assert_array_equal(project.read_segmentation("TS_1", MASK).array, LABELS > 0)


def test_we_read_features_that_copick_stores_without_metadata(path):
    run = copick.from_file(str(path)).new_run("TS_1")
    tomogram = run.new_voxel_spacing(10.0).new_tomogram("wbp-denoised")
    tomogram.from_numpy(VALUES)
    array = RNG.random((2, 9, 30, 11)).astype(np.float32)
    features = tomogram.new_features("sobel")
    zarr.open_group(features.zarr(), mode="a").create_dataset(
        "0", data=array, chunks=(1, 8, 8, 8), dimension_separator="/"
    )
    project = open_project(path)
    assert project.features("TS_1", KEY) == ("sobel",)
    found = project.read_features("TS_1", KEY, "sobel")
    np.testing.assert_array_equal(found.array, array)
    assert found.pixel_size == 10.0


def test_we_write_over_what_copick_wrote_and_the_other_way_round(path):
    project = open_project(path)
    project.write_picks("TS_1", RIBOSOMES, picked(3))
    picks = copick.from_file(str(path)).get_run("TS_1").picks[0]
    picks.from_numpy(np.ones((7, 3)))
    assert len(open_project(path).read_picks("TS_1", RIBOSOMES)) == 7
    project = open_project(path)
    project.write_picks("TS_1", RIBOSOMES, picked(4))
    assert len(project.read_picks("TS_1", RIBOSOMES)) == 4
    project.write_tomogram("TS_1", Volume(VALUES, 10.0), KEY.tomogram_type)
    project.write_tomogram("TS_1", Volume(VALUES + 1, 10.0), KEY.tomogram_type)
    np.testing.assert_array_equal(project.open_tomogram("TS_1", KEY).array, VALUES + 1)


def test_a_missing_chunk_is_found_wherever_it_lies(path):
    project = open_project(path)
    project.write_tomogram("TS_1", Volume(VALUES, 10.0), KEY.tomogram_type)
    root = copick.from_file(str(path))
    tomogram = root.get_run("TS_1").voxel_spacings[0].tomograms[0]
    root.fs_overlay.rm(f"{tomogram.overlay_path}/0/0/1/0")
    with pytest.raises(InputFileError, match=r"1 of 2 chunks .*missing"):
        open_project(path).open_tomogram("TS_1", KEY)


def test_a_static_root_elsewhere_goes_with_a_local_overlay(tmp_path):
    root = f"memory://{tmp_path.name}-static"
    static, both = tmp_path / "static.json", tmp_path / "both.json"
    content = new_project_content("x", OBJECTS, overlay_root=tmp_path, static_root=None)
    write_project_file(static, content | {"overlay_root": root, "overlay_fs_args": {}})
    write_project_file(both, content | {"static_root": root})
    open_project(static).write_picks("TS_1", RIBOSOMES, picked(3))
    project = open_project(both)
    project.write_picks("TS_2", RIBOSOMES, picked(2))
    assert project.run_names() == ("TS_1", "TS_2")
    assert [len(project.read_picks(run, RIBOSOMES)) for run in ("TS_1", "TS_2")] == [3, 2]
    assert (tmp_path / "ExperimentRuns/TS_2/Picks/curation_0_ribosome.json").exists()
    assert not fsspec.filesystem("memory").exists(f"{tmp_path.name}-static/ExperimentRuns/TS_2")


def test_a_backend_that_fails_is_told_in_one_line(tmp_path):
    path = tmp_path / "p.json"
    content = new_project_content("x", OBJECTS, overlay_root=tmp_path, static_root=None)
    path.write_text(json.dumps(content | {"overlay_root": "nosuchprotocol://x"}))
    with pytest.raises(InputFileError, match="cannot be reached through copick") as caught:
        open_project(path).run_names()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["beta_gal", "a b", " x ", "a<b>:c", "80S", "é-1", "a\tb", "-a-"])
def test_names_are_cleaned_as_copick_cleans_them(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert copick_name(text) == sanitize_name(text)
