"""Every particle and pick is drawn once, by what became of it."""

import shutil

import numpy as np
from evaluated_project import scored_project

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.events import Event, Message
from icelens.jobs.run import run_job
from icelens.tasks.pick.evaluate_jobs import EvaluateConfig, evaluate
from icelens.tasks.pick.evaluate_pictures import marks_of

RIBOSOME = PickableObject("ribosome", 7, 150.0)


def at(*z: float) -> Picks:
    positions = np.array([[value, 0.0, 0.0] for value in z]).reshape(-1, 3)
    return Picks(positions, species=("ribosome",) * len(z))


def pictures(folder, **settings) -> tuple[set[str], str]:
    events: list[Event] = []
    values = {"project": folder / "project.json", "output": folder / "out", **settings}
    run_job(evaluate, EvaluateConfig.model_validate(values), on_event=events.append)
    text = "\n".join(event.text for event in events if isinstance(event, Message))
    return {path.stem for path in (folder / "out").glob("run_*.png")}, text


def test_marks_are_one_to_one_and_carry_label_and_radius():
    marks = marks_of(at(0, 1000), at(5, 9, 3000), (RIBOSOME,), {"ribosome": 75.0})
    assert {fate: spheres.position_zyx[:, 0].tolist() for fate, spheres in marks.items()} == {
        "found": [5.0],
        "missed": [1000.0],
        "false": [9.0, 3000.0],
    }
    assert marks["false"].text == ("7", "7")
    assert marks["missed"].radius.tolist() == [150.0]


def test_lowest_scores_are_drawn_first(tmp_path):
    scored_project(tmp_path)
    assert pictures(tmp_path, pictures=1)[0] == {"run_TS_2"}


def test_run_without_tomogram_is_scored_and_named(tmp_path):
    project = scored_project(tmp_path)
    (folder,) = (path.parent for path in tmp_path.rglob("wbp.zarr") if "TS_1" in path.parts)
    shutil.rmtree(folder)
    assert project.tomograms("TS_1") == ()
    names, text = pictures(tmp_path)
    assert names == {"run_TS_2"}
    assert "run TS_1 has no tomogram to draw" in text


def test_damaged_tomogram_costs_only_its_picture(tmp_path):
    scored_project(tmp_path)
    (zarr,) = (path for path in tmp_path.rglob("wbp.zarr") if "TS_1" in path.parts)
    for chunk in [path for path in (zarr / "0").rglob("*") if path.name.isdigit()]:
        if chunk.is_file():
            chunk.unlink()
    names, text = pictures(tmp_path)
    assert names == {"run_TS_2"}
    assert "run TS_1 is not drawn" in text
    assert (tmp_path / "out" / "scores.json").exists()
