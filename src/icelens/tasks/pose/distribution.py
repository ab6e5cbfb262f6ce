"""Read a distribution over rotations: its best poses, their probabilities and their widths.

Coarse to fine: all cells of order 2, then the best ones divided again and again. The cells left at
each order make a partition of the rotations, so probabilities add up to one.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.geometry.so3_functions import CellValues, RotationGrid
from icelens.core.geometry.so3_grid import children, grid_rotations, num_rotations

COARSE_ORDER = 2
FINEST_ORDER = 5
_NUM_DIVIDED = 24
"""Cells that are divided at each order."""
_NUM_UNDIVIDED = 64
"""Best cells of the coarse order that stay in the list of candidates."""
SAME_MODE = 12.0
"""Degrees within which poses belong to one mode."""
_UNKNOWN_WIDTH = 180.0
_SHARE_ORDER = 4
_TIE = 1e-5
"""Of the traces of equivalent rotations, in single precision."""


@dataclass(frozen=True)
class Modes:
    """The best poses of each image, the most probable first.

    Attributes:
        rotation: Reference to image.
        probability: Of all poses within 12 degrees (up to symmetry).
        width: Root mean square angle of them about the best one, in degrees; 180 where there are
            fewer modes than were asked for.
    """

    rotation: Float[Tensor, "image mode 3 3"]
    probability: Float[Tensor, "image mode"]
    width: Float[Tensor, "image mode"]


@dataclass(frozen=True)
class _Leaves:
    """Cells that are left undivided, all images' together `(image, cell)`."""

    density: Tensor
    """Logarithm of the density at the centre."""
    mass: Tensor
    """Logarithm of what the cell holds, as far as it stands for its equivalents."""
    rotation: Tensor


