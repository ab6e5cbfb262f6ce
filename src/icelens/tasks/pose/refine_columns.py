"""Columns of refined particles: further poses, scores, widths, and the poses they came with."""

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.geometry.relion_angles import relion_angles_from_matrices
from icelens.core.io.particle_columns import ANGLES, ORIGIN
from icelens.core.io.tilt_stack_tables import origins
from icelens.core.refinement.pose_table import PoseTable

Floats = npt.NDArray[np.float64]

PROBABILITY = "rlnParticleFigureOfMerit"
SCORE = "rlnLogLikeliContribution"
WIDTH = "ilPoseWidthDegrees"
ENTROPY = "ilPoseEntropy"
_ANGLES_GIVEN = ("ilAngleRotGiven", "ilAngleTiltGiven", "ilAnglePsiGiven")
_ORIGIN_GIVEN = ("ilOriginXGivenAngst", "ilOriginYGivenAngst", "ilOriginZGivenAngst")


def columns_of(file: ParticleFile, poses: PoseTable) -> dict[str, Floats]:
    """Columns besides the best pose, which has its own: one value for each image.

    Where a row of the table is a stack of tilts, poses are those of the particle: all its images
    carry the same.

    Args:
        file: With the poses that were refined.
        poses: What was found.
    """
    given = file.particles
    columns = {PROBABILITY: poses.probability[:, 0]}
    columns |= _pose(file, given.rotation, given.shift_yx, _ANGLES_GIVEN, _ORIGIN_GIVEN)
    return columns | further_poses(file, poses)


def further_poses(file: ParticleFile, poses: PoseTable) -> dict[str, Floats]:
    """How good the best pose is, and the other poses with their probabilities."""
    columns = {SCORE: poses.score[:, 0], WIDTH: poses.width[:, 0], ENTROPY: poses.entropy}
    for number in range(1, poses.score.shape[1]):
        end = f"_top{number + 1}"
        names = [tuple(name + end for name in each) for each in (ANGLES, ORIGIN)]
        columns |= _pose(file, poses.rotation[:, number], poses.shift_yx[:, number], *names)
        columns[PROBABILITY + end] = poses.probability[:, number]
        columns[SCORE + end] = poses.score[:, number]
        columns[WIDTH + end] = poses.width[:, number]
    return columns


def _pose(
    file: ParticleFile,
    rotation: Floats,
    shift_yx: Floats,
    angles: tuple[str, ...],
    origin: tuple[str, ...],
) -> dict[str, Floats]:
    """Angles and origins; of single images the origin has no z."""
    shift = shift_yx[:, ::-1]
    _, row = np.unique(file.table_row, return_inverse=True)
    if row.max(initial=-1) + 1 < len(row):
        stage = file.particles.stage
        rotation = np.swapaxes(stage, -1, -2) @ rotation
        shift = origins(stage, shift_yx, row)[row]
    columns = dict(zip(angles, relion_angles_from_matrices(rotation).T, strict=True))
    return columns | dict(zip(origin, shift.T, strict=False))
