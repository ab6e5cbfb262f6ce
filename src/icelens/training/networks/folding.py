"""Fold batch normalisation into the convolutions: a network for prediction with fewer passes."""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from icelens.training.networks.unet_3d import ConvNormActivate


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Give a copy for prediction that computes the same with its normalisations folded.

    In evaluation a batch norm multiplies each channel by a constant and adds another, which the
    convolution before it can do: equal but for rounding (1e-6 of the output in float32). Networks
    without such layers are copied as they are. The copy is in evaluation mode and has no gradients.
    """
    folded = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
    for module in folded.modules():
        if isinstance(module, ConvNormActivate) and isinstance(module.norm, nn.BatchNorm3d):
            _fold(module, module.norm)
    return folded


def _fold(layer: ConvNormActivate, norm: nn.BatchNorm3d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    weight, bias = fuse_conv_bn_weights(
        layer.conv.weight,
        layer.conv.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    frozen = weight.contiguous(memory_format=torch.channels_last_3d)
    layer.conv.weight = nn.Parameter(frozen, requires_grad=False)
    layer.conv.bias = nn.Parameter(bias, requires_grad=False)
    layer.norm = nn.Identity()
