"""Work is shared, events come back, and one failure ends all."""

from pathlib import Path

import pytest

from icelens.core.errors import IcelensError, InputFileError
from icelens.core.events import Event, Message, OnEvent
from icelens.core.processes import run_in_processes


def leave_file(share: Path, on_event: OnEvent) -> None:
    share.write_text("done")
    on_event(Message(share.name))


def fail(share: Path, on_event: OnEvent) -> None:
    raise InputFileError(f"{share}: is not there")


@pytest.mark.slow
def test_every_share_is_worked_on(tmp_path: Path) -> None:
    heard: list[Event] = []
    run_in_processes(leave_file, [tmp_path / "a", tmp_path / "b"], heard.append)
    assert {path.read_text() for path in tmp_path.iterdir()} == {"done"}
    assert sorted(event.text for event in heard if isinstance(event, Message)) == ["a", "b"]


@pytest.mark.slow
def test_what_a_process_says_reaches_the_user(tmp_path: Path) -> None:
    with pytest.raises(IcelensError, match="is not there"):
        run_in_processes(fail, [tmp_path / "a"], lambda event: None)
