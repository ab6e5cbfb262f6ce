"""Targets are written for the runs that were annotated, and for no others."""

import numpy as np
import pytest
from small_project import CURATION, OBJECTS, PIXEL_SIZE, SHAPE, small_project

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.project import PicksKey, SegmentationKey
from icelens.core.io.ome_zarr import write_zarr
from icelens.jobs.run import run_job
from icelens.tasks.pick.project_jobs import TargetsConfig, targets

TARGET = SegmentationKey(10.0, "targets", Source("icelens", "1"), is_multilabel=True)
RIBOSOME = ("ribosome", "curation", "0")


def written(project, folder, on_event=lambda event: None, **changes):
    config = TargetsConfig(project=project.path, output=folder / "run", **changes)
    return run_job(targets, config, on_event=on_event)


def test_every_annotated_run_gets_targets_also_an_empty_one(tmp_path):
    project = small_project(tmp_path)
    folder = written(project, tmp_path, truth=("curation", "0"))
    full = project.read_segmentation("TS_1", TARGET)
    assert set(np.unique(full.array)) == {0, 2, 5}
    assert (full.array.dtype, full.pixel_size) == (np.uint8, 10.0)
    assert not project.read_segmentation("TS_2", TARGET).array.any()
    assert (folder / "targets.png").exists()
    assert "apoferritin" in (folder / "report.html").read_text()


def test_a_run_that_nobody_annotated_is_left_out_and_told(tmp_path):
    project = small_project(tmp_path)
    project.write_tomogram("TS_3", Volume(np.ones(SHAPE, np.float32), 10.0), "wbp")
    events = []
    written(project, tmp_path, events.append, picks=RIBOSOME)
    assert project.segmentations("TS_3") == ()
    texts = [event.text for event in events if hasattr(event, "text")]
    assert "run TS_3 has nothing to paint and is left out" in texts
    with pytest.raises(MetadataError, match="run TS_3 has nothing of ribosome,curation,0"):
        written(project, tmp_path, picks=RIBOSOME, runs=("TS_3",))


def test_the_target_may_have_another_name(tmp_path):
    project = small_project(tmp_path)
    written(project, tmp_path, picks=RIBOSOME, target=("spheres", "me", "3"))
    (key,) = project.segmentations("TS_1")
    assert str(key) == "spheres,me,3@10"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "nothing to paint; give --picks"),
        ({"truth": ("nobody", "0")}, "no picks of nobody,0"),
        ({"picks": ("virus", "curation", "0")}, "no object virus; there are apoferritin"),
        ({"picks": ("ribosome", "nobody", "0")}, "no run has anything of ribosome,nobody,0"),
        ({"picks": ("ribosome", "curation")}, "--picks is ribosome,curation; expected NAME"),
        ({"picks": RIBOSOME, "voxel_size": 7.0}, "no tomogram of any type at 7 Å"),
        ({"picks": RIBOSOME, "tomogram_type": "x"}, "no tomogram of x"),
        ({"picks": ("membrane", "curation", "0")}, "object membrane has radius None"),
    ],
)
def test_what_cannot_be_painted_is_told_in_one_line(tmp_path, changes, words):
    project = small_project(tmp_path)
    with pytest.raises(MetadataError) as caught:
        written(project, tmp_path, **changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert project.segmentations("TS_1") == ()


def test_a_radius_of_zero_and_a_label_too_large_are_refused(tmp_path):
    objects = [OBJECTS[0] | {"radius": 0}, OBJECTS[1]]
    with pytest.raises(MetadataError, match=r"object ribosome has radius 0\.0; give its radius"):
        written(small_project(tmp_path, objects), tmp_path, picks=RIBOSOME)
    objects = [OBJECTS[0] | {"label": 300}, OBJECTS[1]]
    with pytest.raises(MetadataError, match="label of ribosome is above 255"):
        written(small_project(tmp_path, objects), tmp_path, picks=RIBOSOME)


def test_picks_outside_are_counted_and_refused_beyond_one_percent(tmp_path):
    project = small_project(tmp_path)
    places = np.tile([[50.0, 50.0, 50.0]], (200, 1))
    places[0] = (1000.0, 0.0, 0.0)
    key = PicksKey("ribosome", CURATION)
    project.write_picks("TS_1", key, Picks(places))
    events = []
    written(project, tmp_path, events.append, picks=RIBOSOME)
    texts = [event.text for event in events if hasattr(event, "text")]
    assert any("1 of 200 picks lie outside" in text for text in texts)
    places[:3] = (1000.0, 0.0, 0.0)
    project.write_picks("TS_1", key, Picks(places))
    with pytest.raises(MetadataError, match=r"3 of 200 picks lie outside .*3 of ribosome in TS_1"):
        written(project, tmp_path, picks=RIBOSOME)


def test_positions_in_voxels_are_refused(tmp_path):
    project = small_project(tmp_path)
    places = np.random.default_rng(0).uniform(0, 14, (8, 3))
    project.write_picks("TS_1", PicksKey("ribosome", CURATION), Picks(places))
    with pytest.raises(MetadataError, match=r"run TS_1, ribosome: all 8 positions .* multiply"):
        written(project, tmp_path, picks=RIBOSOME)
    assert project.segmentations("TS_1") == ()


def test_a_damaged_tomogram_costs_only_its_picture(tmp_path):
    project = small_project(tmp_path)
    for chunk in tmp_path.rglob("TS_1/VoxelSpacing10.000/wbp.zarr/0/0/0/0"):
        chunk.unlink()
    events = []
    written(project, tmp_path, events.append, picks=RIBOSOME)
    texts = [event.text for event in events if hasattr(event, "text")]
    assert any("run TS_1 is not drawn" in text for text in texts)
    assert len(project.segmentations("TS_2")) == 1


@pytest.mark.parametrize("value", [0.5, float("nan"), -1.0])
def test_densities_are_no_labels(tmp_path, value):
    project = small_project(tmp_path)
    key = SegmentationKey(PIXEL_SIZE, "membrane", CURATION, is_multilabel=False)
    path = project.write_segmentation("TS_1", key, Volume(np.ones(SHAPE, np.uint8), PIXEL_SIZE))
    write_zarr(path, Volume(np.full(SHAPE, value, np.float32), PIXEL_SIZE), version="0.4")
    with pytest.raises(InputFileError, match=r"membrane\.zarr: holds values such as .* labels"):
        written(project, tmp_path, segmentations=("membrane", "curation", "0"))
