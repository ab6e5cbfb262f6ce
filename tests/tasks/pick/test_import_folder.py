"""Tomograms come into a project with their true sampling and grey values, or not at all."""

import json

import numpy as np
import pytest

from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError, InputFileError, MetadataError
from icelens.core.io.copick.project import TomogramKey, open_project
from icelens.core.io.volumes import write_volume
from icelens.tasks.pick.import_folder import import_into_project, object_of
from icelens.tasks.pick.project_jobs import ImportConfig

SHAPE = (8, 12, 10)
VALUES = np.random.default_rng(0).normal(3.0, 1.0, SHAPE).astype(np.float32)


def tomogram(path, pixel_size=10.0, values=VALUES):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, Volume(values, pixel_size, (1.0, 2.0, 3.0)))


def imported(place, **changes):
    values = {"project": place / "p.json", "folder": place / "in"}
    config = ImportConfig(**(values | changes))
    import_into_project(config, lambda event: None)
    return open_project(config.project)


def test_a_new_project_gets_tomograms_objects_and_an_overlay_beside_it(tmp_path):
    tomogram(tmp_path / "in/TS_1.rec")
    tomogram(tmp_path / "in/TS_2.denoised.mrc")
    objects = ("ribosome=150", "virus=135.5", "membrane=")
    project = imported(tmp_path, tomogram_type="denoised", voxel_size=10, objects=objects)
    assert project.run_names() == ("TS_1", "TS_2")
    found = project.open_tomogram("TS_1", TomogramKey(10.0, "denoised"))
    np.testing.assert_array_equal(found.array, VALUES)
    # picks count from the first voxel, so an origin would only displace them in viewers
    assert found.origin_xyz == (0.0, 0.0, 0.0)
    assert [(each.name, each.label, each.radius) for each in project.objects] == [
        ("ribosome", 1, 150.0),
        ("virus", 2, 135.5),
        ("membrane", 3, None),
    ]
    assert not project.find("membrane").is_particle
    assert (tmp_path / "p_overlay/ExperimentRuns/TS_1").is_dir()


def test_an_existing_project_keeps_what_it_has(tmp_path):
    tomogram(tmp_path / "in/TS_1.mrc")
    imported(tmp_path, objects=("ribosome=150",), overlay=tmp_path / "elsewhere")
    content = json.loads((tmp_path / "p.json").read_text())
    (tmp_path / "p.json").write_text(json.dumps(content | {"future": 1}))
    project = imported(tmp_path, tomogram_type="wbp", objects=("virus=100",))
    assert [key.tomogram_type for key in project.tomograms("TS_1")] == ["raw", "wbp"]
    assert [each.label for each in project.objects] == [1, 2]
    assert json.loads((tmp_path / "p.json").read_text())["future"] == 1
    assert (tmp_path / "elsewhere/ExperimentRuns/TS_1").is_dir()
    with pytest.raises(MetadataError, match="ribosome is there twice"):
        imported(tmp_path, objects=("ribosome=100",))


def test_the_header_knows_more_digits_than_the_user(tmp_path):
    tomogram(tmp_path / "in/TS_1.mrc", pixel_size=10.012)
    (key,) = imported(tmp_path, voxel_size=10).tomograms("TS_1")
    assert key == TomogramKey(10.012, "raw")


def test_a_coarser_sampling_keeps_grey_values_and_places(tmp_path):
    x = np.broadcast_to(np.arange(16) * 5.0, (16, 16, 16))
    wave = (3.0 + np.cos(2 * np.pi * x / 40.0)).astype(np.float32)
    tomogram(tmp_path / "in/TS_1.mrc", 5.0, wave)
    project = imported(tmp_path, output_voxel_size=10.0)
    key = TomogramKey(10.0, "raw")
    found = project.open_tomogram("TS_1", key)
    assert (found.shape, found.pixel_size) == ((8, 8, 8), 10.0)
    # float32 transforms of values up to 4
    np.testing.assert_allclose(found.array, wave[::2, ::2, ::2], atol=1e-5)


def test_a_sampling_that_is_no_multiple_is_recorded_as_it_is(tmp_path):
    tomogram(tmp_path / "in/TS_1.mrc", 7.84, np.tile(VALUES, (2, 2, 2)))
    project = imported(tmp_path, output_voxel_size=10.0)
    found = project.open_tomogram("TS_1", TomogramKey(10.0, "raw"))
    assert (found.shape, found.pixel_size) == ((13, 19, 16), 10.0)
    assert found.array.mean() == pytest.approx(3.0, abs=0.05)


def test_only_the_runs_that_are_named_are_imported(tmp_path):
    for name in ("TS_1", "TS_2"):
        tomogram(tmp_path / f"in/{name}.mrc")
    assert imported(tmp_path, runs=("TS_2",)).run_names() == ("TS_2",)
    with pytest.raises(MetadataError, match="no file of run TS_7"):
        imported(tmp_path, runs=("TS_7",))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"voxel_size": 5.0}, "the header says 10 Å/px but the metadata say 5"),
        ({"output_voxel_size": 5.0}, "coarser than --output-voxel-size 5"),
        ({"tomogram_type": "w_b_p"}, "tomogram type 'w_b_p'"),
        ({"user": "a_b"}, "user 'a_b'"),
        ({"objects": ("ribosome",)}, "expected name=radius"),
        ({"folder": None}, "nothing to import"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path, changes, words):
    tomogram(tmp_path / "in/TS_1.mrc")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(MetadataError) as caught:
        imported(tmp_path, **changes)
    assert words in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_expert_may_overrule_the_header(tmp_path):
    tomogram(tmp_path / "in/TS_1.mrc")
    project = imported(tmp_path, voxel_size=5.0, pixel_size_from="metadata")
    assert project.tomograms("TS_1") == (TomogramKey(5.0, "raw"),)


def test_a_header_that_knows_nothing_needs_the_flag(tmp_path):
    tomogram(tmp_path / "in/TS_1.mrc", pixel_size=1.0)
    with pytest.raises(MetadataError, match=r"TS_1.mrc: .* --voxel-size"):
        imported(tmp_path)
    assert imported(tmp_path, voxel_size=8).tomograms("TS_1")[0].pixel_size == 8.0


def test_two_files_of_one_run_are_refused(tmp_path):
    tomogram(tmp_path / "in/TS_1.mrc")
    tomogram(tmp_path / "in/TS_1.rec")
    with pytest.raises(MetadataError, match=r"TS_1.rec: would be run TS_1, and so would"):
        imported(tmp_path)


def test_a_damaged_tomogram_leaves_no_project_behind(tmp_path):
    tomogram(tmp_path / "in/TS_1.mrc")
    tomogram(tmp_path / "in/TS_2.mrc", values=np.full(SHAPE, 2.0, np.float32))
    with pytest.raises(InputFileError, match="every voxel is 2"):
        imported(tmp_path)
    assert not (tmp_path / "p.json").exists()


@pytest.mark.parametrize("text", ["ribosome", "ribosome=big", "a=0", "a=-3", "a=inf", "b_c=3"])
def test_an_object_is_a_name_and_a_radius(text):
    with pytest.raises(IcelensError):
        object_of(text)
