"""The command line: flags, exit codes and messages a newcomer can act on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from toy_job import toy

import icelens
from icelens.apps import arguments, cli
from icelens.jobs import registry


@pytest.fixture
def toy_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to stand in, with an input file, and the toy as the only job."""
    monkeypatch.setattr(registry, "all_jobs", lambda: (toy,))
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.star").write_text("data_\n")
    return tmp_path


def test_unknown_flag_offers_the_nearest(
    toy_only: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["restore", "toy", "--boxsize", "48"]) == 2
    assert "--boxsize: no such flag; did you mean --box-size" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["restor", "toy"], "did you mean restore?"),
        (["restore", "toi"], "did you mean toy?"),
        (["docter"], "did you mean doctor?"),
        (["toy", "--star", "a.star"], "did you mean restore toy?"),
        (["demo", "--epoch", "3"], "--epoch: no such flag; did you mean --epochs?"),
    ],
)
def test_unknown_command_offers_the_nearest(
    toy_only: Path, capsys: pytest.CaptureFixture[str], words: list[str], hint: str
) -> None:
    assert cli.main(words) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("end", "code", "message"),
    [
        ("well", 0, ""),
        ("mistake", 2, "icelens: a.mrc: not cubic"),
        ("bug", 1, "unexpected ValueError: boom; this is a bug, the traceback is in toy/log.txt"),
        ("interrupt", 130, "continue with: icelens restore toy --output toy --resume"),
        ("time", 0, "continue with: icelens restore toy --output toy --resume"),
    ],
)
def test_exit_code_says_how_it_ended(
    toy_only: Path, capsys: pytest.CaptureFixture[str], end: str, code: int, message: str
) -> None:
    assert cli.main(["restore", "toy", "--star", "a.star", "--end", end]) == code
    assert message in capsys.readouterr().err


def test_resume_takes_the_settings_of_the_run(toy_only: Path) -> None:
    words = ["restore", "toy", "--star", "a.star", "--box-size", "48", "--end", "time"]
    assert cli.main(words) == 0
    request = arguments.parse(toy, ["--resume", "--end", "well"])
    assert (request.config.box_size, request.config.end) == (48, "well")
    assert cli.main(["restore", "toy", "--output", "toy", "--resume", "--end", "well"]) == 0


def test_print_config_is_a_config(toy_only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["restore", "toy", "--star", "a.star", "--print-config"]) == 0
    (toy_only / "s.yaml").write_text(capsys.readouterr().out)
    assert arguments.parse(toy, ["--config", "s.yaml"]).config.star == Path("a.star")


def test_help_groups_settings(toy_only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["restore", "toy", "--help"]) == 0
    text = capsys.readouterr().out
    assert text.index("required:") < text.index("--star") < text.index("usual:")
    assert text.index("usual:") < text.index("expert") < text.index("--seed")
    assert "(in Å, default none)" in text


def test_schema_of_one_job(toy_only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema", "restore.toy"]) == 0
    assert '"title": "restore.toy"' in capsys.readouterr().out


def test_help_and_version_need_no_torch() -> None:
    code = (
        "import sys; from icelens.apps.cli import main; "
        "codes = main(['--help']), main(['--version']); "
        "heavy = {'torch', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy or any(codes) else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "icelens" in result.stdout


def test_interrupt_of_a_real_process_exits_130(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from toy_job import toy
from icelens.apps import cli
from icelens.jobs import registry
registry.all_jobs = lambda: (toy,)
from icelens.jobs.journal import Journal
def listen(self, event, inner=Journal.listen):
    inner(self, event)
    signal.raise_signal(signal.SIGTERM)
Journal.listen = listen
sys.exit(cli.main(["restore", "toy", "--star", "a"]))
"""
    folders = (Path(__file__).parents[1], Path(icelens.__file__).parents[1])
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 130, result.stderr
    assert "continue with" in result.stderr
    assert '"state": "stopped"' in (tmp_path / "toy" / "run.json").read_text()
