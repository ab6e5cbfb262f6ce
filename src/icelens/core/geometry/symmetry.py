"""Point groups as sets of rotations, with RELION's axes: C, D, T, O and I1 to I4.

A map has the symmetry if turning it by any operator leaves it as it was.
"""

import math
import re
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError

_Axis = tuple[float, tuple[float, float, float]]
_ROOT_5 = math.sqrt(5.0)
_GOLDEN = 0.5 * (1.0 + _ROOT_5)
_DISTINCT = 1e-6

# Fold and axis (x, y, z) of the rotations that generate each group.
_GENERATORS: dict[str, tuple[_Axis, ...]] = {
    "T": ((3, (0.0, 0.0, 1.0)), (2, (0.0, math.sqrt(2.0 / 3.0), math.sqrt(1.0 / 3.0)))),
    "O": ((4, (0.0, 0.0, 1.0)), (3, (1.0, 1.0, 1.0))),
    "I1": ((2, (1.0, 0.0, 0.0)), (5, (_GOLDEN, 0.0, -1.0))),
    "I2": ((2, (0.0, 0.0, 1.0)), (5, (1.0, 0.0, _GOLDEN))),
    "I3": ((5, (0.0, 0.0, 1.0)), (2, (-1.0, 0.0, _GOLDEN))),
    "I4": ((5, (2.0, 0.0, 1.0)), (2, (1.0, 0.0, _GOLDEN))),
}


def symmetry_operators(symmetry: str) -> Float[Tensor, "operator 3 3"]:
    """Rotations of a point group, the identity first.

    Args:
        symmetry: `C1`, `C7`, `D2`, `T`, `O`, `I1` to `I4`; `I` means `I2`, as in RELION.

    Raises:
        MetadataError: If there is no such group of rotations.
    """
    name = symmetry.strip().upper()
    name = "I2" if name == "I" else name
    cyclic = re.fullmatch(r"([CD])([1-9]\d{0,2})", name)
    if cyclic:
        fold = int(cyclic[2])
        generators: tuple[_Axis, ...] = ((fold, (0.0, 0.0, 1.0)),)
        generators += ((2, (1.0, 0.0, 0.0)),) if cyclic[1] == "D" else ()
        return torch.tensor(_closed(generators), dtype=torch.float32)
    if name not in _GENERATORS:
        raise MetadataError(
            f"unknown symmetry {symmetry!r}; expected Cn, Dn, T, O or I1 to I4, such as D2"
        )
    return torch.tensor(_closed(_GENERATORS[name]), dtype=torch.float32)


@cache
def _closed(generators: tuple[_Axis, ...]) -> list[list[list[float]]]:
    """Multiply by the generators until no new rotation appears."""
    steps = [_about(axis, 2.0 * math.pi / fold) for fold, axis in generators]
    group = [torch.eye(3, dtype=torch.float64)]
    for member in group:  # grows while it is walked: the walk ends when the group is closed
        for step in steps:
            product = step @ member
            if all(float((product - other).abs().max()) > _DISTINCT for other in group):
                group.append(product)
    return [member.tolist() for member in group]


def _about(axis_xyz: tuple[float, float, float], angle_rad: float) -> Float[Tensor, "3 3"]:
    """Rotation about an axis of any length (Rodrigues' formula)."""
    x, y, z = torch.nn.functional.normalize(torch.tensor(axis_xyz, dtype=torch.float64), dim=0)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero]).reshape(3, 3)
    turned = math.sin(angle_rad) * cross + (1.0 - math.cos(angle_rad)) * cross @ cross
    return torch.eye(3, dtype=torch.float64) + turned
