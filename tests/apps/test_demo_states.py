"""The demo's states: the network is told nothing of them, and judged by the true ones."""

from pathlib import Path

import pytest
from demo_scores import write_states

from icelens.apps import demo_states
from icelens.core.errors import InputFileError
from icelens.jobs.report import Report


def test_training_is_not_told_how_many_states_there_are() -> None:
    _, train, analyze, select = (command for _, command in demo_states.plan(Path("d"), seed=1))
    assert "--clusters" not in train
    assert "d/states/particles.star" in train
    assert "--run d/continuum" in analyze
    assert "--run d/continuum" in select


def test_score_does_not_ask_which_cluster_is_which_state(tmp_path: Path) -> None:
    write_states(tmp_path, [2, 2, 1, 1, 1], [0, 0, 1, 1, 0])
    score = demo_states.read_score(tmp_path)
    assert "Of 5 images of a molecule in two states, 80.0%" in score.sentence
    report = Report()
    demo_states.add_states(report, tmp_path, score)
    assert score.sentence in "".join(report.parts)


def test_clusters_of_other_particles_are_no_result(tmp_path: Path) -> None:
    write_states(tmp_path, [], [0, 1])
    with pytest.raises(InputFileError, match="run `icelens demo` again"):
        demo_states.read_score(tmp_path)
