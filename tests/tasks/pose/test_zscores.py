"""Answers are compared with what the model knows of its held-out particles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pose_models import TINY

from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.pose.confidence import DirectionalScores
from icelens.tasks.pose.found_poses import NetworkPoses
from icelens.tasks.pose.model import PoseModel
from icelens.tasks.pose.network.build import build_network
from icelens.tasks.pose.network_images import ImageShape
from icelens.tasks.pose.zscores import zscores_of


def model() -> PoseModel:
    names = ("box_size", "max_degree", "sphere_channels", "rotation_channels", "encoder_settings")
    network = build_network({name: TINY[name] for name in names}, "C1")
    return PoseModel(Path("m"), network, "C1", ImageShape(32, 6.0, 80.0), 1, 1.0, {})


def answers(probability: np.ndarray) -> NetworkPoses:
    count = len(probability)
    generator = torch.Generator().manual_seed(0)
    rotation = random_rotations(count, generator, dtype=torch.float64).numpy()[:, None]
    ones = np.ones((count, 1))
    return NetworkPoses(rotation, np.zeros((count, 2)), probability[:, None], ones)


def test_a_model_that_knows_nothing_says_nothing() -> None:
    assert np.isnan(zscores_of([model()], answers(np.ones(5)))).all()


def test_usual_answers_score_about_zero_and_poor_ones_below() -> None:
    usual = answers(np.random.default_rng(0).normal(0.6, 0.1, 3000))
    scores = DirectionalScores.of(usual.rotation[:, 0], usual.probability[:, 0], "C1")
    knowing = replace(model(), confidence={"scores": scores.to_json()})
    found = zscores_of([knowing], usual)
    assert abs(float(np.median(found))) < 0.1
    assert 0.7 < float(found.std()) < 1.4
    poor = zscores_of([knowing], answers(np.full(100, 0.2)))
    assert float(np.median(poor)) < -3.0
