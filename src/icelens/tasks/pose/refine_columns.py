"""Columns of refined particles: further poses, scores, widths, and the poses they came with."""

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles
from icelens.core.geometry.relion_angles import relion_angles_from_matrices
from icelens.tasks.pose.refinement.pose_table import PoseTable

Floats = npt.NDArray[np.float64]

PROBABILITY = "rlnParticleFigureOfMerit"
SCORE = "rlnLogLikeliContribution"
WIDTH = "ilPoseWidthDegrees"
ENTROPY = "ilPoseEntropy"
_POSE = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnOriginXAngst", "rlnOriginYAngst")
_GIVEN = (
    "ilAngleRotGiven",
    "ilAngleTiltGiven",
    "ilAnglePsiGiven",
    "ilOriginXGivenAngst",
    "ilOriginYGivenAngst",
)


def columns_of(given: Particles, poses: PoseTable) -> dict[str, Floats]:
    """Columns besides the best pose, which has its own: one value for each image.

    Args:
        given: With the poses that were refined.
        poses: What was found.
    """
    columns = {PROBABILITY: poses.probability[:, 0]}
    columns |= _pose(given.rotation, given.shift_yx, _GIVEN)
    return columns | further_poses(poses)


def further_poses(poses: PoseTable) -> dict[str, Floats]:
    """How good the best pose is, and the other poses with their probabilities."""
    columns = {SCORE: poses.score[:, 0], WIDTH: poses.width[:, 0], ENTROPY: poses.entropy}
    for number in range(1, poses.score.shape[1]):
        names = [f"{name}_top{number + 1}" for name in _POSE]
        columns |= _pose(poses.rotation[:, number], poses.shift_yx[:, number], names)
        columns[f"{PROBABILITY}_top{number + 1}"] = poses.probability[:, number]
        columns[f"{SCORE}_top{number + 1}"] = poses.score[:, number]
        columns[f"{WIDTH}_top{number + 1}"] = poses.width[:, number]
    return columns


def _pose(
    rotation: Floats, shift_yx: Floats, names: tuple[str, ...] | list[str]
) -> dict[str, Floats]:
    angles = relion_angles_from_matrices(rotation)
    values = np.concatenate([angles, shift_yx[:, ::-1]], axis=1)
    return dict(zip(names, values.T, strict=True))
