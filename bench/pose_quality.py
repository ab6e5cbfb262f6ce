"""Quality of pose on simulated particles, by the issue's commands; more with its own flags.

`python -m bench.pose_quality --count 20000 --snr 0.1 --folder DIR` keeps what it makes.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from bench.command import Usage, run_icelens
from bench.figure import Figure
from icelens.core.geometry.rotations import rotation_distance
from icelens.core.io.particle_files import read_particles

HIDDEN = 2000
SEED = 1


def measure(*, quick: bool) -> list[Figure]:
    """Errors on hidden particles after 60 CPU-minutes of training; a few images if `quick`."""
    with tempfile.TemporaryDirectory() as name:
        if quick:
            return figures_of(Path(name), count=500, hidden=200, snr=1.0, more="--epochs 2")
        return figures_of(Path(name), count=20_000, hidden=HIDDEN, snr=0.1)


def figures_of(
    folder: Path,
    *,
    count: int,
    hidden: int,
    snr: float,
    particle: str = "--pixel-size 3",
    more: str = "",
) -> list[Figure]:
    """Simulate, train one network, let it answer for particles it never saw, and refine them.

    Args:
        folder: To work in.
        count: Particles to learn from (a tenth of them only chooses the step).
        hidden: Particles to be judged by.
        snr: Signal-to-noise ratio within the particle's disc.
        particle: Flags that say what is simulated; without --model a molecule is generated.
        more: Further flags of `icelens pose train`.
    """
    simulate = f"simulate particles --box-size 64 --snr {snr} --symmetry C1"
    run_icelens(f"{simulate} {particle} --count {count} --seed {SEED} --output sim", folder)
    run_icelens(
        f"{simulate} --count {hidden} --seed {SEED + 1} --map sim/map.mrc --output hidden", folder
    )
    compute = f"--device cpu --threads 1 --seed {SEED}"
    spent: dict[str, Usage] = {}
    spent["train"] = run_icelens(
        f"pose train --particles sim/particles.star --symmetry C1 --output model --no-halves "
        f"{compute} {more}",
        folder,
    )
    infer = f"pose infer --particles hidden/particles.star --model model {compute} --no-reconstruct"
    spent["infer, network alone"] = run_icelens(f"{infer} --no-refine --output network", folder)
    spent["infer, refined"] = run_icelens(f"{infer} --output refined", folder)
    title = f"{count} particles, SNR {snr:g}"
    truth = read_particles(folder / "hidden" / "particles.star").particles
    rows = []
    for stage, reach in (("network", "<= 8"), ("refined", "<= 1.5")):
        found = read_particles(folder / stage / "particles.star").particles
        error = _errors(found.rotation, truth.rotation)
        rows += [
            Figure(f"{title}, {stage}: median error", float(np.median(error)), "degrees",
                   "chance is 126", reach),
            Figure(f"{title}, {stage}: mean error", float(error.mean()), "degrees"),
            Figure(f"{title}, {stage}: within 5 degrees", 100 * float((error <= 5).mean()), "%"),
            Figure(f"{title}, {stage}: within 10 degrees", 100 * float((error <= 10).mean()), "%"),
        ]  # fmt: skip
    for job, used in spent.items():
        reach = "<= 3600 CPU-s" if job == "train" else ""
        rows.append(Figure(f"{title}, pose {job}, CPU", used.cpu_seconds, "CPU-s", "", reach))
    return rows


def _errors(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    import torch

    distance = rotation_distance(torch.from_numpy(found), torch.from_numpy(truth))
    return distance.numpy()


def main() -> None:
    """Print the rows for another difficulty, or with other flags of the training."""
    parser = argparse.ArgumentParser(prog="python -m bench.pose_quality", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--snr", type=float, default=0.1)
    parser.add_argument(
        "--particle", default="--pixel-size 3", help="flags such as --model X.pdb --pixel-size 4.5"
    )
    parser.add_argument("--folder", type=Path, help="an empty folder to work in and to keep")
    parser.add_argument("--train", default="", help="further flags of icelens pose train")
    given = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = (given.folder or Path(name)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        found = figures_of(
            folder,
            count=given.count,
            hidden=HIDDEN,
            snr=given.snr,
            particle=given.particle,
            more=given.train,
        )
        for figure in found:
            print(figure.row(), flush=True)


if __name__ == "__main__":
    main()
