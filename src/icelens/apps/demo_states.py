"""The demo's fourth part: two states of one particle, told apart and mapped."""

import csv
import shlex
from dataclasses import dataclass
from pathlib import Path

from icelens.core.errors import InputFileError
from icelens.jobs.report import Report

_COUNT, _SNR, _BOX_SIZE, _PIXEL_SIZE = 1200, 0.3, 48, 4
_LATENT_DIM, _EPOCHS, _WIDTH = 2, 2, 128
_SIMULATED, _RUN = "states", "continuum"
_TABLE = Path("analysis") / "latent"


@dataclass(frozen=True)
class StateScore:
    """How well two states were told apart."""

    particles: int
    right: float
    """Share of particles in the cluster that is their state."""

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        return (
            f"Of {self.particles} images of a molecule in two states, {self.right:.1%} were told "
            "apart by their latents."
        )


def plan(folder: Path, *, seed: int) -> tuple[tuple[str, str], ...]:
    """Titles and commands: simulate, learn, analyse, and write one state's particles."""
    at = shlex.quote(str(folder))
    return (
        (
            "Simulate images of a molecule in two states",
            f"icelens simulate states --output {at}/{_SIMULATED} --count {_COUNT} "
            f"--box-size {_BOX_SIZE} --pixel-size {_PIXEL_SIZE} --snr {_SNR} --seed {seed}",
        ),
        (
            "Learn the structures that the images show, without being told of states",
            f"icelens hetero train --particles {at}/{_SIMULATED}/particles.star "
            f"--output {at}/{_RUN} --latent-dim {_LATENT_DIM} --epochs {_EPOCHS} --width {_WIDTH} "
            f"--seed {seed} --overwrite",
        ),
        (
            "Look at the latents: clusters, and maps along the way from one to the other",
            f"icelens hetero analyze --run {at}/{_RUN} --clusters 2 --components 1 "
            f"--samples-per-component 5 --no-umap --overwrite",
        ),
        (
            "Write the particles of one state, for refinement elsewhere",
            f"icelens hetero select --run {at}/{_RUN} --clusters 1 --output {at}/state_1.star",
        ),
    )


def read_score(folder: Path) -> StateScore:
    """Compare the clusters of `icelens hetero analyze` with the true states.

    Raises:
        InputFileError: If they are not those of the same particles.
    """
    path = folder / _RUN / _TABLE / "table.csv"
    clusters = {row["row"]: row["kmeans"] for row in _rows(path)}
    states = {row["row"]: row["state"] for row in _rows(folder / _SIMULATED / "states.csv")}
    pairs = [(clusters[row], states[row]) for row in clusters if row in states]
    if not pairs:
        raise InputFileError(f"{path}: expected clusters of particles; run `icelens demo` again")
    names = sorted({cluster for cluster, _ in pairs})
    best = max(
        sum((cluster == names[0]) == (state == first) for cluster, state in pairs)
        for first in {state for _, state in pairs}
    )
    return StateScore(len(pairs), best / len(pairs))


def add_states(report: Report, folder: Path, score: StateScore) -> None:
    """Show the true states, the latents and the maps that were found."""
    report.section("States")
    report.text(
        f"{score.sentence} Nobody told the network that there are two; a map between them is one "
        "that no particle shows, and volumes.csv says so."
    )
    found = folder / _RUN / _TABLE
    for path, name, caption in (
        (
            folder / _SIMULATED / "states.png",
            "true_states",
            "Central slices of the two true states.",
        ),
        (
            found / "latent_kmeans.png",
            "state_latents",
            "Each particle by its latent, in the colour of its cluster.",
        ),
        (
            found / "volumes_along_principal_component_1_surfaces.png",
            "state_maps",
            "Surfaces of maps from one side of the latents to the other.",
        ),
    ):
        report.picture(path.read_bytes(), name=name, caption=caption)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
