"""Read a distribution over rotations: its best poses, their probabilities and their widths.

Coarse to fine: all cells of order 2, then the best ones divided again and again. The cells left at
each order make a partition of the rotations, so probabilities add up to one.
"""

import math
from dataclasses import dataclass

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
_SAME_MODE = 12.0
"""Degrees within which poses belong to one mode."""


@dataclass(frozen=True)
class Modes:
    """The best poses of each image, the most probable first.

    Attributes:
        rotation: Reference to image.
        probability: Of all poses within 12 degrees (up to symmetry).
        width: Root mean square angle of them about the best one, in degrees.
    """

    rotation: Float[Tensor, "image mode 3 3"]
    probability: Float[Tensor, "image mode"]
    width: Float[Tensor, "image mode"]


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
        representative = _representatives(operators)
        self._log_share = torch.where(representative, 0.0, -math.inf).to(device)

    def __call__(self, coefficients: Complex[Tensor, "m n l image"], top_k: int) -> Modes:
        """The `top_k` best modes of each image's distribution `exp(F)`."""
        logits, rotations = self._leaves(coefficients)
        probability = torch.softmax(logits[0] + logits[1], dim=1)
        return self._pick(logits[0], probability, rotations, top_k)

    def _leaves(
        self, coefficients: Complex[Tensor, "m n l image"]
    ) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Log density, log volume and rotation of the cells that are left undivided."""
        values = self._coarse(coefficients) + self._log_share
        index = torch.arange(values.shape[1], device=values.device).expand_as(values)
        kept: list[tuple[Tensor, Tensor, Tensor]] = []
        for order in range(COARSE_ORDER, FINEST_ORDER + 1):
            volume = -math.log(8.0) * (order - COARSE_ORDER)
            ranked = values.sort(dim=1, descending=True)
            places = index.gather(1, ranked.indices)
            divided = 0 if order == FINEST_ORDER else _NUM_DIVIDED
            last = _NUM_UNDIVIDED + divided if order == COARSE_ORDER else places.shape[1]
            here = slice(divided, last)
            kept.append(self._kept(ranked.values[:, here], places[:, here], volume, order))
            if order == COARSE_ORDER:
                kept.append(self._rest(ranked.values[:, last:], kept[0][2]))
            if divided:
                index = _children(places[:, :divided], order)
                values = self._fine[order + 1](coefficients, index)
        parts = [torch.cat(part, dim=1) for part in zip(*kept, strict=True)]
        return (parts[0], parts[1]), parts[2]

    def _kept(
        self, values: Tensor, places: Tensor, volume: float, order: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        rotations = torch.from_numpy(grid_rotations(order, places.cpu().numpy())).to(values)
        return values, torch.full_like(values, volume), rotations

    def _rest(self, values: Tensor, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All other coarse cells as one, which is no candidate for a pose."""
        mass = torch.logsumexp(values, dim=1, keepdim=True)
        nowhere = torch.zeros_like(like[:, :1])
        return torch.full_like(mass, -1e9), mass + 1e9, nowhere

    def _pick(self, density: Tensor, probability: Tensor, rotations: Tensor, top_k: int) -> Modes:
        images = torch.arange(len(density), device=density.device)
        free = density.clone()
        picked: list[tuple[Tensor, Tensor, Tensor]] = []
        for _ in range(top_k):
            best = free.argmax(dim=1)
            rotation = rotations[images, best]
            angle = self._angles(rotation, rotations)
            is_near = angle <= _SAME_MODE
            is_own = is_near & torch.isfinite(free)
            mass = torch.where(is_own, probability, 0.0)
            total = mass.sum(dim=1)
            width = ((mass * angle**2).sum(dim=1) / total.clamp(min=1e-30)).sqrt()
            picked.append((rotation, total, width))
            free = torch.where(is_near, -math.inf, free)
            # where nothing is left the best pose is given again, with probability 0
            is_empty = torch.isneginf(free).all(dim=1, keepdim=True)
            free = torch.where(is_empty, torch.zeros_like(free), free)
            probability = torch.where(is_near | is_empty, 0.0, probability)
        parts = [torch.stack(part, dim=1) for part in zip(*picked, strict=True)]
        return Modes(parts[0], parts[1], parts[2])

    def _angles(self, rotation: Tensor, others: Tensor) -> Tensor:
        """Smallest angle in degrees, up to symmetry, to each of the other rotations."""
        equivalents = rotation[:, None] @ self._operators
        traces = torch.einsum("igab,icab->icg", equivalents, others).amax(dim=2)
        return torch.rad2deg(torch.acos((0.5 * (traces - 1.0)).clamp(-1.0, 1.0)))


def _representatives(operators: Float[Tensor, "operator 3 3"]) -> Tensor:
    """Which coarse cells stand for their equivalents: those that turn by the smallest angle."""
    rotation = torch.from_numpy(grid_rotations(COARSE_ORDER))
    traces = torch.einsum("cab,gba->cg", rotation, operators.double())
    assert len(rotation) == num_rotations(COARSE_ORDER)
    return traces[:, 0] >= traces.amax(dim=1) - 1e-6


def _children(index: Tensor, order: int) -> Tensor:
    found = torch.from_numpy(children(index.cpu().numpy(), order)).to(index.device)
    return found.flatten(1)
