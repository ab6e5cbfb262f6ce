"""The demo's poses: judged on images the network never saw, summed up in a sentence."""

import shlex
from pathlib import Path

import pytest
from demo_scores import write_comparison

from icelens.apps import demo_poses
from icelens.core.errors import InputFileError
from icelens.jobs.report import Report


def value_of(command: str, flag: str) -> str:
    words = shlex.split(command)
    return words[words.index(flag) + 1]


def test_images_that_are_judged_are_not_those_that_were_learnt() -> None:
    simulate, again, train, infer, compare = (
        command for _, command in demo_poses.plan(Path("d"), seed=1)
    )
    assert value_of(simulate, "--seed") != value_of(again, "--seed")
    assert value_of(train, "--particles") == "d/particles/particles.star"
    assert value_of(infer, "--particles") == "d/new-particles/particles.star"
    assert value_of(compare, "--particles-2") == "d/new-particles/particles.star"


def test_sentence_gives_median_and_share(tmp_path: Path) -> None:
    write_comparison(tmp_path, [1.0, 3.0, 90.0])
    score = demo_poses.read_score(tmp_path)
    assert "3 new particle images" in score.sentence
    assert "3.0 degrees and 1.5 Å, 66.7% of them within 10 degrees" in score.sentence
    report = Report()
    demo_poses.add_poses(report, tmp_path, score)
    assert score.sentence in "".join(report.parts)


def test_comparison_of_nothing_is_no_result(tmp_path: Path) -> None:
    write_comparison(tmp_path, [])
    with pytest.raises(InputFileError, match="run `icelens demo` again"):
        demo_poses.read_score(tmp_path)
