"""Browsing names everything, and what is broken."""

import numpy as np
import pytest
from small_project import CURATION, SHAPE, small_project

from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.project import Features, SegmentationKey
from icelens.tasks.pick.browse import browse_project
from icelens.tasks.pick.project_jobs import BrowseConfig


def told(project, **changes):
    events = []
    answer = browse_project(BrowseConfig(project=project.path, **changes), events.append)
    return [event.text for event in events], answer


def test_objects_tomograms_picks_and_segmentations_are_listed(tmp_path):
    project = small_project(tmp_path)
    key = project.tomograms("TS_1")[0]
    targets = SegmentationKey(10.0, "targets", CURATION, is_multilabel=True)
    project.write_segmentation("TS_1", targets, Volume(np.zeros(SHAPE), 10.0))
    project.write_features("TS_1", key, "predict-a-1", Features(np.zeros((1, 2, 2, 2)), 20.0))
    lines, answer = told(project)
    assert lines[:3] == [
        "object ribosome: label 2, radius 50 Å, weight 1",
        "object apoferritin: label 5, radius 30 Å, weight 1",
        "object membrane: label 7, no radius, weight 1, no particle",
    ]
    assert "run TS_1: tomogram wbp, 10 Å/px, 16 x 20 x 24 voxels (z, y, x)" in lines
    assert "run TS_1: features predict-a-1 of wbp@10" in lines
    assert "run TS_1: 3 picks apoferritin,curation,0" in lines
    assert "run TS_1: segmentation targets,curation,0@10, labels of objects" in lines
    assert "run TS_2: 0 picks ribosome,curation,0" in lines
    assert answer == "project: 3 objects, 2 runs"


def test_a_choice_of_runs_is_kept_to(tmp_path):
    project = small_project(tmp_path)
    lines, _ = told(project, runs=("TS_2",))
    assert not any("TS_1" in line for line in lines)
    with pytest.raises(MetadataError, match="no run TS_7"):
        told(project, runs=("TS_7",))


def test_what_is_broken_is_named_after_the_rest(tmp_path):
    project = small_project(tmp_path)
    broken = tmp_path / "overlay/ExperimentRuns/TS_1/Picks/curation_0_ribosome.json"
    broken.write_text("{")
    (tmp_path / "overlay/ExperimentRuns/TS_2/VoxelSpacing10.000/wbp.zarr/0/.zarray").unlink()
    with pytest.raises(InputFileError) as caught:
        told(project)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{broken}: not JSON")
    assert "wbp.zarr: not a readable OME-Zarr image" in second
