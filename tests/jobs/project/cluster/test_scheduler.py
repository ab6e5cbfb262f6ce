"""Commands of schedulers are lists of words, and all their troubles are one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from icelens.jobs.project.cluster.scheduler import Answer, SchedulerError, ask, filled


def test_words_are_filled_once_and_stay_words() -> None:
    values = {"ids": ["1", "2"], "id": "{script}; ls", "script": "a b"}
    assert filled(["q", "{ids}"], values) == ["q", "1", "2"]
    assert filled(["--jobs={ids}", "{id}"], values) == ["--jobs=1,2", "{script}; ls"]
    assert filled(["{script}-{id}", "{other}", "{", "a{b"], values) == [
        "a b-{script}; ls", "{other}", "{", "a{b",
    ]  # fmt: skip


def test_a_command_is_run_without_a_shell(fake: Callable[..., Path], tmp_path: Path) -> None:
    told = fake("squeue", "out\n", err="err\n", code=3)
    answer = ask("lane", ["squeue", "a b", "$(ls)", ";"], timeout=10)
    assert answer == Answer(3, "out\n", "err\n")
    assert told.read_text() == "a b\n$(ls)\n;\n"
    script = tmp_path / "script.sh"
    script.write_text("#BSUB -J x\n")
    ask("lane", ["squeue"], timeout=10, script=script)
    assert Path(f"{told}.stdin").read_text() == "#BSUB -J x\n"


def test_what_it_said_is_one_short_line() -> None:
    assert Answer(1, "out", "  a\nb  \n").said == "a b"
    assert Answer(1, "out\n", "").said == "out"
    assert Answer(1, "", "").said == "nothing"
    assert len(Answer(1, "x" * 9999, "").said) == 300


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such-command-here"], "no-such-command-here was not found"),
        (["sleep", "5"], "did not answer within 0.05 s"),
        (["/"], "cannot be run"),
        (["echo", "a\x00b"], "cannot be run"),
    ],
)
def test_trouble_is_told_in_one_line(words: list[str], said: str) -> None:
    with pytest.raises(SchedulerError, match=said) as caught:
        ask("lanes/x/lane.yaml", words, timeout=0.05 if words[0] == "sleep" else 10)
    assert str(caught.value).startswith("lanes/x/lane.yaml: ")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_do_no_harm(fake: Callable[..., Path], tmp_path: Path) -> None:
    fake("squeue")
    (tmp_path / "squeue.out").write_bytes(b"\xff7|RUN\n")
    assert ask("lane", ["squeue"], timeout=10).out.endswith("7|RUN\n")
