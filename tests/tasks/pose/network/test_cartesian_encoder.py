import pytest
import torch
import torch.nn.functional as F
from torch import nn
from turned_images import quarter_turned

from icelens.tasks.pose.network.cartesian_encoder import Body, CartesianEncoder
from icelens.tasks.pose.network.convmixer_encoder import ConvMixer
from icelens.tasks.pose.network.resnet_encoder import ResNet
from icelens.tasks.pose.network.unet_encoder import UNet

NUM_INPUTS = 6


class Averages(Body):
    """A body without weights, which turns with the image but for its coarse pixels."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride, self.out_channels = stride, NUM_INPUTS

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(maps, self.stride)


def _smooth_images(box_size: int) -> torch.Tensor:
    """Blobs far from the rim, wide against every stride here."""
    axis = torch.arange(box_size) - box_size // 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    places = torch.randn(2, 2, 8, 2) * box_size / 10
    distance = (y - places[..., 0, None, None]) ** 2 + (x - places[..., 1, None, None]) ** 2
    return torch.exp(-distance / (2 * 4.0**2)).sum(dim=2)


@pytest.mark.parametrize("stride", [2, 4])
def test_rings_of_coarse_maps_turn_about_the_centre_pixel(stride: int) -> None:
    encoder = CartesianEncoder(Averages(stride), 64)
    images = _smooth_images(64)
    start, turned = encoder(quarter_turned(images, 0)), encoder(quarter_turned(images))
    expected = start.roll(encoder.num_angles // 4, dims=-1)
    # half a px of the image off would leave more than a tenth
    assert float((turned - expected).norm() / expected.norm()) < 0.03 * stride


BODIES = {
    "unet": lambda: UNet(NUM_INPUTS, first_channels=3),
    "resnet-18": lambda: ResNet(NUM_INPUTS, depth=18, first_channels=4, out_channels=10),
    "resnet-50": lambda: ResNet(NUM_INPUTS, depth=50, first_channels=2, out_channels=10),
    "convmixer": lambda: ConvMixer(NUM_INPUTS, hidden_channels=12, depth=2),
}


@pytest.mark.parametrize("box_size", [16, 48])
@pytest.mark.parametrize("name", BODIES)
def test_every_body_gives_rings_and_every_weight_learns(name: str, box_size: int) -> None:
    encoder = CartesianEncoder(BODIES[name](), box_size, min_angles=11)
    features = encoder(torch.randn(3, 2, box_size, box_size))
    assert features.shape == (3, encoder.out_channels, encoder.num_radii, encoder.num_angles)
    assert encoder.num_angles >= 11
    features.square().sum().backward()
    assert all(weight.grad is not None for weight in encoder.parameters())


@pytest.mark.parametrize("name", BODIES)
def test_maps_stand_for_the_pixels_that_their_stride_says(name: str) -> None:
    # a body of averages alone would move its maps by one px when the image moves by one stride
    torch.manual_seed(1)
    body = BODIES[name]().eval()
    side = 4 * body.stride * (4 if name != "convmixer" else 2)
    images = torch.zeros(1, NUM_INPUTS, 2 * side, 2 * side)
    answers = []
    for flip in (False, True):
        spot = images.clone()
        spot[..., side - 3 : side + 3, side - 3 : side + 3] = 1.0
        _symmetrise(body)
        answers.append(body(spot.flip(-1) if flip else spot))
    # what is symmetric about the middle of the image stays so: nothing is shifted by part of a px
    assert torch.allclose(answers[0], answers[1].flip(-1), atol=1e-4)


def _symmetrise(body: nn.Module) -> None:
    with torch.no_grad():
        for module in body.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.copy_(0.5 * (module.weight + module.weight.flip(-1)))


@pytest.mark.parametrize("name", BODIES)
def test_bfloat16_gives_about_the_same(name: str) -> None:
    encoder = CartesianEncoder(BODIES[name](), 32).eval()
    images = torch.randn(2, 2, 32, 32)
    with torch.no_grad():
        plain = encoder(images)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            coarse = encoder(images)
    assert float((coarse - plain).norm() / plain.norm()) < 0.05


def test_the_parts_of_a_last_patch_beyond_the_image_are_zero() -> None:
    mixer = ConvMixer(1, hidden_channels=8, depth=1, kernel=3, patch=7)
    image = torch.randn(1, 1, 16, 16)
    padded = F.pad(image, (0, 5, 0, 5))
    assert torch.equal(mixer(image), mixer(padded))
    assert mixer(image).shape == (1, 8, 3, 3)
