"""A smooth, uneven phantom for tests of projections and reconstructions."""

import torch


def blobs(box_size: int, seed: int = 3) -> torch.Tensor:
    """Points with a smooth edge, uneven, well inside their box."""
    generator = torch.Generator().manual_seed(seed)
    axis = torch.arange(box_size) - box_size // 2
    grid_zyx = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).float()
    volume = torch.zeros(box_size, box_size, box_size)
    for _ in range(12):
        centre = (torch.rand(3, generator=generator) - 0.5) * box_size / 2.5
        volume += torch.exp(-((grid_zyx - centre) ** 2).sum(-1) / (2 * 1.5**2))
    return volume
