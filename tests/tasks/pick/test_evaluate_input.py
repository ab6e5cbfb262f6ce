"""What is scored, what is left out, and that this is said."""

from dataclasses import replace
from pathlib import Path

import pytest
from evaluated_project import FOUND, TRUTH, new_project, scored_project, write, write_tomogram

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Event, Message
from icelens.core.io.copick.project import Project
from icelens.tasks.pick.evaluate_input import Evaluated, gather
from icelens.tasks.pick.evaluate_jobs import EvaluateConfig


def gathered(project: Project, **settings: object) -> tuple[Evaluated, str]:
    events: list[Event] = []
    config = EvaluateConfig.model_validate({"project": project.path, **settings})
    inputs = gather(config, project, events.append)
    return inputs, "\n".join(event.text for event in events if isinstance(event, Message))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return scored_project(tmp_path)


def test_all_objects_of_a_run_are_read_together(project):
    inputs, text = gathered(project)
    assert sorted(inputs.truth["TS_1"].species) == ["ferritin", "ribosome", "ribosome"]
    assert inputs.found["TS_1"].score.tolist() == [0.7, 0.9, 0.8, 0.3]
    assert [each.name for each in inputs.objects] == ["ribosome", "ferritin"]
    assert text == ""


def test_runs_without_truth_are_left_out_and_named(project):
    write(project, "TS_3", "ribosome", FOUND, [(1, 2, 3)])
    inputs, text = gathered(project)
    assert set(inputs.truth) == {"TS_1", "TS_2"}
    assert inputs.runs_without_truth == ("TS_3",)
    assert "no truth of curation,0 in run TS_3: left out" in text


def test_runs_without_picks_are_left_out_unless_asked_for(project):
    write(project, "TS_3", "ribosome", TRUTH, [(1, 2, 3)])
    inputs, text = gathered(project)
    assert set(inputs.truth) == {"TS_1", "TS_2"}
    assert "no picks of icelens,1 in run TS_3: left out; name them with --runs" in text
    inputs, text = gathered(project, runs=("TS_1", "TS_3"))
    assert set(inputs.truth) == {"TS_1", "TS_3"}
    assert len(inputs.found["TS_3"]) == 0
    assert "no picks of icelens,1 in run TS_3: all particles there count as missed" in text


def test_empty_picks_are_picks(project):
    write(project, "TS_3", "ribosome", TRUTH, [(1, 2, 3)])
    write(project, "TS_3", "ribosome", FOUND, [])
    inputs, text = gathered(project)
    assert set(inputs.truth) == {"TS_1", "TS_2", "TS_3"}
    assert "TS_3" in text  # it has no truth of ferritin
    assert inputs.runs_without_picks == ()


def test_objects_without_truth_in_a_run_are_named(project):
    write(project, "TS_3", "ribosome", TRUTH, [(1, 2, 3)])
    write(project, "TS_3", "ferritin", FOUND, [(1, 2, 3)])
    _, text = gathered(project)
    assert text == "no truth of ferritin,curation,0 in run TS_3: picks there count as false"


def test_truth_and_picks_in_different_runs_are_refused(tmp_path):
    project = new_project(tmp_path)
    write(project, "a", "ribosome", TRUTH, [(1, 2, 3)])
    write(project, "b", "ribosome", FOUND, [(1, 2, 3)])
    with pytest.raises(MetadataError, match="no run has both, curation,0 is in run a and icelens"):
        gathered(project)


def test_project_without_particles_is_refused(tmp_path):
    project = new_project(tmp_path, ({"name": "membrane", "label": 1, "is_particle": False},))
    write_tomogram(project, "a")
    with pytest.raises(MetadataError, match="no object is a particle"):
        gathered(project)


def test_chosen_objects_alone_are_read(project):
    inputs, _ = gathered(project, objects=("ferritin",))
    assert set(inputs.truth["TS_1"].species) == {"ferritin"}
    assert [each.name for each in inputs.objects] == ["ferritin"]


def test_denoised_tomogram_is_drawn_unless_another_is_asked_for(project):
    write_tomogram(project, "TS_1", "denoised")
    inputs, _ = gathered(project)
    assert inputs.tomograms["TS_1"].tomogram_type == "denoised"
    assert inputs.tomograms["TS_2"].tomogram_type == "wbp"
    inputs, _ = gathered(project, tomogram_type="wbp")
    assert inputs.tomograms["TS_1"].tomogram_type == "wbp"


def test_truth_outside_its_tomogram_is_refused(project):
    write(project, "TS_1", "ribosome", TRUTH, [(50, 50, 50), (5000, 50, 50)])
    with pytest.raises(MetadataError, match=r"1 of 6 picks .* in TS_1, such as .*\(5000, 50, 50\)"):
        gathered(project)


def test_damaged_picks_are_named(project):
    path = sorted(project.path.parent.rglob("icelens_1_ferritin.json"))[0]
    path.write_text("{")
    with pytest.raises(InputFileError, match=r"icelens_1_ferritin\.json: not JSON"):
        gathered(project)


def test_score_that_is_no_number_is_named(project):
    path = sorted(project.path.parent.rglob("icelens_1_ferritin.json"))[0]
    path.write_text(path.read_text().replace('"score": 0.7', '"score": NaN'))
    with pytest.raises((InputFileError, MetadataError), match="ferritin"):
        gathered(project)


@pytest.mark.parametrize("source", [TRUTH, FOUND], ids=str)
def test_positions_in_voxels_are_refused(project, source):
    places = [(number, 2 * number, 3) for number in range(6)]
    for name in ("ribosome", "ferritin"):
        write(project, "TS_1", name, source, places)
    with pytest.raises(MetadataError, match=f"run TS_1, {source}: all 12 positions lie below"):
        gathered(project)


@pytest.mark.parametrize("radius", [0.0, -5.0, None])
def test_impossible_radius_is_told_with_the_project(project, radius):
    objects = tuple(replace(each, radius=radius) for each in project.objects)
    with pytest.raises(MetadataError, match=f"^{project.path}: object ribosome has radius"):
        gathered(replace(project, objects=objects))
