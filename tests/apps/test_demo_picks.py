"""The picking half of the demo: honest about what was shown, exact about what was found."""

import shlex
from pathlib import Path

import pytest
from demo_scores import RIBOSOME, write_evaluation

from icelens.apps import demo_picks
from icelens.core.errors import InputFileError
from icelens.jobs.report import Report


def words_of(command: str, flag: str) -> set[str]:
    words = shlex.split(command)
    return set(words[words.index(flag) + 1].split(","))


def test_scored_run_is_no_run_that_was_learnt_or_chose_thresholds() -> None:
    (_, train), (_, segment), (_, localize), (_, evaluate) = demo_picks.plan(Path("d"), seed=1)
    learnt = words_of(train, "--train-runs") | words_of(train, "--validation-runs")
    for command in (segment, localize, evaluate):
        assert words_of(command, "--runs") == {"TS_01"}
    assert learnt == {"TS_02", "TS_03", "TS_04"}
    assert demo_picks.NUM_TOMOGRAMS == 4


def test_sentence_counts_particles_of_all_objects(tmp_path: Path) -> None:
    write_evaluation(tmp_path / "evaluation", {"ribosome": RIBOSOME, "virus": RIBOSOME})
    score = demo_picks.read_score(tmp_path)
    assert "found 6 of 8 with 4 false picks: weighted F4 0.75" in score.sentence
    report = Report()
    demo_picks.add_picks(report, tmp_path, score)
    page = "".join(report.parts)
    assert "TS_02 and TS_03" in page
    assert "TS_04 chose its thresholds" in page
    assert "<td>-</td>" in page  # nobody measured an error of no pair


def test_evaluation_without_objects_is_no_result(tmp_path: Path) -> None:
    write_evaluation(tmp_path / "evaluation", {})
    with pytest.raises(InputFileError, match="run `icelens demo` again"):
        demo_picks.read_score(tmp_path)
