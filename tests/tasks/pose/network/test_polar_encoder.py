import pytest
import torch
from turned_images import quarter_turned

from icelens.tasks.pose.network.polar_encoder import PolarEncoder


@pytest.mark.parametrize("box_size", [16, 32])
def test_features_turn_with_the_image_exactly(box_size: int) -> None:
    encoder = PolarEncoder(box_size, channels=8, num_blocks=1).eval()
    images = torch.randn(2, 2, box_size, box_size)
    with torch.no_grad():
        start, turned = encoder(quarter_turned(images, 0)), encoder(quarter_turned(images))
    quarter = encoder.num_angles // 4
    assert torch.allclose(turned, start.roll(quarter, dims=-1), atol=1e-4)
    assert float((turned - start).norm() / start.norm()) > 0.3


@pytest.mark.parametrize("min_angles", [0, 13, 50])
def test_features_have_the_shape_that_is_promised(min_angles: int) -> None:
    encoder = PolarEncoder(32, channels=6, sigmas=(1.0, 2.0), min_angles=min_angles)
    features = encoder(torch.randn(3, 2, 32, 32))
    assert features.shape == (3, encoder.out_channels, encoder.num_radii, encoder.num_angles)
    assert encoder.num_angles >= min_angles
    assert encoder.num_angles % 4 == 0
