"""The loss of centres is its formula, stays finite, and can be learnt from."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from blob_project import blob
from torch import Tensor, nn

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import MetadataError
from icelens.tasks.pick.augment import Crop
from icelens.tasks.pick.crops import PickBatch
from icelens.tasks.pick.losses import DeepSupervision, build_loss
from icelens.tasks.pick.objective import CentreLoss, FindParticles, LabelLoss, class_loss
from icelens.tasks.pick.targets_in_crops import TargetMaker
from icelens.tasks.pick.train_settings import LearningConfig
from icelens.tasks.pick.voxel_target import VoxelTarget
from icelens.training.networks.half_unet_3d import HalfUNet3D

SHAPE = (2, 3, 4)
LOSS = CentreLoss(256.0, (False, True), dense_weight=3.0)


def maps_batch(maps: Tensor) -> PickBatch:
    return PickBatch(torch.zeros(len(maps), 1, 4, 6, 8), maps, None)


def some_maps(num_items: int = 2) -> Tensor:
    return torch.rand(num_items, 2, *SHAPE) / 3


def test_loss_of_centres_is_its_formula() -> None:
    scores, maps = torch.randn(2, 3, *SHAPE), some_maps()
    above = below = 0.0
    for item in range(2):
        for place in np.ndindex(*SHAPE):
            at = [float(scores[(item, number, *place)]) for number in range(3)]
            norm = sum(math.exp(value) for value in at)
            target = [float(maps[(item, number, *place)]) for number in range(2)]
            shares = [max(1 - sum(target), 0.0), *target]
            for share, value, weight in zip(shares, at, (1.0, 256.0, 3.0), strict=True):
                above -= weight * share * math.log(math.exp(value) / norm)
                below += weight * share
    found = LOSS([scores], maps_batch(maps))
    assert float(found) == pytest.approx(above / below, rel=1e-5)


def test_perfect_answer_costs_nothing_and_a_wrong_one_much() -> None:
    maps = torch.zeros(1, 2, *SHAPE)
    maps[0, 0, 1, 2, 3] = 1
    scores = torch.zeros(1, 3, *SHAPE)
    scores[:, 0] = 30
    missed = float(LOSS([scores], maps_batch(maps)))
    scores[0, 1, 1, 2, 3] = 60
    assert float(LOSS([scores], maps_batch(maps))) < 1e-6
    assert missed > 20


def test_gradient_is_finite_for_crops_without_particles() -> None:
    network = nn.Conv3d(1, 3, 2, stride=2)
    loss = FindParticles(LOSS)(network, network, maps_batch(torch.zeros(2, 2, *SHAPE)))
    loss.total.backward()
    assert math.isfinite(loss.total.item())
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters())


class TwoLevels(nn.Module):
    """A network with deep supervision."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv3d(1, 3, 2, stride=2), nn.Conv3d(1, 3, 4, stride=4)

    def forward(self, image: Tensor) -> list[Tensor]:
        return [self.fine(image), self.coarse(image)]


def test_labels_are_learnt_at_all_levels_and_centres_at_the_finest() -> None:
    labels = VoxelTarget(torch.randint(0, 3, (1, 4, 4, 4)))
    batch = PickBatch(torch.randn(1, 1, 8, 8, 8), None, labels)
    for name in ("tversky", "focal", "cross-entropy"):
        network = TwoLevels()
        loss = FindParticles(LabelLoss(DeepSupervision(build_loss({"name": name}))))
        loss(network, network, batch).total.backward()
        assert network.fine.weight.grad.any()
        assert network.coarse.weight.grad.any()
    network = TwoLevels()
    of_centres = PickBatch(batch.images, torch.rand(1, 2, 4, 4, 4) / 3, None)
    FindParticles(LOSS)(network, network, of_centres).total.backward()
    assert network.fine.weight.grad.any()
    assert network.coarse.weight.grad is None


def one_crop() -> PickBatch:
    centres, kind = np.array([[5.0, 6, 10], [11.0, 11, 4]]), np.array([0, 1])
    image = sum(blob((16, 16, 16), centre, 2.0) for centre in centres) - 0.1
    classes = (PickableObject("a", 1, 40.0), PickableObject("b", 2, 40.0))
    make = TargetMaker(classes, "centres", 2, 10.0, 12.0, 0.7)
    maps = make(Crop(image.astype(np.float32), None, centres, kind))
    images = torch.from_numpy(image.astype(np.float32))[None, None]
    return PickBatch(images, torch.from_numpy(maps)[None], None)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_tiny_network_learns_one_crop_by_heart(precision: torch.dtype) -> None:
    network, batch = HalfUNet3D(3, (8, 12), (1, 1)), one_crop()
    objective = FindParticles(CentreLoss(64.0, (False, False)))
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    totals = []
    for _ in range(30):
        optimiser.zero_grad()
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            loss = objective(network, network, batch)
        assert loss.total.dtype == torch.float32
        loss.total.backward()
        optimiser.step()
        totals.append(loss.total.item())
    assert np.isfinite(totals).all()
    assert np.mean(totals[-3:]) < 0.5 * totals[0]


@pytest.mark.parametrize("changes", [{"loss": "tversky"}, {"loss_settings": {"alpha": 0.3}}])
def test_loss_that_centres_do_not_know_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MetadataError, match="leave both out, or choose --targets spheres"):
        class_loss(LearningConfig(project=(Path("p"),), **changes), ())
    spheres = LearningConfig(project=(Path("p"),), targets="spheres", **changes)
    assert isinstance(class_loss(spheres, ()), LabelLoss)
