"""Project a specimen along the beam at one tilt, and its exact adjoint, the back-projection.

The stage turns the specimen about y: a point at `(x, z)` from the centre appears at
`u = x cos(tilt) + z sin(tilt)` on the detector and lies at depth `z cos(tilt) - x sin(tilt)`
along the beam. Voxels are spread on a detector sampled twice as finely by cubic convolution,
which is then cut back in Fourier space, so that the band below the voxels' Nyquist survives.
"""

import math

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

OVERSAMPLING = 2
# Voxel planes handled at once: bounds the scratch memory to a few planes, whatever the volume.
_PLANES = 16


def project(
    volume: Float[Tensor, "z y x"],
    tilt_angle: float,
    *,
    width: int,
    slab_edges: Float[Tensor, " edge"],
) -> Float[Tensor, "slab y width"]:
    """Sum the specimen along the beam, apart for each slab of depth.

    Args:
        volume: Density; the tilt axis is y, through voxel `n // 2` of x and z.
        tilt_angle: In degrees.
        width: Pixels of the detector along x; its centre is pixel `width // 2`.
        slab_edges: Depths in voxels that part neighbouring slabs, ascending; may be empty.
    """
    num_z, num_y, _ = volume.shape
    num_slabs, fine_width = len(slab_edges) + 1, OVERSAMPLING * width
    fine = volume.new_zeros(num_slabs * fine_width, num_y)
    for start in range(0, num_z, _PLANES):
        planes = volume[start : start + _PLANES]
        u, depth = _detector_coordinates(planes, start, num_z, tilt_angle)
        slab = torch.bucketize(depth, slab_edges) * fine_width
        voxels = rearrange(planes, "z y x -> (z x) y")
        for index, weight in _cubic_taps(u, width):
            fine.index_add_(0, slab + index, voxels * weight[:, None])
    fine = rearrange(fine, "(slab u) y -> slab y u", slab=num_slabs)
    spectrum = torch.fft.rfft(fine)[..., : width // 2 + 1].clone()
    spectrum[..., width // 2 :] = (
        0.0  # the Nyquist term has no sign; without it the adjoint is exact
    )
    image: Tensor = torch.fft.irfft(spectrum, n=width)
    return image


def upsample_detector(images: Float[Tensor, "*batch y width"]) -> Float[Tensor, "*batch fine y"]:
    """Interpolate images to the fine detector, u first: what `back_project` reads from."""
    width = images.shape[-1]
    spectrum = torch.fft.rfft(images)
    spectrum[..., width // 2 :] = 0.0
    fine = torch.fft.irfft(spectrum, n=OVERSAMPLING * width) * OVERSAMPLING
    turned: Tensor = rearrange(fine, "... y u -> ... u y").contiguous()
    return turned


def back_project(
    fine: Float[Tensor, "fine y"],
    tilt_angle: float,
    *,
    planes: Float[Tensor, "z y x"],
    start: int,
    num_z: int,
) -> Float[Tensor, "z y x"]:
    """Smear one image back along the beam through some planes of the volume.

    The adjoint of `project` with one slab: `<project(v), image> == <v, back_project(image)>`.

    Args:
        fine: The image from `upsample_detector`.
        tilt_angle: In degrees.
        planes: Any tensor with the shape of the planes wanted; its values are not read.
        start: Index of the first of these planes in the whole volume.
        num_z: Planes of the whole volume.
    """
    u, _ = _detector_coordinates(planes, start, num_z, tilt_angle)
    columns = fine.new_zeros(len(u), fine.shape[1])
    for index, weight in _cubic_taps(u, fine.shape[0] // OVERSAMPLING):
        columns.addcmul_(fine.index_select(0, index), weight[:, None])
    return rearrange(columns, "(z x) y -> z y x", x=planes.shape[2])


def _detector_coordinates(
    planes: Float[Tensor, "z y x"], start: int, num_z: int, tilt_angle: float
) -> tuple[Float[Tensor, " voxel"], Float[Tensor, " voxel"]]:
    """Place on the detector and depth, in voxels from the centre, of each `(z, x)` column."""
    cosine, sine = math.cos(math.radians(tilt_angle)), math.sin(math.radians(tilt_angle))
    num_planes, _, num_x = planes.shape
    z = (
        torch.arange(start, start + num_planes, device=planes.device, dtype=planes.dtype)
        - num_z // 2
    )
    x = torch.arange(num_x, device=planes.device, dtype=planes.dtype) - num_x // 2
    u = x[None, :] * cosine + z[:, None] * sine
    depth = z[:, None] * cosine - x[None, :] * sine
    return u.flatten(), depth.flatten()


def _cubic_taps(
    u: Float[Tensor, " voxel"], width: int
) -> list[tuple[Int[Tensor, " voxel"], Float[Tensor, " voxel"]]]:
    """Fine pixels that a point at `u` touches, with weights; those off the detector weigh nothing.

    References:
        Keys, IEEE Trans. ASSP 29 (1981), cubic convolution with a = -1/2.
    """
    position = (u + width // 2) * OVERSAMPLING
    base = torch.floor(position)
    t = position - base
    weights = (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
    taps = []
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        index = base.long() + offset
        inside = (index >= 0) & (index < OVERSAMPLING * width)
        taps.append((torch.where(inside, index, 0), torch.where(inside, weight, 0.0)))
    return taps
