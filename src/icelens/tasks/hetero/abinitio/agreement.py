"""Whether two structures that were found independently are the same, but for frame and hand."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.geometry.frame_alignment import align_frames, origin_offset
from icelens.core.geometry.mirrored_poses import mirrored_poses
from icelens.core.metrics.fsc import fourier_shell_correlation, resolution_at
from icelens.core.metrics.pose_error import angular_error
from icelens.core.simulate.turning import rotated
from icelens.core.volumes.mirror import mirrored
from icelens.tasks.hetero.abinitio.search_pass import FoundPoses

_SAME_POSES, _SAME_MAPS = 0.5, 0.8
"""Share of particles within 10 degrees, or correlation of the maps, of one structure."""


@dataclass(frozen=True)
class Agreement:
    """How alike two structures are.

    Attributes:
        share: Of the particles whose poses lie within 10 degrees of each other.
        angle: Median angle between the poses, in degrees.
        correlation: Of the maps, after turning one.
        resolution: To which the maps agree (FSC 0.5), in Å.
        is_mirrored: Whether they are each other's mirror images.
    """

    share: float
    angle: float
    correlation: float
    resolution: float
    is_mirrored: bool

    @property
    def is_same(self) -> bool:
        """Whether they show one structure; a symmetric one may have other poses and equal maps."""
        return self.share >= _SAME_POSES or self.correlation >= _SAME_MAPS


def compare_structures(
    poses_1: FoundPoses,
    map_1: Float[Tensor, "n n n"],
    poses_2: FoundPoses,
    map_2: Float[Tensor, "n n n"],
    *,
    pixel_size: float,
    is_hand_known: bool,
    seed: int = 0,
) -> Agreement:
    """Compare two structures and the poses of the same particles in them.

    Args:
        poses_1: In the first.
        map_1: The first.
        poses_2: In the second.
        map_2: The second.
        pixel_size: Of the maps, in Å/px.
        is_hand_known: Tilt series know their hand: mirror images are then different structures.
        seed: Of the draw in the alignment of the frames.
    """
    plain = _compared(poses_1, map_1, poses_2, map_2, pixel_size, seed)
    if is_hand_known:
        return Agreement(*plain, is_mirrored=False)
    rotation = torch.from_numpy(mirrored_poses(poses_2.rotation.cpu().numpy()))
    other = FoundPoses(
        rotation.to(poses_2.rotation),
        poses_2.shift_xyz * torch.tensor([1.0, 1.0, -1.0]).to(poses_2.shift_xyz),
        poses_2.score,
    )
    turned_round = torch.from_numpy(mirrored(map_2.cpu().numpy()))
    reflected = _compared(poses_1, map_1, other, turned_round, pixel_size, seed)
    is_mirrored = (reflected[0], reflected[2]) > (plain[0], plain[2])
    return Agreement(*(reflected if is_mirrored else plain), is_mirrored=is_mirrored)


def _compared(
    poses_1: FoundPoses,
    map_1: Float[Tensor, "n n n"],
    poses_2: FoundPoses,
    map_2: Float[Tensor, "n n n"],
    pixel_size: float,
    seed: int,
) -> tuple[float, float, float, float]:
    """Share, angle, correlation and resolution."""
    same = torch.eye(3)[None]
    first, second = poses_1.rotation.cpu(), poses_2.rotation.cpu()
    frame = align_frames(first, second, same, torch.Generator().manual_seed(seed))
    angle = angular_error(first, second @ frame.rotation, same)
    near = angle < max(10.0, float(angle.median()))
    moved = (poses_1.shift_xyz - poses_2.shift_xyz).cpu()[:, :2].flip(-1)
    offset = origin_offset(first[near], moved[near]) / pixel_size
    # a point x of the first frame is Q x of the second
    turned = turned_map(map_2.cpu(), frame.rotation.mT, offset.flip(-1))
    curve = fourier_shell_correlation(map_1.cpu(), turned, pixel_size=pixel_size)
    both = torch.stack([map_1.cpu().flatten(), turned.flatten()])
    correlation = torch.nan_to_num(torch.corrcoef(both)[0, 1])
    return frame.inliers, float(angle.median()), float(correlation), resolution_at(curve, 0.5)


def turned_map(
    density: Float[Tensor, "n n n"], rotation: Float[Tensor, "3 3"], offset_zyx: Float[Tensor, "3"]
) -> Float[Tensor, "n n n"]:
    """A map turned about its centre voxel and then shifted.

    Args:
        density: Of even side.
        rotation: `x_turned = rotation @ x`.
        offset_zyx: In voxels.
    """
    half = density.shape[0] // 2
    spectrum = torch.fft.fftshift(torch.fft.fftn(density))
    # sampled twice as finely, linear interpolation is good enough
    wide = torch.nn.functional.pad(spectrum, [half, half] * 3)
    fine = torch.fft.ifftn(torch.fft.ifftshift(wide)).real * 8.0
    return rotated(fine, rotation, offset_zyx)
