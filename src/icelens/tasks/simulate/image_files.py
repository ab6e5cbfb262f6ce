"""Make images of a scene and write them into stacks, few files open at a time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from itertools import product

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particles import Particles
from icelens.core.events import Progress, Saved
from icelens.core.io.volumes import new_volume
from icelens.jobs.run import Run
from icelens.tasks.simulate.scene import Scene, rows_of

Integers = npt.NDArray[np.int64]

# Images made between two words of progress.
_AT_ONCE = 256
# Stacks that are written at a time: the transform of each state is worked out once for all of them.
_OPEN = 64


def write_stacks(scene: Scene, particles: Particles, state: Integers, seed: int, run: Run) -> None:
    """Write every stack that particles name.

    Args:
        scene: What the images show.
        particles: The images.
        state: `(row,)` of each image.
        seed: Of the noise, which depends on it, the stack and the state alone.
        run: Hears of progress; where stacks are named.
    """
    done = 0
    for start in range(0, len(particles.stacks), _OPEN):
        numbers = range(start, min(start + _OPEN, len(particles.stacks)))
        done = _write_together(scene, particles, state, seed, run, numbers, done)


def _write_together(
    scene: Scene,
    particles: Particles,
    state: Integers,
    seed: int,
    run: Run,
    numbers: range,
    done: int,
) -> int:
    """Write some stacks, one state after the other; returns how many images are done."""
    is_here = np.isin(particles.stack, numbers)
    with ExitStack() as opened:
        targets = {number: opened.enter_context(_target(particles, number)) for number in numbers}
        for which, grid in product(np.unique(state[is_here]).tolist(), scene.maps):
            rows = rows_of(particles, state, which, grid)
            rows = rows[is_here[rows]]
            if not len(rows):
                continue
            simulator = scene.simulator(which, grid)
            for number, part, generator in _parts(particles, rows, seed, which):
                images = simulator.images(particles.take(part), generator)
                targets[number][particles.slice_index[part]] = images.numpy()
                done += len(part)
                run.on_event(Progress("simulate", done, len(particles), "image"))
    for number in numbers:
        run.on_event(Saved(particles.stacks[number], "image stack"))
    return done


def _parts(
    particles: Particles, rows: Integers, seed: int, state: int
) -> Iterator[tuple[int, Integers, torch.Generator]]:
    """Rows of one state stack by stack, few at a time, with the source of their noise."""
    for number in np.unique(particles.stack[rows]).tolist():
        chosen = rows[particles.stack[rows] == number]
        generator = noise_generator(seed, number, state)
        for start in range(0, len(chosen), _AT_ONCE):
            yield number, chosen[start : start + _AT_ONCE], generator


def _target(particles: Particles, number: int) -> AbstractContextManager[npt.NDArray[np.generic]]:
    rows = np.flatnonzero(particles.stack == number)
    group = particles.optics[particles.optics_index[rows[0]]]
    shape = (len(rows), group.box_size, group.box_size)
    return new_volume(particles.stacks[number], shape=shape, pixel_size=group.pixel_size)


def noise_generator(seed: int, stack: int, state: int) -> torch.Generator:
    """The source of the noise in the images of one state in one stack."""
    mixed = np.random.SeedSequence([seed, stack, state]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed >> np.uint64(1)))
