"""The residual U-Net is MONAI's: same names, same numbers, same gradients."""

import pytest
import torch
from monai.networks.nets.unet import UNet

from icelens.core.errors import GeometryError
from icelens.training.networks.segmentation.residual_unet import ResidualUNet

CHANNELS, STRIDES = (4, 6, 8, 8), (2, 2, 1)


@pytest.mark.parametrize("num_res_units", [0, 1, 2])
def test_weights_of_monai_load_and_give_the_same_logits_and_gradients(num_res_units: int) -> None:
    theirs = UNet(3, 1, 3, CHANNELS, STRIDES, num_res_units=num_res_units)
    ours = ResidualUNet(3, CHANNELS, STRIDES, num_res_units=num_res_units)
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(2, 1, 16, 8, 24)
    factor = torch.randn(2, 3, 16, 8, 24)
    logits = [network(image) for network in (ours, theirs)]
    # float32 through ten normalised layers
    torch.testing.assert_close(*logits, rtol=1e-3, atol=1e-4)
    for answer in logits:
        (answer * factor).sum().backward()
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert mine.grad is not None
        assert other.grad is not None
        # biases before a normalisation have no gradient but rounding errors, below 1e-2
        torch.testing.assert_close(mine.grad, other.grad, rtol=2e-3, atol=2e-2, msg=name)


@pytest.mark.parametrize("stride", [1, 3])
def test_a_first_level_that_does_not_halve_is_monais_too(stride: int) -> None:
    theirs = UNet(3, 1, 2, (3, 4, 5), (stride, 2), num_res_units=1).eval()
    ours = ResidualUNet(2, (3, 4, 5), (stride, 2)).eval()
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(1, 1, 12, 12, 12)
    with torch.no_grad():
        torch.testing.assert_close(ours(image), theirs(image), rtol=1e-3, atol=1e-4)


def test_half_resolution_output_is_half_as_large_and_learns() -> None:
    network = ResidualUNet(3, CHANNELS, STRIDES, output_stride=2)
    logits = network(torch.randn(1, 1, 16, 16, 8))
    assert (network.stride, network.box_multiple) == (2, 4)
    assert logits.shape == (1, 3, 8, 8, 4)
    logits.square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_bfloat16_stays_near_float32() -> None:
    network = ResidualUNet(3, CHANNELS, STRIDES)
    image = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        exact = network(image)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(image)
    assert (rough.float() - exact).abs().mean() < 0.05 * exact.abs().mean()


def test_initial_weights_are_drawn_as_monai_draws_them() -> None:
    torch.manual_seed(3)
    theirs = UNet(3, 1, 3, (32, 32), (2,), num_res_units=1).state_dict()
    ours = ResidualUNet(3, (32, 32), (2,)).state_dict()
    for name, weight in ours.items():
        if weight.numel() > 500:
            assert weight.std() == pytest.approx(float(theirs[name].std()), rel=0.2), name


@pytest.mark.parametrize(
    ("channels", "strides", "output_stride"),
    [((8,), (), 1), ((8, 8), (2, 2), 1), ((8, 8), (1,), 2), ((8, 8), (2,), 3)],
)
def test_levels_that_do_not_fit_are_refused(
    channels: tuple[int, ...], strides: tuple[int, ...], output_stride: int
) -> None:
    with pytest.raises(GeometryError, match="stride"):
        ResidualUNet(2, channels, strides, output_stride=output_stride)
