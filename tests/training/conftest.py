"""The tiny training problem, in this process and in processes of its own."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).with_name("tiny_run.py")
SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The module `tiny_run.py`."""
    spec = importlib.util.spec_from_file_location("tiny_run", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def run_script() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `tiny_run.py` in a process of its own; `launcher` goes between Python and the script."""

    def run(*arguments: object, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *launcher, str(SCRIPT), *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run
