"""Whether latents have come to rest between epochs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_ASKED = 2000
_COUNTED = 50_000
_NEIGHBOURS = 20


@dataclass(frozen=True, eq=False)
class EpochChange:
    """How latents of one kept epoch differ from those of the one kept before.

    Attributes:
        epoch: The later of both.
        shift: `(particle,)` distance each has moved, relative to the root mean square distance of
            particles from their mean in the later epoch.
        kept_neighbours: Share of the 20 nearest others that are the same, 0 to 1. It does not mind
            if the whole space turns, stretches or moves.
        shared_direction: Length of the mean of the moves' directions, 0 to 1: 1 if all particles
            move alike, as when the space drifts as a whole.
    """

    epoch: int
    shift: Floats
    kept_neighbours: float
    shared_direction: float


def epoch_change(before: Floats, after: Floats, epoch: int, *, seed: int = 0) -> EpochChange:
    """Compare latents `(particle, latent_dim)` of two epochs of one run.

    Args:
        before: Of the earlier epoch.
        after: Of the later, particles in the same order.
        epoch: Number of the later.
        seed: Of the draw of particles whose neighbours are compared.
    """
    move = after - before
    length = np.linalg.norm(move, axis=1)
    spread = float(np.sqrt(((after - after.mean(axis=0)) ** 2).sum(axis=1).mean()))
    moving = length > 0
    direction = move[moving] / length[moving, None]
    shared = float(np.linalg.norm(direction.mean(axis=0))) if moving.any() else 0.0
    kept = kept_neighbours(before, after, seed=seed)
    return EpochChange(epoch, length / (spread if spread > 0 else 1.0), kept, shared)


def kept_neighbours(
    before: Floats, after: Floats, *, count: int = _NEIGHBOURS, seed: int = 0
) -> float:
    """Mean share of the nearest `count` others that particles keep, nan for fewer than 3.

    Of very many particles some are asked, and their neighbours sought among a part.
    """
    rng = np.random.default_rng(seed)
    counted = np.arange(len(after))
    if len(counted) > _COUNTED:
        counted = np.sort(rng.choice(len(counted), _COUNTED, replace=False))
    count = min(count, len(counted) - 2)
    if count < 1:
        return float("nan")
    asked = counted
    if len(counted) > _ASKED:
        asked = np.sort(rng.choice(counted, _ASKED, replace=False))
    sets = [
        cKDTree(latent[counted]).query(latent[asked], k=count + 1)[1] for latent in (before, after)
    ]
    own = np.searchsorted(counted, asked)
    shared = [
        len((set(first) - {me}) & (set(last) - {me})) / count
        for first, last, me in zip(sets[0].tolist(), sets[1].tolist(), own.tolist(), strict=True)
    ]
    return min(float(np.mean(shared)), 1.0)
