"""Memory of the jobs that need no network: bytes per voxel above what a tiny volume takes."""

import tempfile
from pathlib import Path

from bench.command import run_icelens
from bench.figure import Figure
from bench.volumes import write_pair

FULL_SHAPE, QUICK_SHAPE, TINY_SHAPE = (200, 512, 512), (100, 256, 256), (32, 64, 64)
COMMANDS = {
    "deconvolve": "restore deconvolve --star tomograms.star --output deconvolved",
    "mask": "restore mask --star tomograms.star --output masks",
}


def measure(*, quick: bool) -> list[Figure]:
    """Peak of each command on 512x512x200, file pages that the system may drop included."""
    shape = QUICK_SHAPE if quick else FULL_SHAPE
    size = "x".join(str(side) for side in reversed(shape))
    figures = []
    with tempfile.TemporaryDirectory() as tiny, tempfile.TemporaryDirectory() as large:
        write_pair(Path(tiny), TINY_SHAPE)
        write_pair(Path(large), shape)
        for name, command in COMMANDS.items():
            baseline = run_icelens(command, Path(tiny))
            used = run_icelens(command, Path(large))
            per_voxel = (used.peak_bytes - baseline.peak_bytes) / (shape[0] * shape[1] * shape[2])
            figures += [
                Figure(f"{name} {size}", per_voxel, "B/voxel", ">= 40 B/voxel", "<= 12 B/voxel"),
                Figure(f"{name} {size}, CPU", used.cpu_seconds, "CPU-s"),
            ]
    return figures
