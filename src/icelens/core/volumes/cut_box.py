"""Cut or widen a volume to a cube about its centre voxel, whole voxels only."""

import torch
from jaxtyping import Float
from torch import Tensor


def cut_box(
    volume: Float[Tensor, "z y x"], box_size: int
) -> Float[Tensor, "{box_size} {box_size} {box_size}"]:
    """A cube whose voxel `box_size // 2` is voxel `n // 2` of each axis.

    Values are kept exactly; what is added has the mean of the six faces, so that solvent goes on.

    Args:
        volume: Of any three sides.
        box_size: Side of the cube.
    """
    faces = [
        face.flatten()
        for axis in range(3)
        for face in (volume.select(axis, 0), volume.select(axis, -1))
    ]
    ground = float(torch.cat(faces).double().mean())
    cube = torch.full((box_size,) * 3, ground, dtype=volume.dtype, device=volume.device)
    taken, placed = [], []
    for side in volume.shape:
        start = side // 2 - box_size // 2
        first, last = max(0, start), min(side, start + box_size)
        taken.append(slice(first, last))
        placed.append(slice(first - start, last - start))
    cube[tuple(placed)] = volume[tuple(taken)]
    return cube
