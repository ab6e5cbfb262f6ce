"""Attention in windows against attention over all voxels with everything else masked out."""

import pytest
import torch
from torch import Tensor

from icelens.training.networks.window_attention_3d import (
    LARGEST_WINDOW,
    NUM_OFFSETS,
    WindowAttention3D,
    Windows,
)


def attend_to_all(attention: WindowAttention3D, features: Tensor, side: int, shift: int) -> Tensor:
    """Every voxel looks at every voxel; those of other windows weigh nothing."""
    z, y, x, channels = features.shape[1:]
    place = torch.cartesian_prod(torch.arange(z), torch.arange(y), torch.arange(x))
    window = torch.div(place - shift, side, rounding_mode="floor")
    shares_window = (window[:, None] == window[None, :]).all(dim=-1)
    tokens = attention.project_in(features.reshape(len(features), -1, channels))
    queries, keys, values = tokens.unflatten(-1, (3, attention.num_heads, 16)).unbind(2)
    table = attention.position_bias.unflatten(1, (NUM_OFFSETS,) * 3)
    offset = (place[:, None] - place[None, :] + LARGEST_WINDOW - 1).clamp(0, NUM_OFFSETS - 1)
    bias = table[:, offset[..., 0], offset[..., 1], offset[..., 2]]
    similarity = torch.einsum("bthc,bshc->bhts", queries, keys) / 4 + bias
    weights = similarity.masked_fill(~shares_window, -torch.inf).softmax(dim=-1)
    attended = torch.einsum("bhts,bshc->bthc", weights, values).flatten(2)
    return attention.project_out(attended).view(features.shape)


@pytest.mark.parametrize(
    ("shape", "side"), [((6, 6, 6), 3), ((3, 6, 9), 3), ((8, 8, 8), 4), ((8, 4, 8), 4)]
)
@pytest.mark.parametrize("is_shifted", [False, True])
def test_windows_equal_masked_attention_over_all_voxels(
    shape: tuple[int, int, int], side: int, *, is_shifted: bool
) -> None:
    attention, features = WindowAttention3D(32), torch.randn(2, *shape, 32)
    torch.nn.init.normal_(attention.position_bias)
    shift = side // 2 if is_shifted and min(shape) > side else 0
    expected = attend_to_all(attention, features, side, shift)
    # the same numbers summed in another order
    torch.testing.assert_close(
        attention(features, Windows(side, is_shifted)), expected, rtol=1e-4, atol=1e-5
    )


def test_voxels_of_other_windows_have_no_influence() -> None:
    attention = WindowAttention3D(16).requires_grad_(requires_grad=False)
    features = torch.randn(1, 6, 6, 6, 16)
    changed = features.clone()
    changed[0, 0, 0, 0] += 1
    moved = (
        attention(changed, Windows(3, is_shifted=False))
        - attention(features, Windows(3, is_shifted=False))
    ).abs()
    assert float(moved[0, :3, :3, :3].min()) > 0
    assert float(moved[0, 3:].max()) == 0
