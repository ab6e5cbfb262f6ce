"""Orient particles along a direction, such as the normal of the membrane they sit on."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_OPPOSITE = 1e-9


def rotations_towards(direction_xyz: Floats) -> Floats:
    """Rotations (direction, 3, 3) that take the reference's z axis to each direction (x, y, z).

    It is the shortest turn that does so: the one about the direction itself is not known, and
    neighbours should not differ more than their directions. Opposite to z it is a half turn
    about x.

    Args:
        direction_xyz: `(direction, 3)`, of any length but 0.

    References:
        Rodrigues' formula with the sine and cosine of the turn from the two axes: R = 1 + V +
        V V / (1 + c), V the cross-product matrix of z x n and c = z . n.
    """
    x, y, z = (direction_xyz / np.linalg.norm(direction_xyz, axis=-1, keepdims=True)).T
    is_opposite = z < -1 + _OPPOSITE
    share = 1.0 / np.where(is_opposite, 1.0, 1.0 + z)
    rotation = np.stack(
        [
            1 - x * x * share, -x * y * share, x,
            -x * y * share, 1 - y * y * share, y,
            -x, -y, z,
        ],
        axis=-1,
    ).reshape(-1, 3, 3)  # fmt: skip
    rotation[is_opposite] = np.diag([1.0, -1.0, -1.0])
    return rotation
