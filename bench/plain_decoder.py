"""A coordinate decoder as it is usually written, to compare ours with in the same run.

Single precision; the encoding of every point is made by itself from its place in the volume, and
the latent is put beside the features of every point.
"""

import torch
from torch import Tensor, nn


class PlainDecoder(nn.Module):
    """Sines and cosines of random projections, and residual layers."""

    def __init__(self, box_size: int, latent_dim: int, width: int, num_layers: int) -> None:
        super().__init__()
        num = box_size // 2
        self.vectors = nn.Parameter(torch.randn(3, num, 3) * 0.25 * box_size, requires_grad=False)
        self.first = nn.Linear(6 * num + latent_dim, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(num_layers))
        self.last = nn.Linear(width, 2)

    def forward(self, points: Tensor, latent: Tensor) -> Tensor:
        """Values `(row, point, 2)` at points `(row, point, 3)` in cycles per pixel."""
        # half of the space is asked for; the other is its conjugate
        sign = torch.where(points[..., 2:] > 0, -1.0, 1.0)
        points = points * sign
        phase = (points[..., None, None, :] * self.vectors).sum(-1).flatten(2)
        wide = latent[:, None].expand(-1, points.shape[1], -1)
        hidden = torch.cat([phase.sin(), phase.cos(), wide], dim=-1)
        hidden = torch.relu(self.first(hidden))
        for layer in self.hidden:
            hidden = torch.relu(layer(hidden) + hidden)
        value = self.last(hidden)
        return torch.cat([value[..., :1], value[..., 1:] * sign], dim=-1)
