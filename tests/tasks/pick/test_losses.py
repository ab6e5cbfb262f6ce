"""Losses agree with MONAI's where it has them, with their formulas elsewhere, and never explode."""

import pytest
import torch
import torch.nn.functional as F
from monai.losses.dice import DiceLoss, GeneralizedDiceLoss
from monai.losses.ds_loss import DeepSupervisionLoss
from monai.losses.focal_loss import FocalLoss
from monai.losses.tversky import TverskyLoss
from torch import Tensor

from icelens.core.errors import GeometryError, IcelensError
from icelens.tasks.pick.losses import LOSSES, DeepSupervision, build_loss
from icelens.tasks.pick.voxel_target import IGNORED, VoxelTarget

SHAPE = (4, 5, 6)
every_loss = pytest.mark.parametrize("name", LOSSES)


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(2, 3, *SHAPE)


@pytest.fixture
def labels() -> Tensor:
    return torch.randint(0, 3, (2, *SHAPE), dtype=torch.uint8)


def one_hot(labels: Tensor, num_classes: int = 3) -> Tensor:
    return F.one_hot(labels.long(), num_classes).movedim(-1, 1).float()


@pytest.mark.parametrize(
    ("settings", "theirs"),
    [
        (
            {"name": "tversky", "alpha": 0.3},
            TverskyLoss(softmax=True, alpha=0.3, beta=0.7),
        ),
        (
            {"name": "tversky", "alpha": 0.2, "beta": 0.4},
            TverskyLoss(softmax=True, alpha=0.2, beta=0.4),
        ),
        ({"name": "dice"}, DiceLoss(softmax=True)),
        ({"name": "generalized-dice"}, GeneralizedDiceLoss(softmax=True)),
        ({"name": "focal", "gamma": 2.0}, FocalLoss(use_softmax=True, gamma=2.0)),
        ({"name": "focal", "gamma": 0.7}, FocalLoss(use_softmax=True, gamma=0.7)),
    ],
)
def test_value_and_gradient_are_monais(
    settings: dict[str, object], theirs: torch.nn.Module, logits: Tensor, labels: Tensor
) -> None:
    logits.requires_grad_()
    answers = [
        build_loss(settings)(logits, VoxelTarget(labels)),
        theirs(logits, one_hot(labels)),
    ]
    torch.testing.assert_close(*answers, rtol=1e-5, atol=1e-6)
    gradients = [torch.autograd.grad(answer, logits)[0] for answer in answers]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-8)


def test_generalized_dice_of_an_absent_class_is_monais(logits: Tensor) -> None:
    labels = torch.zeros(2, *SHAPE, dtype=torch.uint8)
    labels[0, 0] = 2
    ours = build_loss({"name": "generalized-dice"})(logits, VoxelTarget(labels))
    theirs = GeneralizedDiceLoss(softmax=True)(logits, one_hot(labels))
    torch.testing.assert_close(ours, theirs)


def test_focal_tversky_is_the_root_of_tversky(logits: Tensor, labels: Tensor) -> None:
    target = VoxelTarget(labels)
    tversky = build_loss({"name": "tversky", "alpha": 0.7})(logits, target)
    focal = build_loss({"name": "focal-tversky", "gamma": 2.0})(logits, target)
    torch.testing.assert_close(focal, tversky**0.5)
    torch.testing.assert_close(build_loss({"name": "focal-tversky"})(logits, target), tversky)


def test_weighted_focal_tversky_adds_the_two(logits: Tensor, labels: Tensor) -> None:
    target = VoxelTarget(labels)
    settings = {"name": "weighted-focal-tversky", "alpha": 0.4, "gamma": 1.5}
    both = build_loss(settings | {"weight_tversky": 0.3})(logits, target)
    tversky = build_loss({"name": "tversky", "alpha": 0.4})(logits, target)
    focal = build_loss({"name": "focal", "gamma": 1.5})(logits, target)
    torch.testing.assert_close(both, 0.3 * tversky + 0.7 * focal)


def test_weighted_cross_entropy_is_torchs(logits: Tensor, labels: Tensor) -> None:
    ours = build_loss({"name": "cross-entropy"})(logits, VoxelTarget(labels))
    weight = torch.tensor([1.0, 256.0, 256.0])
    torch.testing.assert_close(ours, F.cross_entropy(logits, labels.long(), weight=weight))


def test_cross_entropy_and_tversky_are_added(logits: Tensor, labels: Tensor) -> None:
    target = VoxelTarget(labels)
    both = build_loss({"name": "cross-entropy-tversky", "weight_tversky": 2.0})(logits, target)
    tversky = build_loss({"name": "tversky"})(logits, target)
    torch.testing.assert_close(both, F.cross_entropy(logits, labels.long()) + 2 * tversky)


@every_loss
def test_ignored_voxels_do_not_matter(name: str, logits: Tensor, labels: Tensor) -> None:
    labels[:, 2:] = IGNORED
    loss = build_loss({"name": name})
    changed = logits.clone()
    changed[:, :, 2:] = torch.randn_like(changed[:, :, 2:]) * 9
    expected = loss(logits[:, :, :2], VoxelTarget(labels[:, :2]))
    for given in (logits, changed):
        torch.testing.assert_close(loss(given, VoxelTarget(labels)), expected)


@every_loss
def test_a_weight_of_two_counts_a_voxel_twice(name: str, logits: Tensor, labels: Tensor) -> None:
    loss = build_loss({"name": name})
    weight = torch.ones(2, *SHAPE)
    weight[:, 0] = 2
    twice = [torch.cat([tensor[..., :1, :, :], tensor], dim=-3) for tensor in (logits, labels)]
    torch.testing.assert_close(
        loss(logits, VoxelTarget(labels, weight)), loss(twice[0], VoxelTarget(twice[1]))
    )


