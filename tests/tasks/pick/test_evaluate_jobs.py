"""`icelens pick evaluate` as it is typed."""

import json
from pathlib import Path

import pytest
from evaluated_project import scored_project

from icelens.apps import cli


def evaluate(folder: Path, **flags: str) -> int:
    words = {"--project": str(folder / "project.json"), "--truth": "curation,0",
             "--picks": "icelens,1", "--output": str(folder / "evaluation")}  # fmt: skip
    words |= {f"--{name.replace('_', '-')}": value for name, value in flags.items()}
    return cli.main(["pick", "evaluate", *(word for pair in words.items() for word in pair)])


def test_command_of_the_contract_writes_scores_and_report(tmp_path, capsys):
    scored_project(tmp_path)
    assert evaluate(tmp_path) == 0
    folder = tmp_path / "evaluation"
    names = {path.name for path in folder.iterdir()}
    assert {
        "scores.json", "scores.csv", "curves.csv", "report.html", "run_TS_1.png", "run_TS_2.png",
        "precision_recall.png", "errors.png",
    } <= names  # fmt: skip
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["objects"]["ribosome"]["true"] == 3
    terminal = capsys.readouterr().err
    assert "weighted F4" in terminal
    assert "1 picks are duplicates" in terminal


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"truth": "nobody,0"}, "--truth is nobody,0, which has no picks of these objects in runs "
         "TS_1, TS_2; there are picks of curation,0 and icelens,1"),
        ({"picks": "icelens,7"}, "--picks is icelens,7, which has no picks of these objects"),
        ({"picks": "curation,0"}, "--truth and --picks are both curation,0"),
        ({"runs": "TS_9"}, "no run TS_9; there are TS_1, TS_2"),
        ({"objects": "vlp"}, "no object vlp; there are ferritin, membrane, ribosome"),
        ({"objects": "membrane"}, "object membrane is no particle"),
        ({"tomogram_type": "denoised"}, "no tomogram of denoised"),
        ({"voxel_size": "5"}, "no tomogram of any type at 5 Å"),
        ({"truth": "curation"}, "as USER,SESSION"),
        ({"distance_scale": "0"}, "--distance-scale: found '0'"),
        ({"beta": "-1"}, "--beta: found '-1'"),
        ({"rule": "kaggle"}, "--rule: found 'kaggle'"),
    ],
)  # fmt: skip
def test_bad_settings_end_with_one_line(tmp_path, capsys, flags, message):
    scored_project(tmp_path)
    assert evaluate(tmp_path, **flags) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "evaluation" / "scores.json").exists()


@pytest.mark.parametrize("radius", [None, 0.0, -5.0])
def test_missing_radius_ends_with_one_line(tmp_path, capsys, radius):
    project = scored_project(tmp_path)
    content = json.loads(project.path.read_text())
    content["pickable_objects"][0]["radius"] = radius
    project.path.write_text(json.dumps(content))
    assert evaluate(tmp_path) == 2
    assert "object ribosome has radius" in capsys.readouterr().err
