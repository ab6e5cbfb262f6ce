"""The process behind `worker.py`: reads requests from its standard input, answers on its output."""

import importlib
import json
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from icelens.apps.web.worker import LENGTHS, PREFIX, Answer
from icelens.core.errors import IcelensError


def main() -> None:
    """Answer until the server closes the pipe."""
    with suppress(OSError):  # where memory runs out, this process shall end and not the server
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")
    # what the work prints must not get between the answers
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (request := _read(sys.stdin.buffer)) is not None:
        header, blob = answer(request)
        content = json.dumps(header).encode()
        answers.write(LENGTHS.pack(len(content), len(blob)) + content + blob)
        answers.flush()


def answer(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Do one piece of work; whatever goes wrong becomes part of the answer."""
    try:
        module, _, name = str(request["function"]).partition(":")
        if not module.startswith(PREFIX) or name.startswith("_"):
            raise IcelensError(f"{module}:{name}: is no work of the workbench")
        result = getattr(importlib.import_module(module), name)(**request["arguments"])
        assert isinstance(result, Answer), f"{name} must return an Answer"
    except IcelensError as error:
        return {"error": str(error), "foreseen": True}, b""
    except Exception as error:  # noqa: BLE001 - the process must live on, and say what happened
        traceback.print_exc()
        return {"error": f"unexpected {type(error).__name__}: {error}", "foreseen": False}, b""
    return {"data": result.data}, result.blob


def _read(stream: IO[bytes]) -> dict[str, Any] | None:
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    content: dict[str, Any] = json.loads(stream.read(LENGTHS.unpack(lengths)[0]))
    return content


if __name__ == "__main__":
    main()
