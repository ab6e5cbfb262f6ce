"""Freed memory is used again; watched in a process of its own, as the setting cannot be undone."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
SCRIPT = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from icelens.training.allocator import keep_freed_memory
if sys.argv[2] == "keep" and not keep_freed_memory():
    sys.exit("no glibc")
np.ones(8_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(8_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(choice: str) -> int:
    command = [sys.executable, "-c", SCRIPT, str(SOURCE), choice]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "no glibc" in done.stderr:
        pytest.skip("this system's C library is not glibc, so nothing changes")
    return int(done.stdout)


def test_a_large_block_is_mapped_once() -> None:
    # 64 MB are 15,625 pages of 4 kB, fewer where the system gives huge ones.
    assert page_faults("keep") < 0.1 * page_faults("return") + 5
