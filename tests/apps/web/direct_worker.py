"""Does the work of the workbench in the test's own process."""

import importlib
from typing import Any

from icelens.apps.web.worker import Answer, Workers


class DirectWorkers(Workers):
    """Calls the function; a process of its own takes seconds to start."""

    async def call(self, function: str, **arguments: Any) -> Answer:
        module, _, name = function.partition(":")
        answer: Answer = getattr(importlib.import_module(module), name)(**arguments)
        return answer
