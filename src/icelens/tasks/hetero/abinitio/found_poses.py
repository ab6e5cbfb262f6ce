"""From poses of particles to poses of their images."""

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles
from icelens.tasks.hetero.abinitio.search_images import SearchImages, places_of_rows
from icelens.tasks.hetero.abinitio.search_pass import FoundPoses


def is_tilt_series(search: SearchImages) -> bool:
    """Whether particles were tilted, by which their hand is known."""
    tilt = search.prepared.particles.rotation[:, 2, 2]
    return bool((tilt < 1.0 - 1e-6).any())


def with_found(particles: Particles, search: SearchImages, poses: FoundPoses) -> Particles:
    """The particles at the poses that were found; each image of a series as its stage has it."""
    stage = search.prepared.particles.rotation
    place = places_of_rows(particles, search.rows)
    rotation = stage @ poses.rotation.cpu().double().numpy()[place]
    shift = (stage @ poses.shift_xyz.cpu().double().numpy()[place][:, :, None])[..., 0]
    return particles.with_poses(nearest_rotation(rotation), shift[:, [1, 0]])


def nearest_rotation(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Take rounding of single precision out of rotations `(row, 3, 3)`."""
    left, _, right = np.linalg.svd(matrix)
    rotation: npt.NDArray[np.float64] = left @ right
    return rotation
