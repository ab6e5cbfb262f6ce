"""A reference map laid out so that slices of its transform are gathered as fast as memory allows.

The transform is stored whole (no Friedel mates to tell apart) around the zero frequency, as a
flat table of complex numbers, up to the working resolution alone.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.transforms import volume_from_rfft, volume_rfft

TRILINEAR_PADDING = 2
"""Finer samples than the box's own between which slices are interpolated linearly."""
NEAREST_PADDING = 4
"""Where the nearest sample is taken, an edge voxel's phase errs by at most pi / 8 per axis."""
_EDGE_PX = 5.0


@dataclass(frozen=True, eq=False)
class SliceTable:
    """Samples of a transform on a cube around the zero frequency.

    Attributes:
        values: Flattened cube, x fastest.
        side: Samples along each edge of the cube, odd.
        padding: Samples of the cube for each sample of the box.
    """

    values: Complex[Tensor, " entry"]
    side: int
    padding: int

    def nearest(
        self, rotation: Float[Tensor, "pose 3 3"], frequency_xy: Float[Tensor, "2 sample"]
    ) -> Complex[Tensor, "pose sample"]:
        """Slices that take the nearest sample: a quarter of the cost of interpolation."""
        index = self._coordinates(rotation, frequency_xy).round_().int()
        flat = self._flat(index)
        return self.values.index_select(0, flat.flatten()).view(flat.shape)

    def interpolated(
        self, rotation: Float[Tensor, "pose 3 3"], frequency_xy: Float[Tensor, "2 sample"]
    ) -> tuple[Complex[Tensor, "pose sample"], Complex[Tensor, "pose xyz sample"]]:
        """Trilinear slices and the gradient of the interpolated transform by frequency.

        Returns:
            Values, and derivatives along x, y, z of the reference per sample of the box.
        """
        position = self._coordinates(rotation, frequency_xy)
        base = position.floor()
        part = position.sub_(base)
        flat = self._flat(base.int()).flatten()
        # real and imaginary part lie side by side, so each weight is needed twice
        x, y, z = (torch.view_as_real(torch.complex(each, each)) for each in part.unbind(1))
        edges = [self._edge(flat, z_step, y_step, x) for z_step in (0, 1) for y_step in (0, 1)]
        low = _blend(edges[0], edges[1], y)
        high = _blend(edges[2], edges[3], y)
        value = torch.lerp(low[0], high[0], z)
        gradient = torch.empty(len(rotation), 3, *value.shape[1:], device=value.device)
        torch.lerp(low[1], high[1], z, out=gradient[:, 0])
        torch.lerp(low[2], high[2], z, out=gradient[:, 1])
        torch.sub(high[0], low[0], out=gradient[:, 2])
        gradient *= self.padding
        return torch.view_as_complex(value), torch.view_as_complex(gradient)

    def _coordinates(
        self, rotation: Float[Tensor, "pose 3 3"], frequency_xy: Float[Tensor, "2 sample"]
    ) -> Float[Tensor, "pose 3 sample"]:
        """Places in the cube (x, y, z) of the samples of slices."""
        # k_reference = R^T (k_x, k_y, 0); the third row of ones adds the centre of the cube
        axes = rotation[:, :2].transpose(1, 2) * self.padding
        centre = axes.new_full((len(axes), 3, 1), self.side // 2)
        ones = frequency_xy.new_ones(1, frequency_xy.shape[1])
        factors = torch.cat([axes, centre], dim=-1).flatten(0, 1)
        return (factors @ torch.cat([frequency_xy, ones])).view(len(axes), 3, -1)

    def _flat(self, index_xyz: Tensor) -> Tensor:
        x, y, z = index_xyz.unbind(1)
        return x.add(y.add(z, alpha=self.side), alpha=self.side)

    def _edge(self, flat: Tensor, z_step: int, y_step: int, x: Tensor) -> tuple[Tensor, Tensor]:
        """Value and x derivative on one of the four edges of a cell that run along x."""
        start = (z_step * self.side + y_step) * self.side
        pair = [
            torch.view_as_real(self.values[start + step :].index_select(0, flat)).view(x.shape)
            for step in (0, 1)
        ]
        slope = pair[1].sub_(pair[0])
        return torch.addcmul(pair[0], slope, x), slope


def _blend(
    first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor], y: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Value, x and y derivative on a face of a cell, from its two edges."""
    slope_y = second[0] - first[0]
    return torch.addcmul(first[0], slope_y, y), torch.lerp(first[1], second[1], y), slope_y


def slice_table(
    volume: Float[Tensor, "z y x"], *, radius: int, padding: int, is_linear: bool
) -> SliceTable:
    """Lay out the transform of a map up to a radius.

    The map is brought to the few voxels that this radius needs before it is padded, so that the
    table of a large box at a coarse resolution is small.

    Args:
        volume: The reference.
        radius: Of the finest samples that slices will ask for, in samples of the box.
        padding: How much finer than the box's own the samples are.
        is_linear: Whether slices interpolate linearly or take the nearest sample; what either
            does to the density is undone beforehand.

    Raises:
        GeometryError: If the volume is not cubic.
    """
    box_size = volume.shape[-1]
    if volume.shape != (box_size,) * 3:
        raise GeometryError(
            f"the reference has (z, y, x) = {tuple(volume.shape)}, expected a cube; pad it"
        )
    small = _coarser(volume, min(box_size, 2 * (radius + 2)))
    num = small.shape[-1]
    distance = (torch.arange(num, device=volume.device) - num // 2) / (padding * num)
    fade = torch.sinc(distance).float() ** (2 if is_linear else 1)
    flat = small / (fade[:, None, None] * fade[:, None] * fade)
    before = padding * num // 2 - num // 2
    padded = torch.nn.functional.pad(flat, (before, (padding - 1) * num - before) * 3)
    half = padding * radius + 2
    return SliceTable(_whole_cube(volume_rfft(padded), half), 2 * half + 1, padding)


def _whole_cube(source: Complex[Tensor, "m m m_half"], half: int) -> Complex[Tensor, " entry"]:
    """The samples from -half to half along each axis of a half transform, flattened."""
    side = source.shape[0]
    ends = torch.arange(-half, half + 1, device=source.device)
    # beyond the last stored frequency there is none: the ends are margins that are never weighed
    right = source[ends % side][:, ends % side][:, :, : min(half, side // 2) + 1]
    right = torch.nn.functional.pad(right, (0, half + 1 - right.shape[2]))
    left = right[..., 1:].flip(0, 1, 2).conj()
    return torch.cat([left, right], dim=2).flatten().resolve_conj().contiguous()


def _coarser(volume: Float[Tensor, "n n n"], num: int) -> Float[Tensor, "k k k"]:
    """Crop the transform to `num` samples along each axis; the centre stays the centre."""
    box_size = volume.shape[-1]
    if num == box_size:
        return volume.float()
    spectrum = volume_rfft(volume.float())
    frequency = torch.fft.fftfreq(num, d=1.0 / num, device=volume.device).round().long()
    kept = spectrum[frequency % box_size][:, frequency % box_size][..., : num // 2 + 1]
    return volume_from_rfft(kept.contiguous(), num)


def masked_reference(volume: Float[Tensor, "n n n"], diameter_px: float) -> Float[Tensor, "n n n"]:
    """Keep a sphere with a soft edge that ends at the diameter, and fill with zeros."""
    num = volume.shape[-1]
    axis = torch.arange(num, device=volume.device, dtype=torch.float32) - num // 2
    distance = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    edge = ((0.5 * diameter_px - distance) / _EDGE_PX).clamp(0.0, 1.0)
    return volume * (0.5 - 0.5 * torch.cos(math.pi * edge))
