"""CPU time of the simulator on the issue's specimen."""

import tempfile
from pathlib import Path

from bench.command import run_icelens
from bench.figure import Figure

COMMAND = "simulate tomograms --output simulated --shape 64,160,160 --pixel-size 10 --particles 77"


def measure(*, quick: bool) -> list[Figure]:
    """One tomogram of 64x160x160 with 77 generated molecules and 41 tilts; `quick` takes 10."""
    command = COMMAND.replace("77", "10") if quick else COMMAND
    with tempfile.TemporaryDirectory() as name:
        used = run_icelens(command, Path(name))
    what = f"simulate, 64x160x160, {10 if quick else 77} molecules, 41 tilts, one thread"
    return [
        Figure(what, used.cpu_seconds, "CPU-s", "", "<= 30 s on 2 cores"),
        Figure(f"{what}, peak", used.peak_bytes / 1e9, "GB"),
    ]
