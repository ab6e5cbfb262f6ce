"""The half-resolution U-Net answers on the grid it promises, learns, and starts at background."""

import pytest
import torch
from torch import nn

from icelens.core.errors import GeometryError
from icelens.training.networks.half_unet_3d import BACKGROUND_BIAS, HalfUNet3D


def network(num_classes: int = 3, levels: int = 2) -> HalfUNet3D:
    return HalfUNet3D(num_classes, (4, 6, 8)[:levels], (1, 2, 1)[:levels])


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 2])
def test_answer_has_half_the_resolution(levels: int, batch: int) -> None:
    net = network(levels=levels)
    assert net.box_multiple == 2**levels
    sides = (net.box_multiple, 2 * net.box_multiple, 3 * net.box_multiple)
    scores = net(torch.randn(batch, 1, *sides))
    assert tuple(scores.shape) == (batch, 3, *(side // net.stride for side in sides))


def test_untrained_network_says_background_everywhere() -> None:
    scores = network()(torch.randn(1, 1, 8, 8, 8))
    assert torch.equal(scores[:, 0], torch.full_like(scores[:, 0], BACKGROUND_BIAS))
    assert not scores[:, 1:].any()


def test_every_weight_learns() -> None:
    net = network(levels=3)
    nn.init.normal_(net.head.weight)  # at zero it hides the gradient of what lies before it
    net(torch.randn(2, 1, 16, 16, 16)).square().sum().backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.any(), name


def test_mirrored_volumes_meet_the_same_voxels() -> None:
    net = network()
    nn.init.normal_(net.head.weight)
    # mirrored kernels make a mirrored network; its answer must be the mirror image to the voxel
    mirrored = network()
    mirrored.load_state_dict(net.state_dict())
    with torch.no_grad():
        for module in mirrored.modules():
            if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
                module.weight.copy_(module.weight.flip(-1))
        stem = mirrored.stem.conv.weight.unflatten(1, (2, 2, 2))
        mirrored.stem.conv.weight.copy_(stem.flip(3).flatten(1, 3))
        image = torch.randn(1, 1, 8, 8, 16)
        torch.testing.assert_close(
            mirrored(image.flip(-1)).flip(-1), net(image), atol=1e-4, rtol=1e-4
        )


def test_blob_moves_the_answer_at_its_own_place() -> None:
    net = network(num_classes=2, levels=1)
    nn.init.normal_(net.head.weight)
    image = torch.zeros(1, 1, 24, 24, 24)
    image[..., 10:12, 6:8, 16:18] = 1  # the block of output voxel (5, 3, 8)
    with torch.no_grad():
        change = (net(image) - net(torch.zeros_like(image)))[0].abs().sum(dim=0)
        far = net(image)[0, :, 0, -1, 0] - net(image)[0, :, -1, -1, 0]
    near = torch.nonzero(change > change.max() / 2).float().mean(dim=0)
    torch.testing.assert_close(near, torch.tensor([5.0, 3.0, 8.0]), atol=1.0, rtol=0)
    # far from the blob all voxels are alike but for zero padding
    assert float(far.abs().max()) < float(change.max())


@pytest.mark.parametrize("sides", [(8, 8, 10), (6, 8, 8), (8, 7, 8)])
def test_box_that_cannot_be_halved_is_refused_in_one_line(sides: tuple[int, int, int]) -> None:
    with pytest.raises(GeometryError, match="must be a multiple of 4") as caught:
        network()(torch.zeros(1, 1, *sides))
    assert "\n" not in str(caught.value)


def test_levels_without_blocks_are_refused() -> None:
    with pytest.raises(GeometryError, match="2 levels of channels but 1 of blocks"):
        HalfUNet3D(2, (4, 8), (1,))


@pytest.mark.parametrize("channels", [[], [0, 8], [-4, 8], [True, 4]], ids=str)
def test_channels_that_are_no_counts_are_refused(channels: list[int]) -> None:
    with pytest.raises(GeometryError, match="expected a list of whole numbers from 1"):
        HalfUNet3D(2, channels=channels, blocks=[1, 1])
