"""`run.json` is true while a run lives and after it died."""

import time
from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.jobs import record
from icelens.jobs.record import Record, keep_as_history, read_record


def test_heartbeat_goes_on_without_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "HEARTBEAT_SECONDS", 0.01)
    with Record(tmp_path, {"job": "a.b", "config": {}}) as running:
        running.note(progress=7)
        for _ in range(300):
            if "progress" in (read_record(tmp_path) or {}):
                break
            time.sleep(0.01)
        assert (read_record(tmp_path) or {})["progress"] == 7
    running.finish("done")
    assert (read_record(tmp_path) or {})["state"] == "done"


def test_history_is_numbered(tmp_path: Path) -> None:
    for number in (1, 2):
        Record(tmp_path, {"config": {}, "number": number}).finish("done")
        keep_as_history(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-1.json", "run-2.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}'])
def test_foreign_run_json_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputFileError, match=r"run\.json: .* move it away"):
        read_record(tmp_path)
