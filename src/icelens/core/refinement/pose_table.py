"""Refined poses of all images, as they are collected batch by batch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.refinement.refined import Refined

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PoseTable:
    """Poses `(row, pose, ...)`, the likeliest first; rows that were not refined keep their own.

    Attributes:
        rotation: `(row, pose, 3, 3)`, takes the reference to the image.
        shift_yx: `(row, pose, 2)` in Å, centres the particle.
        score: `(row, pose)` log-likelihood against an image of noise alone.
        probability: `(row, pose)` share of the posterior; 0 where nothing was refined.
        width: `(row, pose)` in degrees; 180 where nothing is known.
        entropy: `(row,)` of the search's posterior, in nats.
    """

    rotation: Floats
    shift_yx: Floats
    score: Floats
    probability: Floats
    width: Floats
    entropy: Floats

    @staticmethod
    def unrefined(particles: Particles, top_k: int) -> "PoseTable":
        """The poses that the particles have, repeated."""
        rows = len(particles)
        return PoseTable(
            np.repeat(particles.rotation[:, None], top_k, axis=1),
            np.repeat(particles.shift_yx[:, None], top_k, axis=1),
            np.zeros((rows, top_k)),
            np.zeros((rows, top_k)),
            np.full((rows, top_k), 180.0),
            np.zeros(rows),
        )

    def fill(self, rows: Integers, refined: Refined, pixel_size: float) -> None:
        """Write the poses of a batch of single images into their rows."""
        self.rotation[rows] = _numbers(refined.rotation)
        self.shift_yx[rows] = _numbers(refined.shift_yx_px) * pixel_size
        self._fill_values(rows, np.arange(len(rows)), refined)

    def fill_series(
        self,
        rows: Integers,
        place: Integers,
        image: Integers,
        stage: Floats,
        refined: Refined,
        pixel_size: float,
    ) -> None:
        """Write the poses of a batch of tilt series into the rows of their images.

        Args:
            rows: Rows of the images.
            place: `(row,)` particle of the batch that each shows.
            image: `(row,)` number of the image in its series.
            stage: `(row, 3, 3)` takes the particle's frame to the image.
            refined: Poses of the batch.
            pixel_size: In Å/px.
        """
        self.rotation[rows] = stage[:, None] @ _numbers(refined.rotation)[place]
        self.shift_yx[rows] = _numbers(refined.shift_yx_px)[place, :, image] * pixel_size
        self._fill_values(rows, place, refined)

    def _fill_values(self, rows: Integers, place: Integers, refined: Refined) -> None:
        self.score[rows] = _numbers(refined.score)[place]
        self.probability[rows] = _numbers(refined.probability)[place]
        self.width[rows] = _numbers(refined.width_degrees)[place]
        self.entropy[rows] = _numbers(refined.entropy)[place]


def _numbers(values: Tensor) -> Floats:
    return values.detach().cpu().numpy().astype(np.float64)
