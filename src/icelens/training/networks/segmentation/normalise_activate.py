"""Instance normalisation and PReLU in one pass, without the copies that PyTorch makes on a CPU.

`F.instance_norm` views a batch as one item with more channels. Channels-last maps, which
convolutions give and want, do not allow that view, so each call copies the map twice; the gradient
of PReLU writes a full map for its single slope. Both cost a sixth of a training step of a U-Net.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

EPSILON = 1e-5
"""Added to the variance, as everywhere in PyTorch."""


class NormaliseActivate(nn.Module):
    """Instance normalisation without weights, dropout, and PReLU with one slope (`A.weight`)."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.A = nn.PReLU()
        self.dropout = dropout

    def forward(
        self, features: Float[Tensor, "batch channel z y x"]
    ) -> Float[Tensor, "batch channel z y x"]:
        """Normalise each channel of each item, drop values while training, activate."""
        slope = self.A.weight
        if self.training and self.dropout > 0:
            normalised = F.instance_norm(features, eps=EPSILON)
            return F.prelu(F.dropout(normalised, self.dropout), slope)
        return normalise_activate(features, slope)


def normalise_activate(
    features: Float[Tensor, "batch channel z y x"], slope: Float[Tensor, "1"]
) -> Float[Tensor, "batch channel z y x"]:
    """Equal `prelu(instance_norm(features), slope)`; a single voxel is refused as there."""
    is_quick = features.device.type == "cpu" and features.dtype in (torch.float32, torch.bfloat16)
    is_quick = is_quick and not torch.compiler.is_compiling() and features.shape[2:].numel() > 1
    if not is_quick:
        return F.prelu(F.instance_norm(features, eps=EPSILON), slope)
    features = features.contiguous(memory_format=torch.channels_last_3d)
    if torch.is_grad_enabled() and (features.requires_grad or slope.requires_grad):
        activated: Tensor = _NormaliseActivate.apply(features, slope)  # type: ignore[no-untyped-call]
        return activated
    normalised = torch.empty_like(features)
    for item, into in zip(_rows(features), _rows(normalised), strict=True):
        into.copy_(_normalise(item, features.shape[1])[0])
    return F.leaky_relu_(normalised, float(slope))


class _NormaliseActivate(torch.autograd.Function):
    """Works on each item as rows along x, in the order of the memory: voxels, then channels."""

    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor, slope: Tensor) -> Tensor:
        pairs = [_normalise(rows, features.shape[1]) for rows in _rows(features)]
        activated = torch.empty_like(features)
        for (normalised, _), into in zip(pairs, _rows(activated), strict=True):
            torch.ops.aten.leaky_relu.out(normalised, float(slope), out=into)
        ctx.save_for_backward(slope, *(tensor for pair in pairs for tensor in pair))
        return activated

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor]:
        slope, *saved = ctx.saved_tensors  # type: ignore[attr-defined]
        grad = grad.contiguous(memory_format=torch.channels_last_3d)
        grad_features = torch.empty_like(grad)
        grad_slope = torch.zeros((), dtype=torch.float32)
        items = zip(_rows(grad), saved[0::2], saved[1::2], _rows(grad_features), strict=True)
        for rows, normalised, inverse_std, into in items:
            grad_slope = grad_slope + _sum_of_products(rows, normalised.clamp(max=0))
            rows = torch.ops.aten.leaky_relu_backward(rows, normalised, float(slope), False)  # noqa: FBT003
            _normalise_backward(rows, normalised, inverse_std, into=into)
        return grad_features, grad_slope.to(slope.dtype).view(1)


def _rows(features: Tensor) -> Sequence[Tensor]:
    """View each item of channels-last maps as (z y, x channel), the order of its memory.

    Along such rows all of a processor's lanes are used however few channels there are, and the
    sums of float32 values stay short.
    """
    batch, channels, z, y, x = features.shape
    return features.permute(0, 2, 3, 4, 1).reshape(batch, z * y, x * channels).unbind()


def _normalise(rows: Tensor, num_channels: int) -> tuple[Tensor, Tensor]:
    """Normalise the channels of one item; also return 1 / standard deviation (channel), float32."""
    mean, variance = (
        statistic.double().view(-1, num_channels)
        for statistic in torch.batch_norm_update_stats(rows, None, None, 0.0)
    )
    variance = variance.mean(dim=0) + mean.var(dim=0, unbiased=False)
    repeats = rows.shape[1] // num_channels
    normalised = F.batch_norm(
        rows,
        mean.mean(dim=0).float().repeat(repeats),
        variance.float().repeat(repeats),
        training=False,
        eps=EPSILON,
    )
    return normalised, (variance + EPSILON).rsqrt().float()


def _normalise_backward(
    grad: Tensor, normalised: Tensor, inverse_std: Tensor, *, into: Tensor
) -> None:
    """Write the gradient to what was normalised: less its mean and its share along the map."""
    num_channels = len(inverse_std)
    repeats = grad.shape[1] // num_channels
    num_voxels = grad.numel() // num_channels

    def mean(rows: Tensor) -> Tensor:
        sums = rows.sum(dim=0, dtype=torch.float32).view(repeats, num_channels)
        return sums.double().sum(dim=0) / num_voxels

    offset = (-mean(grad) * inverse_std).to(grad.dtype).repeat(repeats)
    share = (-mean(grad * normalised) * inverse_std).to(grad.dtype).repeat(repeats)
    scale = inverse_std.to(grad.dtype).repeat(repeats)
    torch.addcmul(offset, normalised, share, out=into)
    into.addcmul_(grad, scale)


def _sum_of_products(first: Tensor, second: Tensor) -> Tensor:
    """Add up products in float32; `dot` of bfloat16 takes three times as long."""
    if first.dtype == torch.float32:
        return torch.dot(first.view(-1), second.view(-1))
    return (first * second).sum(dim=0, dtype=torch.float32).sum()
