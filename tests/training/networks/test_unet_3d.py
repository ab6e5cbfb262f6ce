"""The fast U-Net computes what the plain one computes, forwards and backwards."""

import pytest
import torch
from plain_networks import PlainUNet
from torch import nn

from icelens.core.errors import GeometryError
from icelens.tasks.restore.isonet2_names import rename
from icelens.training.networks.unet_3d import UNet3D

FILTERS = (4, 8, 8, 12, 16)
FLOAT32 = {"rtol": 2e-3, "atol": 2e-5}  # twenty normalised layers amplify the order of sums


def pair() -> tuple[nn.Module, nn.Module]:
    plain, ours = PlainUNet(FILTERS), UNet3D(FILTERS)
    ours.load_state_dict(rename(plain.state_dict(), "unet", "test"))
    return plain, ours


@pytest.mark.parametrize(
    ("filters", "published"),
    [
        ((16, 32, 64, 128, 256), 8_353_889),
        ((32, 64, 128, 256, 320), 23_989_825),
        ((64, 128, 256, 320, 320), 44_761_537),
    ],
)
def test_parameters_number_as_published(filters: tuple[int, ...], published: int) -> None:
    with torch.device("meta"):
        plain = PlainUNet(filters)
    assert sum(p.numel() for p in plain.parameters()) == published
    assert sum(p.numel() for p in UNet3D(filters).parameters()) == published


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    # A weight before a normalisation has gradients that nearly cancel, so float32 leaves a percent
    # of the largest; float64 shows that nothing but rounding differs.
    [(torch.float64, 1e-11), (torch.float32, 2e-2)],
)
def test_training_computes_what_the_plain_network_computes(
    batch: int, dtype: torch.dtype, tolerance: float
) -> None:
    plain, ours = (network.to(dtype) for network in pair())
    image = torch.randn(batch, 1, 32, 32, 32, dtype=dtype)
    expected, found = plain(image), ours(image)
    torch.testing.assert_close(found, expected, **FLOAT32)
    expected.square().mean().backward()
    found.square().mean().backward()
    gradients = rename({n: p.grad for n, p in plain.named_parameters()}, "unet", "test")
    for name, parameter in ours.named_parameters():
        difference = (parameter.grad - gradients[name]).abs().max()
        assert float(difference) <= tolerance * float(gradients[name].abs().max()), name
    statistics = rename(plain.state_dict(), "unet", "test")
    for name, tensor in ours.state_dict().items():
        torch.testing.assert_close(tensor, statistics[name], **FLOAT32)


def test_evaluation_computes_what_the_plain_network_computes() -> None:
    plain, ours = pair()
    image = torch.randn(1, 1, 32, 16, 48)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(image), plain.eval()(image), **FLOAT32)


def test_input_is_left_as_it_was() -> None:
    network, image = UNet3D((4, 4)), torch.randn(1, 1, 8, 8, 8)
    before = image.clone()
    network(image).sum().backward()
    assert torch.equal(image, before)


def test_result_does_not_depend_on_memory_layout() -> None:
    network = UNet3D((4, 8)).eval()
    image = torch.randn(2, 1, 8, 8, 8)
    moved = image.contiguous(memory_format=torch.channels_last_3d)
    turned = image.transpose(2, 4).contiguous().transpose(2, 4)
    with torch.no_grad():
        torch.testing.assert_close(network(moved), network(image))
        torch.testing.assert_close(network(turned), network(image))


def test_bfloat16_stays_near_float32() -> None:
    network, image = UNet3D(FILTERS).eval(), torch.randn(1, 1, 32, 32, 32)
    with torch.no_grad():
        exact = network(image)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(image)
    # Eight bits of mantissa, 2^-8 = 0.004 a layer, averaged over some twenty layers.
    assert float((rough - exact).norm() / exact.norm()) < 0.03


def test_box_that_does_not_halve_is_refused() -> None:
    with pytest.raises(GeometryError, match="multiple of 16"):
        UNet3D(FILTERS)(torch.randn(1, 1, 32, 32, 40))
