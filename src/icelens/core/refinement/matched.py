"""Images and poses brought together: the products of each image with its model and its changes.

The log-likelihood of an image X, given a slice P of the reference, its CTF C and the power s^2 of
the noise, is -|X - a C P|^2 / (2 s^2) summed over all Fourier samples; the scale a of the reference
in this image is the one that fits best. All that a step of Newton's method needs are the products
of X, C P and the derivatives of C P by the pose with each other (their Gram matrix).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from icelens.core.refinement.reference import SliceTable

TURNS = 3
"""The first rows of a Gram matrix: turns about the axes of the frame."""
_IN_CACHE, _ON_DEVICE = 24_000, 8_000_000
"""Samples of slices worked on together: on a CPU, intermediate arrays then stay in the cache; other
devices want as many as their memory allows (some 300 bytes each)."""


@dataclass(frozen=True, eq=False)
class Images:
    """Images of particles at the samples of a disc, in units of the noise.

    A particle has one image or, from a tilt series, several. All are divided by the standard
    deviation of the noise and multiplied by sqrt(2), because each sample stands for two.

    Attributes:
        image: Samples of the images about their centre.
        transfer: CTF, the same number as real and imaginary part; zero where an image is missing.
        frequency_xy: Of the samples, in cycles per box.
        slice_frequency_xy: Where they lie in the reference's slice: turned and stretched where the
            magnification is anisotropic.
        box_size: Side of the images, in px.
        stage: Takes the particle's frame to that of each image; None if they are the same.
        shift_xy: Shift of each image in px that is known beforehand.
    """

    image: Complex[Tensor, "particle image sample"]
    transfer: Complex[Tensor, "particle image sample"]
    frequency_xy: Float[Tensor, "2 sample"]
    slice_frequency_xy: Float[Tensor, "2 sample"]
    box_size: int
    shift_xy: Float[Tensor, "particle image 2"]
    stage: Float[Tensor, "particle image 3 3"] | None = None

    @property
    def num_parameters(self) -> int:
        """Turns about three axes, and the shifts along those that the images can see."""
        return TURNS + (2 if self.stage is None else 3)

    def first(self, num_samples: int) -> "Images":
        """The same images up to a coarser resolution."""
        return Images(
            self.image[..., :num_samples].contiguous(),
            self.transfer[..., :num_samples].contiguous(),
            self.frequency_xy[:, :num_samples].contiguous(),
            self.slice_frequency_xy[:, :num_samples].contiguous(),
            self.box_size,
            self.shift_xy,
            self.stage,
        )

    def seen(
        self,
        owner: Int[Tensor, " pose"],
        rotation: Float[Tensor, "pose 3 3"],
        shift_xyz: Float[Tensor, "pose 3"],
    ) -> tuple[Float[Tensor, "view 3 3"], Float[Tensor, "view 2"]]:
        """Rotations and shifts of every image of poses: `view` counts poses, then their images."""
        known = self.shift_xy[owner]
        if self.stage is None:
            return rotation, known[:, 0] + shift_xyz[:, :2]
        stage = self.stage[owner]
        turned = stage @ rotation[:, None]
        moved = (stage @ shift_xyz[:, None, :, None]).squeeze(-1)[..., :2]
        return turned.flatten(0, 1), (known + moved).flatten(0, 1)


def ramps(
    shift_xy: Float[Tensor, "*batch 2"], frequency_xy: Float[Tensor, "2 sample"], box_size: int
) -> Complex[Tensor, "*batch sample"]:
    """Phases that translate an image by `shift_xy` px."""
    phase = shift_xy @ (frequency_xy * (-2.0 * math.pi / box_size))
    return torch.complex(torch.cos(phase), torch.sin(phase))


def gram_matrices(
    table: SliceTable,
    images: Images,
    owner: Int[Tensor, " pose"],
    rotation: Float[Tensor, "pose 3 3"],
    shift_xyz: Float[Tensor, "pose 3"],
) -> Float[Tensor, "pose row row"]:
    """Products between derivatives of the model by the pose, the model and the image.

    Rows are three turns in radians about the axes of the particle's turned frame (`exp(turn) @
    rotation`), two or three shifts in px, the model `C P` and the image.
    """
    num_images = images.image.shape[1]
    num_each = num_images * images.image.shape[2]
    parts = []
    for part in _parts(len(owner), num_each, images.image.device):
        seen_rotation, seen_shift = images.seen(owner[part], rotation[part], shift_xyz[part])
        rows = _rows(
            table,
            images,
            images.image[owner[part]].flatten(0, 1),
            torch.view_as_real(images.transfer[owner[part]].flatten(0, 1)),
            seen_rotation,
            seen_shift,
        )
        product = torch.bmm(rows, rows.transpose(1, 2))
        if images.stage is not None:
            product = _joined(product, images.stage[owner[part]])
        parts.append(product)
    return torch.cat(parts)


def _parts(num: int, num_each: int, device: torch.device) -> Iterator[slice]:
    at_once = _IN_CACHE if device.type == "cpu" else _ON_DEVICE
    step = max(1, at_once // max(num_each, 1))
    for start in range(0, num, step):
        yield slice(start, min(num, start + step))


def _rows(
    table: SliceTable,
    images: Images,
    image: Complex[Tensor, "view sample"],
    transfer: Float[Tensor, "view sample 2"],
    rotation: Float[Tensor, "view 3 3"],
    shift_xy: Float[Tensor, "view 2"],
) -> Float[Tensor, "view 7 twice"]:
    """What the Gram matrix is made of, real and imaginary parts side by side."""
    value, gradient = table.interpolated(rotation, images.slice_frequency_xy)
    num, num_samples = value.shape
    in_image = torch.bmm(rotation, torch.view_as_real(gradient).flatten(2))
    x, y = _twice(images.slice_frequency_xy)
    rows = torch.empty(num, 7, 2 * num_samples, device=value.device)
    # a turn w moves the frequency that is seen at k by k x w
    torch.mul(in_image[:, 2], -y, out=rows[:, 0])
    torch.mul(in_image[:, 2], x, out=rows[:, 1])
    torch.mul(in_image[:, 0], y, out=rows[:, 2]).addcmul_(in_image[:, 1], x, value=-1.0)
    rows[:, :TURNS] *= transfer.flatten(1)[:, None]
    model = torch.mul(torch.view_as_real(value), transfer)
    rows[:, 5] = model.flatten(1)
    # translating the image forth is translating the model back
    back = torch.view_as_real(torch.view_as_complex(model) * 1j).flatten(1)
    step = _twice(images.frequency_xy * (2.0 * math.pi / images.box_size))
    torch.mul(back, step[0], out=rows[:, 3])
    torch.mul(back, step[1], out=rows[:, 4])
    centred = image * ramps(shift_xy, images.frequency_xy, images.box_size)
    rows[:, 6] = torch.view_as_real(centred).flatten(1)
    return rows


def _twice(frequency_xy: Float[Tensor, "2 sample"]) -> Float[Tensor, "2 twice"]:
    """The frequency of each real and imaginary part."""
    return torch.view_as_real(torch.complex(frequency_xy, frequency_xy)).flatten(1)


def _joined(
    product: Float[Tensor, "view 7 7"], stage: Float[Tensor, "pose image 3 3"]
) -> Float[Tensor, "pose 8 8"]:
    """Sum over the images of a particle, with turns and shifts in the particle's frame."""
    num, num_images = stage.shape[:2]
    to_images = stage.new_zeros(num, num_images, 7, 8)
    to_images[..., :3, :3] = stage
    to_images[..., 3:5, 3:6] = stage[..., :2, :]
    to_images[..., 5, 6] = 1.0
    to_images[..., 6, 7] = 1.0
    each = product.view(num, num_images, 7, 7)
    joined: Tensor = (to_images.transpose(2, 3) @ each @ to_images).sum(1)
    return joined
