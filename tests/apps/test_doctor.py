"""The doctor names what is missing and how to mend it."""

import resource

import pytest

from icelens.apps import doctor

pytest.importorskip("icelens.training.device")


def test_every_finding_has_words() -> None:
    found = {name: (finding, remedy) for name, finding, remedy in doctor.findings()}
    assert {"device", "precision", "why", "memory", "open files", "free disk here"} <= set(found)
    assert all(finding for finding, _ in found.values())


def test_few_open_files_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1_000_000))
    found = {name: remedy for name, _, remedy in doctor.findings()}
    assert found["open files"] == "ulimit -n 4096"


def test_extras_come_with_their_install_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "optional_packages", lambda: {"umap": ["no-such-package"]})
    assert doctor.main([]) == 0
    assert "python -m pip install 'icelens[umap]'" in capsys.readouterr().out
