"""Directional z-scores of answers, by what the model knows of its held-out particles."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from icelens.tasks.pose.found_poses import NetworkPoses
from icelens.tasks.pose.model import PoseModel


def zscores_of(models: Sequence[PoseModel], answers: NetworkPoses) -> npt.NDArray[np.float64]:
    """How sure each answer is among answers for the same view; NaN if the model does not know."""
    scores = models[0].scores
    if scores is None:
        return np.full(len(answers), np.nan)
    return scores.zscores(answers.rotation[:, 0], answers.probability[:, 0])