@every_loss
def test_mixing_with_itself_changes_nothing(name: str, logits: Tensor, labels: Tensor) -> None:
    loss = build_loss({"name": name})
    mixed = VoxelTarget(labels).mixed(torch.tensor([0, 1]), torch.tensor([0.3, 0.9]))
    torch.testing.assert_close(loss(logits, mixed), loss(logits, VoxelTarget(labels)))


@every_loss
def test_a_share_of_one_is_the_first_target_alone(
    name: str, logits: Tensor, labels: Tensor
) -> None:
    loss = build_loss({"name": name})
    mixed = VoxelTarget(labels).mixed(torch.tensor([1, 0]), torch.tensor([1.0, 1.0]))
    torch.testing.assert_close(loss(logits, mixed), loss(logits, VoxelTarget(labels)))


def test_mixed_tversky_is_that_of_soft_labels(logits: Tensor, labels: Tensor) -> None:
    share = torch.tensor([0.25, 0.6])
    mixed = VoxelTarget(labels).mixed(torch.tensor([1, 0]), share)
    part = share.view(2, 1, 1, 1, 1)
    soft = part * one_hot(labels) + (1 - part) * one_hot(labels.flip(0))
    p = logits.softmax(1)
    overlap, total = ((p * soft).sum((2, 3, 4)), (p + soft).sum((2, 3, 4)))
    expected = (1 - (2 * overlap + 1e-5) / (total + 1e-5)).mean()
    torch.testing.assert_close(build_loss({"name": "dice"})(logits, mixed), expected)


@every_loss
@pytest.mark.parametrize("filling", [0, 1, IGNORED])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_uniform_crops_have_finite_gradients(name: str, filling: int, dtype: torch.dtype) -> None:
    labels = torch.full((1, *SHAPE), filling, dtype=torch.uint8)
    for scale in (1.0, 60.0):  # the second is certain, here rightly and there wrongly
        logits = (torch.randn(1, 3, *SHAPE) * scale).to(dtype).requires_grad_()
        loss = build_loss({"name": name})(logits, VoxelTarget(labels))
        loss.backward()
        assert loss.dtype == torch.float32
        assert loss.isfinite()
        assert logits.grad is not None
        assert logits.grad.isfinite().all()


@pytest.mark.parametrize(
    "settings",
    [{"name": "focal", "gamma": 0.1}, {"name": "focal-tversky", "gamma": 2.0}],
)
def test_perfect_answers_have_finite_gradients(settings: dict[str, object]) -> None:
    labels = torch.randint(0, 3, (1, *SHAPE))
    logits = (one_hot(labels) * 1000).requires_grad_()
    loss = build_loss(settings)(logits, VoxelTarget(labels))
    loss.backward()
    assert loss < 0.01
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_losses_are_float32_under_autocast(logits: Tensor, labels: Tensor) -> None:
    loss = build_loss({"name": "tversky"})
    with torch.autocast("cpu", torch.bfloat16):
        inside = loss(logits, VoxelTarget(labels))
    assert torch.equal(inside, loss(logits, VoxelTarget(labels)))


def test_deep_supervision_is_monais(labels: Tensor) -> None:
    labels = labels[:, :, :4, :4].contiguous()
    outputs = [torch.randn(2, 3, *(4 // 2**level,) * 3) for level in range(3)]
    ours = DeepSupervision(build_loss({"name": "dice"}))(outputs, VoxelTarget(labels))
    theirs = DeepSupervisionLoss(DiceLoss(softmax=True))(outputs, one_hot(labels))
    torch.testing.assert_close(ours, theirs)


def test_deep_supervision_of_one_output_is_the_loss(logits: Tensor, labels: Tensor) -> None:
    loss = build_loss({"name": "focal"})
    target = VoxelTarget(labels)
    assert torch.equal(DeepSupervision(loss)(logits, target), loss(logits, target))


def test_far_levels_keep_a_sixteenth() -> None:
    loss = DeepSupervision(build_loss({"name": "dice"}))
    logits, labels = torch.randn(1, 2, 2, 2, 2), torch.ones(1, 2, 2, 2, dtype=torch.long)
    one = loss(logits, VoxelTarget(labels))
    many = loss([logits] * 6, VoxelTarget(labels))
    torch.testing.assert_close(many, one * (1 + 0.5 + 0.25 + 0.125 + 0.0625 + 0.0625))


def test_an_unknown_loss_or_parameter_is_named_in_one_line() -> None:
    cases = [
        ({"name": "tversk"}, "did you mean"),
        ({"name": "dice", "alpha": 1}, "loss dice: no setting alpha"),
        ({"name": "tversky", "gamma": 1}, "it has alpha, beta"),
        ({"name": "tversky", "alpha": 2}, "loss tversky"),
        ({"name": "focal-tversky", "gamma": 0}, "gamma"),
        ({"name": "focal", "gamma": float("nan")}, "gamma"),
    ]
    for settings, words in cases:
        with pytest.raises(IcelensError, match=words) as caught:
            build_loss(settings)
        assert "\n" not in str(caught.value)


def test_targets_of_other_objects_or_sizes_are_refused(logits: Tensor, labels: Tensor) -> None:
    loss = build_loss({"name": "tversky"})
    with pytest.raises(GeometryError, match="stride of the network"):
        loss(logits, VoxelTarget(labels[:, :2]))
    labels[0, 0, 0, 0] = 7
    with pytest.raises(GeometryError, match="label 7"):
        loss(logits, VoxelTarget(labels))
