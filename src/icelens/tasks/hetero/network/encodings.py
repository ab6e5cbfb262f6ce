"""Positional encodings: a frequency becomes sines and cosines that a network can tell apart.

All but `none` are phases `k . f` with fixed vectors `f`. As `R^T k . f = k . (R f)`, the vectors
are turned for each image rather than its points, and only two of their coordinates are needed.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.tasks.hetero.network.network_settings import Encoding


def encoding_vectors(
    kind: Encoding, box_size: int, num_frequencies: int, *, width: float, seed: int
) -> Float[Tensor, "feature 3"]:
    """Vectors `f` of an encoding, for frequencies `k` in cycles per pixel.

    Args:
        kind: `gaussian` draws them at random; `geom_*` space them geometrically along each axis,
            from and to other lengths; `linear_lowf` evenly; `none` has none.
        box_size: Side `n` of the volume, in px.
        num_frequencies: `E` along each axis.
        width: Deviation of the Gaussian, in units of `n / 2`.
        seed: Draws the Gaussian.

    References:
        Zhong et al., Nature Methods 18 (2021); Zhong et al., ICCV 2021 (Gaussian).
    """
    if kind == "none":
        return torch.empty(0, 3)
    n = float(box_size)
    if kind == "gaussian":
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(3 * num_frequencies, 3, generator=generator)
        return drawn * (width * n / 2.0)
    part = torch.arange(num_frequencies) / max(1, num_frequencies - 1)
    lengths = {
        "geom_ft": n * math.pi * (2.0 / n) ** part,
        "geom_full": n * math.pi * (1.0 / (n * math.pi)) ** part,
        "geom_lowf": n / 2.0 * (2.0 / n) ** part,
        "geom_nohighf": n / 2.0 * (4.0 * math.pi / n) ** part,
        "linear_lowf": 1.0
        + torch.arange(num_frequencies) * (n / 2.0 - 1.0) / max(1, num_frequencies - 1),
    }[kind]
    return torch.cat([lengths[:, None] * torch.eye(3)[axis] for axis in range(3)])


def encoded_plane(
    vectors: Float[Tensor, "feature 3"],
    axes: Float[Tensor, "row 3 3"],
    frequency_xy: Float[Tensor, "2 sample"],
) -> Float[Tensor, "row sample twice_feature"]:
    """Sines, then cosines, of the samples of images turned by `axes`.

    Args:
        vectors: From `encoding_vectors`.
        axes: Rows 0 and 1 take a sample `(k_x, k_y)` to the volume.
        frequency_xy: In cycles per pixel.
    """
    # no matrix product, whose precision may be low: phases reach hundreds
    turned = (axes[:, :2, None] * vectors).sum(-1)
    phase = frequency_xy[0, :, None] * turned[:, None, 0]
    phase = torch.addcmul(phase, frequency_xy[1, :, None], turned[:, None, 1])
    return torch.cat([phase.sin(), phase.cos()], dim=-1)


def encoded_points(
    vectors: Float[Tensor, "feature 3"], points: Float[Tensor, "point 3"]
) -> Float[Tensor, "point twice_feature"]:
    """Sines, then cosines, of frequencies in cycles per pixel."""
    phase = points[:, :1] * vectors[:, 0]
    for axis in (1, 2):
        phase = phase.addcmul_(points[:, axis : axis + 1], vectors[:, axis])
    return torch.cat([phase.sin(), phase.cos()], dim=-1)
