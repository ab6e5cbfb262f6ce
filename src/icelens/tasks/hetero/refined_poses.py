"""Poses that a network learnt beside the volumes, as a particle file of its run."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.events import Message, Saved
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.io.particle_files import write_particles
from icelens.jobs.run import Run
from icelens.tasks.hetero.hetero_run import POSES_NAME, open_hetero_run, write_run_facts
from icelens.tasks.hetero.learning_images import LearningImages
from icelens.tasks.hetero.network.hetero_network import HeteroNetwork

Floats = npt.NDArray[np.float64]


def write_refined_poses(network: HeteroNetwork, learning: LearningImages, run: Run) -> None:
    """Write the particles at the poses that were learnt, and let the run say that it has them."""
    rotation, shift_yx = refined_poses(network, learning)
    path = run.folder / POSES_NAME
    write_particles(path, learning.file, rotation=rotation, shift_yx=shift_yx)
    facts = open_hetero_run(run.folder).facts
    write_run_facts(run.folder, replace(facts, is_posed=True))
    run.on_event(Saved(path, "particle list"))
    run.on_event(Message(_said(learning.file, rotation, shift_yx)))


def refined_poses(network: HeteroNetwork, learning: LearningImages) -> tuple[Floats, Floats]:
    """Rotations `(row, 3, 3)` and shifts `(row, 2)` in Å of all images; unused ones keep theirs."""
    particles = learning.file.particles
    turns = network.learnt_turns.detach().double().cpu()
    shifts = network.learnt_shifts.detach().double().cpu().numpy()
    rotation: Floats = rotation_from_vector(turns).numpy() @ particles.rotation
    # images were centred by the old shifts; what is left lies at the learnt place, x first
    pixel_size = particles.box_size() * particles.pixel_size() / learning.images.box_size
    shift_yx = particles.shift_yx - shifts[:, ::-1] * pixel_size[:, None]
    used = learning.rows.rows
    found_rotation, found_shift = particles.rotation.copy(), particles.shift_yx.copy()
    found_rotation[used], found_shift[used] = rotation[used], shift_yx[used]
    return found_rotation, found_shift


def _said(file: ParticleFile, rotation: Floats, shift_yx: Floats) -> str:
    """How far images were moved, in words."""
    old = file.particles
    cosine = 0.5 * (np.einsum("nij,nij->n", rotation, old.rotation) - 1.0)
    turned = np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0)))
    moved = np.linalg.norm(shift_yx - old.shift_yx, axis=1)
    return (
        f"poses were turned by {np.median(turned):.2f} degrees and moved by {np.median(moved):.2f} "
        "Å (medians)"
    )
