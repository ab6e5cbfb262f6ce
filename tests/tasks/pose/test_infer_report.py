"""The page of an inference warns where poses should not be trusted, and is quiet elsewhere."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pose_models import TINY

from icelens.core.data.particles import Particles
from icelens.core.events import Event, Message
from icelens.core.geometry.rotations import random_rotations
from icelens.core.refinement.pose_table import PoseTable
from icelens.jobs.run import Run
from icelens.tasks.pose.confidence import DirectionalScores
from icelens.tasks.pose.found_poses import FoundPoses, NetworkPoses
from icelens.tasks.pose.infer_report import report_inference
from icelens.tasks.pose.model import PoseModel
from icelens.tasks.pose.network.build import build_network
from icelens.tasks.pose.network_images import ImageShape

COUNT = 400


def rotations(count: int = COUNT) -> np.ndarray:
    generator = torch.Generator().manual_seed(0)
    return random_rotations(count, generator, dtype=torch.float64).numpy()


def model(held_out: np.ndarray | None) -> PoseModel:
    names = ("box_size", "max_degree", "sphere_channels", "rotation_channels", "encoder_settings")
    network = build_network({name: TINY[name] for name in names}, "C1")
    plain = PoseModel(Path("m"), network, "C1", ImageShape(32, 6.0, 80.0), 1, 1.0, {})
    if held_out is None:
        return plain
    scores = DirectionalScores.of(rotations(len(held_out)), held_out, "C1")
    return replace(plain, confidence={"scores": scores.to_json()})


def found(probability: np.ndarray, zscore: np.ndarray | None = None) -> FoundPoses:
    count = len(probability)
    rotation = rotations(count)[:, None]
    each = probability[:, None]
    network = NetworkPoses(rotation, np.zeros((count, 2)), each, each)
    table = PoseTable(rotation, np.zeros((count, 1, 2)), each, each, each, np.zeros(count))
    zscore = np.full(count, np.nan) if zscore is None else zscore
    return FoundPoses(np.arange(count), network, zscore, np.ones(count, bool), table)


def said(poses: FoundPoses, chosen: PoseModel, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Texts and their levels; pictures are not drawn."""
    told: list[Event] = []
    run = Run(Path("nowhere"), told.append)
    monkeypatch.setattr(run.report, "figure", lambda *_, **__: None)
    particles: Any = Particles((), np.empty(0, np.int64), np.empty(0, np.int64), ())
    report_inference(particles, poses, {1: (chosen,), 2: (chosen,)}, None, run)
    return {event.text: event.level for event in told if isinstance(event, Message)}


def usual(seed: int, count: int = COUNT) -> np.ndarray:
    return np.random.default_rng(seed).beta(6, 2, count)


def test_particles_like_those_held_out_raise_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = said(found(usual(1)), model(usual(2)), monkeypatch)
    assert "warning" not in texts.values()
    assert any("400 images, 400 of them used" in text for text in texts)


def test_noise_raises_a_warning_that_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).beta(2, 10, COUNT)
    texts = said(found(noise), model(usual(2)), monkeypatch)
    (warning,) = [text for text, level in texts.items() if level == "warning"]
    assert "not what the model learnt" in warning
    assert "standard deviations lower" in warning


def test_a_model_that_knows_no_scores_cannot_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "warning" not in said(found(usual(1) * 0.1), model(None), monkeypatch).values()


def test_junk_is_proposed_where_there_are_two_populations(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    mixed = np.where(rng.random(COUNT) < 0.3, rng.normal(-6, 1, COUNT), rng.normal(0, 1, COUNT))
    texts = said(found(usual(1), mixed), model(usual(2)), monkeypatch)
    (proposed,) = [text for text in texts if "--min-zscore" in text]
    share = re.search(r"about (\d+)% of the particles may be junk", proposed)
    assert share is not None
    assert 25 <= int(share[1]) <= 35
    one = said(found(usual(1), rng.normal(size=COUNT)), model(usual(2)), monkeypatch)
    assert not any("--min-zscore" in text for text in one)


@pytest.mark.parametrize("count", [1, 3])
def test_a_few_particles_are_reported_too(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    poses = found(usual(1, count), np.zeros(count))
    assert any(f"{count} images" in text for text in said(poses, model(usual(2)), monkeypatch))
