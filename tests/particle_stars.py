"""Small particle files with images whose values say which they are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.io.volumes import write_volume
from icelens.core.simulate.poses import random_poses

GROUP = OpticsGroup("one", 3.0, 8)


def write_star(
    path: Path,
    counts: Sequence[int] = (3, 2),
    optics: Sequence[OpticsGroup] = (GROUP,),
    *,
    has_images: bool = True,
    **columns: object,
) -> Path:
    """A STAR file whose stack `s` has `counts[s]` images; group of stack s: s modulo groups.

    Image i of stack s is `100 s + i` everywhere.
    """
    stacks = tuple(path.parent / f"{path.stem}_{number}.mrcs" for number in range(len(counts)))
    stack = np.repeat(np.arange(len(counts)), counts)
    places = np.concatenate([np.arange(count) for count in counts])
    groups = stack % len(optics)
    for number, (file, count) in enumerate(zip(stacks, counts, strict=True)):
        side = optics[number % len(optics)].box_size
        images = np.full((count, side, side), 100.0 * number, np.float32)
        images += np.arange(count, dtype=np.float32)[:, None, None]
        if has_images:
            write_volume(file, Volume(images, optics[number % len(optics)].pixel_size))
    particles = Particles(
        stacks=stacks,
        stack=stack,
        slice_index=places,
        optics=tuple(optics),
        optics_index=groups,
        rotation=random_poses(len(stack), np.random.default_rng(0)),
        defocus_u=np.linspace(10000.0, 20000.0, len(stack)),
    )
    write_particles(path, new_particle_file(particles, columns))
    return path
