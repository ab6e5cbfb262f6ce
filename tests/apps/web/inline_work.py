"""Runs the work of the workbench in the process of the test: what a worker does, without one."""

import json
from typing import Any

import pytest

from icelens.apps.web.worker import Answer, WorkerError, Workers
from icelens.apps.web.worker_process import answer
from icelens.core.errors import IcelensError


async def _call(self: Workers, function: str, **arguments: Any) -> Answer:
    del self
    # through JSON both ways, as over the pipes
    request = json.loads(json.dumps({"function": function, "arguments": arguments}))
    header, blob = answer(request)
    header = json.loads(json.dumps(header))
    if "error" in header:
        raise (IcelensError if header["foreseen"] else WorkerError)(header["error"])
    return Answer(header["data"], blob)


def work_inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all calls of workers run here."""
    monkeypatch.setattr(Workers, "call", _call)
