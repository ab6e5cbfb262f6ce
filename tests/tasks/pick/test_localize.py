"""The localize job: what was predicted is picked where it is, scored, and written completely."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from predicted_project import (
    OBJECTS,
    PIXEL_SIZE,
    TRUTH,
    add_tomogram,
    new_project,
    read,
    write_labels,
    write_probabilities,
)

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError
from icelens.core.events import Event, Message
from icelens.core.io.copick.project import PicksKey, Project, SegmentationKey
from icelens.jobs.run import run_job
from icelens.tasks.pick.localize import localize_runs
from icelens.tasks.pick.localize_jobs import LocalizeConfig, localize
from icelens.training.checkpoint import save_checkpoint

LOCALISED = 0.15 * PIXEL_SIZE
"""Å; a third of a percent of the tomogram, and far below the grid of 20 Å."""


def settings(project: Project, **changes: Any) -> LocalizeConfig:
    fields = {"project": project.path, "output": project.path.parent / "localize"}
    return LocalizeConfig.model_validate(fields | changes)


def localised(project: Project, **changes: Any) -> str:
    """Run the job and return what it said."""
    events: list[Event] = []
    run_job(localize, settings(project, **changes), on_event=events.append)
    return "\n".join(event.text for event in events if isinstance(event, Message))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


def sorted_truth(name: str) -> np.ndarray:
    return TRUTH[name][np.lexsort(TRUTH[name].T[::-1])]


def test_peaks_are_picked_where_the_particles_are(project):
    write_probabilities(project)
    said = localised(project)
    for name in TRUTH:
        picks = read(project, name)
        np.testing.assert_allclose(picks.position_zyx, sorted_truth(name), atol=LOCALISED)
        np.testing.assert_allclose(picks.score, 0.9, atol=0.1)
        assert set(picks.tomogram_id) == {"TS_1"}
    assert "TS_1: 3 ferritin, 2 ribosome" in said
    report = (project.path.parent / "localize" / "report.html").read_text()
    assert "Scores of the picks" in report


@pytest.mark.parametrize("method", ["watershed", "com"])
def test_labels_are_picked_where_the_particles_are(project, method):
    write_labels(project)
    localised(project, method=method)
    for name in TRUTH:
        picks = read(project, name)
        np.testing.assert_allclose(picks.position_zyx, sorted_truth(name), atol=LOCALISED)
        assert picks.score.tolist() == [1.0] * len(picks)


def test_labels_take_their_scores_from_probabilities(project):
    write_labels(project)
    write_probabilities(project, heights={"ferritin": 0.6})
    localised(project, method="watershed")
    # Balls of 0.7 radii reach a little beyond the blobs, where the probability falls.
    assert 0.2 < read(project, "ferritin").score.mean() < 0.45
    assert 0.45 < read(project, "ribosome").score.mean() < 0.9


def test_without_labels_the_likeliest_class_is_taken(project):
    write_probabilities(project)
    localised(project, method="watershed", objects=("ribosome",))
    found = read(project, "ribosome").position_zyx
    np.testing.assert_allclose(found, sorted_truth("ribosome"), atol=5.0)  # half a coarse voxel
    assert {key.name for key in project.picks("TS_1")} == {"ribosome"}


def test_segmentation_of_one_object_is_read_by_its_name(project):
    labels = np.zeros((32, 48, 40), np.uint8)
    labels[4:16, 6:18, 3:15] = 1
    key = SegmentationKey(PIXEL_SIZE, "ribosome", Source("me", "1"), is_multilabel=False)
    project.write_segmentation("TS_1", key, Volume(labels, PIXEL_SIZE))
    localised(project, method="com", segmentation=("ribosome", "me", "1"), objects=("ribosome",))
    np.testing.assert_allclose(read(project, "ribosome").position_zyx, [[95, 115, 85]])


def test_object_that_was_not_found_is_written_as_empty_over_old_picks(project):
    write_probabilities(project, heights={"ferritin": 0.2})
    stale = Picks(np.ones((2, 3)))
    project.write_picks("TS_1", PicksKey("ferritin", Source("icelens", "1")), stale)
    said = localised(project)
    assert len(read(project, "ferritin")) == 0
    assert len(read(project, "ribosome")) == 2
    assert "nothing was found of ferritin" in said


def test_user_session_and_runs_are_as_asked(project):
    for run in ("TS_2", "TS_3"):
        add_tomogram(project, run)
        write_probabilities(project, run)
    localised(project, runs=("TS_3", "TS_2"), user="me", session="7", objects=("ribosome",))
    assert len(read(project, "ribosome", "TS_3", Source("me", "7"))) == 2
    assert [len(project.picks(run)) for run in ("TS_1", "TS_2", "TS_3")] == [0, 1, 1]


def test_model_gives_thresholds_and_radii_the_project_does_not_know(tmp_path):
    project = new_project(tmp_path, [OBJECTS[0]])
    write_probabilities(project, heights={"ferritin": 0.2})
    described = [
        {"name": "ferritin", "label": 1, "radius": 50.0, "weight": 1},
        {"name": "ribosome", "label": 2, "radius": 99.0, "weight": 1},
    ]
    description = {
        "task": "pick", "network": {}, "objects": described,
        "thresholds": {"ferritin": 0.1, "ribosome": 0.95},
    }  # fmt: skip
    model = tmp_path / "model" / "best.safetensors"
    model.parent.mkdir()
    save_checkpoint(model, {"weight": torch.zeros(1)}, description)
    said = localised(project, model=model.parent)
    assert "3 ferritin, 0 ribosome" in said
    assert "no threshold is known" not in said


def test_exclusion_follows_the_radius(project):
    write_probabilities(project)
    localised(project, exclusion_scale=30.0)
    assert len(read(project, "ferritin")) == 1


def test_picks_of_a_coarse_grid_stay_in_the_volume(project):
    write_probabilities(project)
    localised(project)
    positions = read(project, "ferritin").position_zyx
    assert (positions >= 0).all()
    assert (positions <= (np.array([32, 48, 40]) - 0.5) * PIXEL_SIZE).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"segmentation": ("other", "me", "1")}, "has no probabilities other,me,1"),
        ({"method": "com", "segmentation": ("other", "me", "1")}, "no labels or probabilities"),
        ({"runs": ("TS_9",)}, "no run TS_9"),
        ({"objects": ("virus",)}, "no object virus"),
        ({"objects": ("membrane",)}, "membrane was not predicted"),
        ({"threshold": ("virus=0.3",)}, "expected one of ferritin, ribosome"),
        ({"threshold": ("ribosome=high",)}, "expected above 0 and at most 1"),
        ({"threshold": ("0",)}, "expected above 0 and at most 1"),
        ({"voxel_size": 13.0}, "no tomogram of any type at 13 Å"),
        ({"user": "a_b"}, "a_b"),
        ({"method": "watershed", "radius_min_scale": 2.0}, "cannot have regions"),
    ],
)
def test_what_cannot_be_picked_is_refused_in_one_line(project, changes, message):
    write_probabilities(project)
    with pytest.raises(IcelensError, match=message) as caught:
        run_job(localize, settings(project, **changes))
    assert "\n" not in str(caught.value)
    assert project.picks("TS_1") == ()


@pytest.mark.parametrize("radius", [None, 0.0])
def test_object_without_radius_is_refused(tmp_path, radius):
    project = new_project(tmp_path, [OBJECTS[0], OBJECTS[1] | {"radius": radius}])
    write_probabilities(project)
    with pytest.raises(IcelensError, match="ferritin"):
        run_job(localize, settings(project))
    assert project.picks("TS_1") == ()


@pytest.mark.parametrize("objects", [None, ["ribosome"], "ab"])
def test_probabilities_that_do_not_name_their_objects_are_refused(project, objects):
    write_probabilities(project, objects=objects)
    with pytest.raises(IcelensError, match="has 2 channels but names the objects"):
        run_job(localize, settings(project))


def test_run_predicted_by_another_model_is_refused(project):
    add_tomogram(project, "TS_2")
    write_probabilities(project)
    write_probabilities(project, "TS_2", names=("ribosome",))
    with pytest.raises(IcelensError, match="run TS_2 lacks ferritin"):
        run_job(localize, settings(project))


def test_labels_of_nothing_that_is_picked_are_refused(project):
    write_probabilities(project)
    key = SegmentationKey(PIXEL_SIZE, "membrane", Source("me", "1"), is_multilabel=False)
    project.write_segmentation("TS_1", key, Volume(np.ones((32, 48, 40), np.uint8), PIXEL_SIZE))
    wanted = settings(project, method="com", segmentation=("membrane", "me", "1"))
    with pytest.raises(IcelensError, match=r"holds membrane alone, not ferritin, ribosome"):
        run_job(localize, wanted)


def test_model_of_another_task_is_refused(project, tmp_path):
    write_probabilities(project)
    model = tmp_path / "model.safetensors"
    save_checkpoint(model, {"weight": torch.zeros(1)}, {"task": "restore"})
    with pytest.raises(IcelensError, match="a checkpoint of restore, expected one of pick"):
        run_job(localize, settings(project, model=model))


@pytest.mark.parametrize("changes", [{"objects": [{"nam": 1}]}, {"thresholds": [1]}], ids=str)
def test_damaged_model_is_refused(project, tmp_path, changes):
    write_probabilities(project)
    model = tmp_path / "model.safetensors"
    known = {"task": "pick", "network": {}, "objects": []} | changes
    save_checkpoint(model, {"weight": torch.zeros(1)}, known)
    with pytest.raises(IcelensError, match="its description is damaged"):
        run_job(localize, settings(project, model=model))


def test_function_behind_the_job_returns_one_file_for_each_object(project):
    from icelens.jobs.run import Run

    write_probabilities(project)
    paths = localize_runs(settings(project), Run(project.path.parent))
    assert [path.name for path in paths] == ["icelens_1_ferritin.json", "icelens_1_ribosome.json"]
