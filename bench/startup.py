"""How soon the command line answers."""

import statistics
import sys
import tempfile
from pathlib import Path

from bench.command import run, run_icelens
from bench.figure import Figure


def measure(*, quick: bool) -> list[Figure]:
    """Wall and CPU time of `icelens --help`, and of importing the package."""
    repeats = 3 if quick else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        helped = [run_icelens("--help", folder) for _ in range(repeats)]
        imported = [run([sys.executable, "-c", "import icelens"], folder) for _ in range(repeats)]
    return [
        Figure(
            "icelens --help",
            statistics.median(use.wall_seconds for use in helped),
            "s",
            "2.6 CPU-s",
            "<= 0.7 s",
        ),
        Figure(
            "icelens --help, CPU",
            statistics.median(use.cpu_seconds for use in helped),
            "CPU-s",
            "2.6 CPU-s",
        ),
        Figure("import icelens", statistics.median(use.wall_seconds for use in imported), "s"),
    ]
