"""An image convolved by its taps is the image convolved."""

import pytest
import torch
import torch.nn.functional as F

from icelens.core.errors import GeometryError
from icelens.training.networks.segmentation.image_taps import (
    are_taps_faster,
    convolve_taps,
    gather_taps,
)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_taps_give_the_convolution_and_its_gradient(stride: int) -> None:
    image = torch.randn(2, 1, 6, 12, 18)
    weight, bias = torch.randn(4, 1, 3, 3, 3), torch.randn(4)
    for tensor in (weight, bias):
        tensor.requires_grad_()
    ours = convolve_taps(gather_taps(image, stride), weight, bias)
    theirs = F.conv3d(image, weight, bias, stride=stride, padding=1)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    factor = torch.randn_like(theirs)
    pairs = [torch.autograd.grad((out * factor).sum(), (weight, bias)) for out in (ours, theirs)]
    for mine, other in zip(*pairs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)


def test_the_result_lies_channels_last() -> None:
    result = convolve_taps(
        gather_taps(torch.randn(1, 1, 4, 4, 4), 2), torch.randn(3, 1, 3, 3, 3), torch.zeros(3)
    )
    assert result.is_contiguous(memory_format=torch.channels_last_3d)


def test_an_image_that_is_no_multiple_of_the_stride_is_refused() -> None:
    with pytest.raises(GeometryError, match="multiple of 2"):
        gather_taps(torch.zeros(1, 1, 5, 4, 4), 2)


def test_only_single_precision_images_are_taken_apart() -> None:
    assert are_taps_faster(torch.zeros(1, 1, 4, 4, 4))
    assert not are_taps_faster(torch.zeros(1, 2, 4, 4, 4))
    with torch.autocast("cpu", torch.bfloat16):
        assert not are_taps_faster(torch.zeros(1, 1, 4, 4, 4))
