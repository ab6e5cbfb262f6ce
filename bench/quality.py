"""The issue's commands on two simulated pairs, scored against the truth, with their CPU time."""

import os
import shlex
import tempfile
from pathlib import Path

import numpy as np
import torch

from bench.command import run_icelens
from bench.figure import Figure
from icelens.core.io.volumes import open_volume
from icelens.core.metrics.fsc import fourier_shell_correlation, mean_correlation
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask

SHARED_MAPS = Path(os.environ.get("ICELENS_SHARED_DATA", "../shared/data")) / "maps_10A"
SPECIES = ("6qzp", "1f4a", "7n4y", "6pxm", "8tux")
REFERENCE = {"missing": "raw 0.15, IsoNet2 0.64", "measured": "raw 0.70, IsoNet2 0.79"}
REACH = {"missing": ">= 0.66", "measured": ">= 0.82"}


def measure(*, quick: bool) -> list[Figure]:
    """Mean FSC to truth over 200 to 30 Å, before and after; one epoch if `quick`."""
    epochs = 1 if quick else 4
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_icelens(f"{_simulation()} --count 2", folder)
        spent = {command.split()[1]: run_icelens(command, folder) for command in _chain(epochs)}
        raw = _scores(folder, sorted((folder / "simulated/even").glob("*.mrc")))
        restored = _scores(folder, sorted((folder / "corrected").glob("*.mrc")))
    figures = [
        Figure(f"{stage}, CPU", use.cpu_seconds, "CPU-s", "1,750 CPU-s", "<= 800 CPU-s in all")
        for stage, use in spent.items()
    ]
    for region in ("missing", "measured"):
        what = f"mean FSC to truth, {region} region"
        figures += [
            Figure(f"{what}, even half before", raw[region], ""),
            Figure(
                f"{what}, {epochs} epochs", restored[region], "", REFERENCE[region], REACH[region]
            ),
        ]
    return figures


def _simulation() -> str:
    """The specimen: five real maps where they are at hand, else generated molecules."""
    command = (
        "simulate tomograms --output simulated --shape 64,160,160 --pixel-size 10 --particles 77"
    )
    maps = [SHARED_MAPS.resolve() / f"{name}.mrc" for name in SPECIES]
    if not all(path.exists() for path in maps):
        return command
    return f"{command} --maps {','.join(shlex.quote(str(path)) for path in maps)}"


def _chain(epochs: int) -> tuple[str, ...]:
    star = "--star tomograms.star"
    return (
        f"restore prepare --even simulated/even --odd simulated/odd {star} --pixel-size 10 "
        "--defocus 35000 --subtomograms 100",
        f"restore refine {star} --output refine --network unet-small --box-size 48 --batch-size 2 "
        f"--epochs {epochs} --mw-weight 20 --ctf-mode network",
        f"restore predict {star} --checkpoint refine --output corrected",
    )


def _scores(folder: Path, volumes: list[Path]) -> dict[str, float]:
    """Mean over the tomograms of the mean FSC to truth in either region."""
    truths = sorted((folder / "simulated/truth").glob("*.mrc"))
    collected: dict[str, list[float]] = {"missing": [], "measured": []}
    for path, truth_path in zip(volumes, truths, strict=True):
        volume, truth = (
            torch.from_numpy(np.array(open_volume(file, pixel_size=10.0).array, np.float32))
            for file in (path, truth_path)
        )
        z, y, x = truth.shape
        measured = measured_mask((z, y, x), TiltScheme(-60.0, 60.0))
        for name, region in (("missing", 1 - measured), ("measured", measured)):
            curve = fourier_shell_correlation(volume, truth, pixel_size=10.0, region=region)
            collected[name].append(mean_correlation(curve, 200.0, 30.0))
    return {name: sum(values) / len(values) for name, values in collected.items()}
