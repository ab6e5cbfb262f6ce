"""Draw poses of simulated particles: from everywhere, or from a few preferred directions."""

import numpy as np
import numpy.typing as npt

from icelens.core.geometry.axis_rotations import about_z
from icelens.core.geometry.directions import rotations_towards

Floats = npt.NDArray[np.float64]


def random_poses(
    count: int, rng: np.random.Generator, *, num_views: int = 0, view_spread: float = 20.0
) -> Floats:
    """Rotations `(count, 3, 3)` that take the reference to the image.

    Args:
        count: How many.
        rng: Source of randomness.
        num_views: Preferred viewing directions, as of particles that stick to the air-water
            interface; 0 draws uniformly (Haar measure).
        view_spread: Standard deviation of the angle from a preferred direction along either axis
            of its tangent plane, in degrees. In-plane angles stay uniform.
    """
    views = unit_vectors(count, rng)
    if num_views:
        centres = unit_vectors(num_views, rng)[rng.integers(num_views, size=count)]
        views = _scattered(centres, np.deg2rad(view_spread), rng)
    in_plane = about_z(rng.uniform(0.0, 2.0 * np.pi, count))
    # T takes z to the view, hence its transpose brings the view onto the beam
    rotation: Floats = in_plane @ np.swapaxes(rotations_towards(views), 1, 2)
    return rotation


def unit_vectors(count: int, rng: np.random.Generator) -> Floats:
    """Directions `(count, 3)` spread evenly over the sphere."""
    vectors = rng.standard_normal((count, 3))
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def random_half_sets(count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """1 or 2 for each of `count` particles, as evenly as possible and in random order."""
    return rng.permutation(np.arange(count) % 2) + 1


def _scattered(centres: Floats, spread_rad: float, rng: np.random.Generator) -> Floats:
    """Each direction moved along a great circle by a two-dimensional Gaussian."""
    frames = rotations_towards(centres)
    tangent = spread_rad * rng.standard_normal((len(centres), 2))
    angle = np.linalg.norm(tangent, axis=1, keepdims=True)
    way = tangent / np.maximum(angle, 1e-12)
    local = np.concatenate([np.sin(angle) * way, np.cos(angle)], axis=1)
    moved: Floats = np.einsum("nij,nj->ni", frames, local)
    return moved
