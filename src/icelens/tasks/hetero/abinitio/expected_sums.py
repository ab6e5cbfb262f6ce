"""Insert images at several poses each, weighed by how likely these are."""

from collections.abc import Sequence

import torch
from torch import Tensor

from icelens.core.fourier.insertion import SliceSums
from icelens.core.pose_search.pose_candidates import PoseCandidates
from icelens.core.pose_search.series_images import SeriesImages
from icelens.core.refinement.samples import DiscSamples

_VIEWS_AT_ONCE = 4096


def insert_expected(
    sums: Sequence[SliceSums],
    images: SeriesImages,
    samples: DiscSamples,
    poses: PoseCandidates,
    half_set: Tensor,
) -> None:
    """Add images to the sums of their half set.

    Args:
        sums: Of half set 1 and 2.
        images: Up to the resolution to insert.
        samples: Where their samples lie in a half transform.
        poses: Of the particles that the images show.
        half_set: `(particle,)` 1 or 2.
    """
    num_poses = poses.score.shape[1]
    weight = poses.weight
    for half, own in enumerate(sums, start=1):
        chosen = (half_set[images.owner] == half).nonzero().squeeze(-1)
        for part in torch.split(chosen, max(1, _VIEWS_AT_ONCE // num_poses)):
            owner = images.owner[part]
            view = part.repeat_interleave(num_poses)
            moved = images.moved(view, poses.shift_xyz[owner].flatten(0, 1))
            axes = (images.frame[part, None] @ poses.rotation[owner]).flatten(0, 1)
            own.insert(
                _half_transform(moved, samples),
                _half_transform(images.transfer[view], samples),
                axes,
                weight[owner].flatten(),
                is_premultiplied=True,
            )


def _half_transform(values: Tensor, samples: DiscSamples) -> Tensor:
    """Samples of the disc in their places, zeros elsewhere."""
    size = samples.box_size
    whole = values.new_zeros(len(values), size * (size // 2 + 1))
    whole[:, samples.index[: values.shape[1]]] = values
    return whole.view(len(values), size, size // 2 + 1)
