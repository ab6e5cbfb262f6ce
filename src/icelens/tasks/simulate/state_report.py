"""Report of simulated states: what each looks like, how many particles show it, some images."""

import numpy as np
import numpy.typing as npt

from icelens.core.data.evenly import evenly
from icelens.core.data.particles import Particles
from icelens.core.plots.image_rows import image_rows
from icelens.jobs.run import Run
from icelens.tasks.simulate.particle_report import report_particles
from icelens.tasks.simulate.scene import Scene
from icelens.tasks.simulate.state_truth import TrueStates

_SHOWN = 10


def report_states(
    truth: TrueStates,
    particles: Particles,
    scene: Scene,
    state: npt.NDArray[np.int64],
    run: Run,
) -> None:
    """Put the states, their particles and a picture of some into the report, then the images.

    Args:
        truth: The states.
        particles: All images, written already.
        scene: The maps.
        state: `(row,)` of each image.
        run: Whose report it is.
    """
    _, first = np.unique(particles.particle, return_index=True)
    counts = np.bincount(state[first], minlength=len(truth.names))
    run.report.section("States")
    run.report.table(
        ["state", "what it is", "particles", "share (%)"],
        [
            [number + 1, name, int(count), 100.0 * float(count) / len(first)]
            for number, (name, count) in enumerate(zip(truth.names, counts, strict=True))
        ],
    )
    run.report.text(
        f"{len(first)} particles in {len(particles)} images; maps/ holds the states in one frame "
        "and on the images' grey scale."
    )
    count = len(truth.names)
    shown = evenly(count, _SHOWN).tolist()
    run.report.figure(
        image_rows(_projections(scene, shown), scene.first_grid[1]),
        name="states",
        caption=f"The states {', '.join(str(each + 1) for each in shown)}, summed along each axis.",
    )
    report_particles(particles, scene, state, run)


def _projections(scene: Scene, shown: list[int]) -> dict[str, npt.NDArray[np.floating]]:
    """Sums of maps along z, y and x: a row for each axis, or for each state if they are few."""
    maps = [scene.truth(each).array for each in shown]
    sums = np.array([[each.sum(axis=axis) for each in maps] for axis in range(3)])
    if len(shown) < len("zyx"):
        return {f"state {each + 1}": sums[:, place] for place, each in enumerate(shown)}
    return {f"along {name}": sums[axis] for axis, name in enumerate("zyx")}
