"""Tests of apps/web/worker.py and worker_process.py: with real processes."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from icelens.apps.web import worker
from icelens.apps.web.worker import Answer, Worker, WorkerError, Workers
from icelens.apps.web.worker_process import answer
from icelens.core.errors import IcelensError

NOTHING = "icelens.apps.web.work.nothing"
PROBE = "icelens.apps.web.work.probe"


def done(work: Callable[[Workers], Awaitable[Any]]) -> Any:
    async def within() -> Any:
        workers = Workers()
        try:
            return await work(workers)
        finally:
            workers.stop()

    return asyncio.run(within())


@pytest.mark.parametrize("function", ["os:system", "icelens.apps.cli:main", "subprocess:run", ""])
def test_only_work_of_the_workbench_is_done(function: str) -> None:
    with pytest.raises(WorkerError, match="is no work"):
        done(lambda workers: workers.call(function))
    assert "is no work" in answer({"function": function, "arguments": {}})[0]["error"]


def test_private_functions_are_not_reached() -> None:
    header, _ = answer({"function": "icelens.apps.web.work.meshes:_private", "arguments": {}})
    assert "is no work" in header["error"]


def test_what_goes_wrong_is_told_and_the_process_lives_on() -> None:
    async def work(workers: Workers) -> object:
        for _ in range(2):
            with pytest.raises(WorkerError, match="ModuleNotFoundError"):
                await workers.call(f"{NOTHING}:nothing")
        return [each._process.pid for each in workers._workers.values()]

    assert len(done(work)) == 1


def test_a_process_that_dies_is_told_and_replaced() -> None:
    made = Worker()
    made._process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.buffer.read(8)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with pytest.raises(WorkerError, match="ended unexpectedly"):
        made.call(f"{NOTHING}:nothing", {})
    with pytest.raises(WorkerError, match="ModuleNotFoundError"):
        made.call(f"{NOTHING}:nothing", {})
    made.stop()


def test_work_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "TIME_LIMIT", 0.01)
    with pytest.raises(WorkerError, match="took too long"):
        done(lambda workers: workers.call(f"{NOTHING}:nothing"))


def test_an_idle_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers()
    workers._workers["icelens.apps.web.work.x"] = Worker()
    workers.end_idle()
    assert workers._workers
    monkeypatch.setattr(worker, "IDLE_SECONDS", -1.0)
    workers.end_idle()
    assert not workers._workers


def test_the_answer_says_whether_a_mistake_was_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    def foreseen() -> Answer:
        raise IcelensError("x.mrc: is empty")

    def unforeseen() -> Answer:
        raise ValueError("?")

    for function, is_foreseen in ((foreseen, True), (unforeseen, False)):
        monkeypatch.setitem(sys.modules, PROBE, SimpleNamespace(do=function))
        header, blob = answer({"function": f"{PROBE}:do", "arguments": {}})
        assert (header["foreseen"], blob) == (is_foreseen, b"")


def test_an_answer_is_facts_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = SimpleNamespace(do=lambda size: Answer({"size": size}, b"x" * size))
    monkeypatch.setitem(sys.modules, PROBE, probe)
    assert answer({"function": f"{PROBE}:do", "arguments": {"size": 3}}) == (
        {"data": {"size": 3}},
        b"xxx",
    )
