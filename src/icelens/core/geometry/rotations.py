"""Rotations in the one convention of the house: they take the reference to the image.

`x_image = rotation @ x_reference` on `(x, y, z)` columns. RELION's `Euler_angles2matrix(rot, tilt,
psi)` is this matrix; SciPy's `from_euler("ZYZ", [rot, tilt, psi])` with capitals is its transpose.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def random_rotations(
    count: int, generator: torch.Generator, *, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "{count} 3 3"]:
    """Draw rotations uniformly (Haar measure): normalised four-dimensional Gaussians.

    References:
        Shoemake, Graphics Gems III (1992), p. 124.
    """
    return quaternion_to_matrix(torch.randn(count, 4, generator=generator, dtype=dtype))


def quaternion_to_matrix(
    quaternion_wxyz: Float[Tensor, "*batch 4"],
) -> Float[Tensor, "*batch 3 3"]:
    """Rotation of a quaternion, scalar first, of any length but zero."""
    w, x, y, z = torch.nn.functional.normalize(quaternion_wxyz, dim=-1).unbind(-1)
    entries = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(entries, dim=-1).reshape(*entries[0].shape, 3, 3)


def matrix_to_quaternion(rotation: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4"]:
    """Unit quaternion of a rotation, scalar first and not negative.

    Each column of the symmetric matrix below is the quaternion times one of its own components;
    the column with the largest of them divides by the largest number, hence loses no digits.

    References:
        Bar-Itzhack, J. Guid. Control Dyn. 23 (2000) 1085.
    """
    m = rotation.flatten(-2)
    xx, xy, xz, yx, yy, yz, zx, zy, zz = m.unbind(-1)
    rows = [
        [1 + xx + yy + zz, zy - yz, xz - zx, yx - xy],
        [zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx],
        [xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy],
        [yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz],
    ]
    outer = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    largest = outer.diagonal(dim1=-2, dim2=-1).argmax(dim=-1)
    index = largest[..., None, None].expand(*largest.shape, 1, 4)
    quaternion = torch.nn.functional.normalize(outer.gather(-2, index).squeeze(-2), dim=-1)
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def relion_angles_to_matrix(
    relion_angles: Float[Tensor, "*batch 3"],
) -> Float[Tensor, "*batch 3 3"]:
    """Rotation of RELION's `rot, tilt, psi` in degrees: turn the frame about z, then y, then z.

    References:
        Heymann, Chagoyen & Belnap, J. Struct. Biol. 151 (2005), the 3DEM convention.
    """
    rot, tilt, psi = torch.deg2rad(relion_angles).unbind(-1)
    return _turned_frame(psi, "z") @ _turned_frame(tilt, "y") @ _turned_frame(rot, "z")


def matrix_to_relion_angles(rotation: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3"]:
    """RELION's `rot, tilt, psi` in degrees, tilt in [0, 180]; rot is 0 at tilt 0 and 180."""
    sine = torch.hypot(rotation[..., 2, 0], rotation[..., 2, 1])
    tilt = torch.atan2(sine, rotation[..., 2, 2])
    rot = torch.atan2(rotation[..., 2, 1], rotation[..., 2, 0])
    psi = torch.atan2(rotation[..., 1, 2], -rotation[..., 0, 2])
    # Below this sine the two axes coincide to single precision, and the quotients above are noise.
    is_degenerate = sine < 16 * torch.finfo(rotation.dtype).eps
    rot = torch.where(is_degenerate, torch.zeros_like(rot), rot)
    psi = torch.where(is_degenerate, torch.atan2(rotation[..., 0, 1], rotation[..., 1, 1]), psi)
    return torch.rad2deg(torch.stack([rot, tilt, psi], dim=-1))


def rotation_distance(
    rotation_1: Float[Tensor, "*#batch 3 3"], rotation_2: Float[Tensor, "*#batch 3 3"]
) -> Float[Tensor, "*batch"]:
    """Angle in degrees of the turn that leads from one rotation to the other, in [0, 180]."""
    # |A - B| = sqrt(8) sin(angle / 2): exact for small angles, where the arc cosine is not.
    chord = torch.linalg.matrix_norm(rotation_1 - rotation_2) / math.sqrt(8.0)
    return torch.rad2deg(2.0 * torch.asin(chord.clamp(max=1.0)))


def rotation_about_y(angle: float) -> Float[Tensor, "3 3"]:
    """Turn by `angle` degrees about y: what the stage does; +z moves towards +x."""
    radians = torch.tensor(math.radians(-angle), dtype=torch.float64)
    return _turned_frame(radians, "y").float()


def _turned_frame(angle_rad: Float[Tensor, "*batch"], axis: str) -> Float[Tensor, "*batch 3 3"]:
    """Coordinates of a fixed point in a frame that was turned about one of its axes."""
    cosine, sine = torch.cos(angle_rad), torch.sin(angle_rad)
    one, zero = torch.ones_like(cosine), torch.zeros_like(cosine)
    if axis == "z":
        entries = [cosine, sine, zero, -sine, cosine, zero, zero, zero, one]
    else:
        entries = [cosine, zero, -sine, zero, one, zero, sine, zero, cosine]
    return torch.stack(entries, dim=-1).reshape(*entries[0].shape, 3, 3)