class DistributionReader:
    """Finds modes of functions of one highest degree under one symmetry."""

    def __init__(
        self,
        max_degree: int,
        operators: Float[Tensor, "operator 3 3"],
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        self._operators = operators.to(device)
        self._coarse = RotationGrid(max_degree, COARSE_ORDER, device=device)
        orders = range(COARSE_ORDER + 1, FINEST_ORDER + 1)
        self._fine = {order: CellValues(max_degree, order, device=device) for order in orders}
        self._log_share = _coarse_shares(operators).log().to(device)

    def __call__(self, coefficients: Complex[Tensor, "m n l image"], top_k: int) -> Modes:
        """The `top_k` best modes of each image's distribution `exp(F)`."""
        leaves, rest = self._leaves(coefficients)
        mass = torch.cat([leaves.mass, rest], dim=1)
        return self._pick(leaves, torch.softmax(mass, dim=1)[:, :-1], top_k)

    def _leaves(self, coefficients: Complex[Tensor, "m n l image"]) -> tuple[_Leaves, Tensor]:
        """The cells left undivided, and the logarithm of what all others hold, `(image, 1)`."""
        values = self._coarse(coefficients)
        masses = values + self._log_share
        searched = torch.where(self._log_share.isneginf(), -math.inf, values)
        ranked = searched.argsort(dim=1, descending=True, stable=True)
        last = _NUM_DIVIDED + _NUM_UNDIVIDED
        rest = torch.logsumexp(masses.gather(1, ranked[:, last:]), dim=1, keepdim=True)
        undivided = ranked[:, _NUM_DIVIDED:last]
        kept = [self._kept(values, masses, undivided, undivided, COARSE_ORDER)]
        index = ranked[:, :_NUM_DIVIDED]
        for order in range(COARSE_ORDER + 1, FINEST_ORDER + 1):
            index = _children(index, order - 1)
            values = self._fine[order](coefficients, index)
            masses = values + self._leaf_shares(index, order)
            ranked = values.argsort(dim=1, descending=True, stable=True)
            divided = 0 if order == FINEST_ORDER else _NUM_DIVIDED
            here = ranked[:, divided:]
            kept.append(self._kept(values, masses, here, index.gather(1, here), order))
            index = index.gather(1, ranked[:, :divided])
        parts = [torch.cat(part, dim=1) for part in zip(*kept, strict=True)]
        return _Leaves(*parts), rest

    def _kept(
        self, values: Tensor, masses: Tensor, chosen: Tensor, cell: Tensor, order: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Leaves of one order: columns `chosen` of values and masses, which are the cells named."""
        volume = -math.log(8.0) * (order - COARSE_ORDER)
        return (
            values.gather(1, chosen),
            masses.gather(1, chosen) + volume,
            self._rotations(cell, order),
        )

    def _leaf_shares(self, cell: Tensor, order: int) -> Tensor:
        if len(self._operators) == 1:
            return torch.zeros(cell.shape, device=cell.device)
        return _shares(self._rotations(cell, order), self._operators).log()

    def _rotations(self, cell: Tensor, order: int) -> Tensor:
        rotation = torch.from_numpy(grid_rotations(order, cell.cpu().numpy()))
        return rotation.to(self._operators)

    def _pick(self, leaves: _Leaves, probability: Tensor, top_k: int) -> Modes:
        images = torch.arange(len(probability), device=probability.device)
        free = leaves.density.clone()
        picked: list[tuple[Tensor, Tensor, Tensor]] = []
        for _ in range(top_k):
            best = free.argmax(dim=1)
            # where nothing is left the best pose is given again, with probability 0
            is_left = torch.isfinite(free[images, best])
            rotation = leaves.rotation[images, best]
            if picked:
                rotation = torch.where(is_left[:, None, None], rotation, picked[0][0])
            angle = self._angles(rotation, leaves.rotation)
            is_near = angle <= SAME_MODE
            mass = torch.where(is_near & torch.isfinite(free), probability, 0.0)
            total = mass.sum(dim=1)
            width = ((mass * angle**2).sum(dim=1) / total).sqrt()
            picked.append((rotation, total, torch.where(total > 0, width, _UNKNOWN_WIDTH)))
            free = torch.where(is_near, -math.inf, free)
        parts = [torch.stack(part, dim=1) for part in zip(*picked, strict=True)]
        return Modes(parts[0], parts[1], parts[2])

    def _angles(self, rotation: Tensor, others: Tensor) -> Tensor:
        """Smallest angle in degrees, up to symmetry, to each of the other rotations."""
        equivalents = rotation[:, None] @ self._operators
        traces = (others.flatten(2) @ equivalents.flatten(2).mT).amax(dim=2)
        return torch.rad2deg(torch.acos((0.5 * (traces - 1.0)).clamp(-1.0, 1.0)))


def _shares(
    rotation: Float[Tensor, "*cell 3 3"], operators: Float[Tensor, "operator 3 3"]
) -> Float[Tensor, "*cell"]:
    """1 for the one of equivalent rotations that turns least, else 0; ties share it."""
    traces = rotation.flatten(-2) @ operators.mT.flatten(1).to(rotation).T
    is_least = traces >= traces.amax(dim=-1, keepdim=True) - _TIE
    return is_least[..., 0] / is_least.sum(dim=-1)


def _coarse_shares(operators: Float[Tensor, "operator 3 3"]) -> Float[Tensor, " cell"]:
    """Part of each coarse cell that stands for its equivalents.

    A cell whose centre does not may still hold the only copy of a narrow mode, so its descendants
    are asked.
    """
    num_coarse = num_rotations(COARSE_ORDER)
    if len(operators) == 1:
        return torch.ones(num_coarse)
    cell = np.arange(num_coarse)[:, None]
    for order in range(COARSE_ORDER, _SHARE_ORDER):
        cell = children(cell, order).reshape(num_coarse, -1)
    shares = [
        _shares(torch.from_numpy(grid_rotations(_SHARE_ORDER, part)).float(), operators)
        for part in np.array_split(cell, 8)
    ]
    return torch.cat(shares).mean(dim=1)


def _children(index: Tensor, order: int) -> Tensor:
    found = torch.from_numpy(children(index.cpu().numpy(), order)).to(index.device)
    return found.flatten(1)
