"""Insert images into a padded transform: the adjoint of cutting central slices.

Each sample of an image is shared among the eight grid points around its place with the weights
that linear interpolation reads them with. Half of the grid is kept, `x >= 0`; a sample with
`x < 0` counts by its Friedel mate.
"""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.disc import SLACK, Disc, disc
from icelens.core.fourier.padded_grid import Grid, folded, with_mates
from icelens.core.fourier.scatter import RECORD, add_to_corners, place_of
from icelens.core.fourier.slices import PADDING

_SAMPLES_AT_ONCE = 1 << 16
"""Samples whose places are worked out together: their arrays stay in the cache."""
_MOST_POINTS = 2**31 - 1
"""Places are whole numbers of 32 bits; 34 GB in single precision, a box of 800 px."""
_SAMPLES_SORTED = 1 << 21
"""Samples sorted by place together: the more, the more of them meet in a piece of the grid."""


class SliceSums:
    """Sums over images at each point of a padded transform.

    Attributes:
        grid: Box size, padding and radius.
        values: `(z, y, x, 4)`: real and imaginary part of the sum of `CTF * X`, the sum of
            `CTF^2`, and one unused (four are added faster than three).
    """

    def __init__(
        self,
        box_size: int,
        *,
        padding: int = PADDING,
        max_radius: int | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Make empty sums.

        Args:
            box_size: Side of the map, in px.
            padding: How much finer than the map's own transform the grid is; 2 or 3. Between the
                points of an unpadded transform a map cannot be interpolated; with 4, points near
                zero lie in gaps between the samples of all images.
            max_radius: Insert no sample further out, in cycles per box; Nyquist if left out.
            device: Where the sums lie.
            dtype: Of the sums' parts.

        Raises:
            GeometryError: If box or padding are too small, or the grid is too large.
        """
        if padding not in (2, 3) or box_size < 2:
            raise GeometryError(
                f"sums of a box of {box_size} px padded {padding}-fold cannot be inverted, "
                "expected 2 px or more and two- or threefold"
            )
        nyquist = box_size // 2
        limit = nyquist if max_radius is None else min(max(max_radius, 1), nyquist)
        self.grid = Grid(box_size, padding, limit)
        num_points = math.prod(self.grid.shape)
        if num_points > _MOST_POINTS:
            raise GeometryError(
                f"a box of {box_size} px padded {padding}-fold has {num_points} grid points, "
                f"expected at most {_MOST_POINTS}; choose a smaller box or max_radius"
            )
        self.values = torch.zeros(*self.grid.shape, 4, device=device, dtype=dtype)
        self._records = self.values.new_empty(0, RECORD)

    @classmethod
    def like(cls, other: "SliceSums") -> "SliceSums":
        """Empty sums on the same grid."""
        grid, values = other.grid, other.values
        return cls(
            grid.box_size,
            padding=grid.padding,
            max_radius=grid.max_radius,
            device=values.device,
            dtype=values.dtype,
        )

    @property
    def box_size(self) -> int:
        """Side of the map, in px."""
        return self.grid.box_size

    @property
    def numerator(self) -> Complex[Tensor, "m m m_half"]:
        """Sum of `CTF * X`, rfft order, both Friedel mates counted."""
        parts = folded(self.values[..., :2].contiguous(), self.grid)
        return with_mates(torch.view_as_complex(parts), self.grid)

    @property
    def weight(self) -> Float[Tensor, "m m m_half"]:
        """Sum of `CTF^2`, rfft order, both Friedel mates counted."""
        part = folded(self.values[..., 2:3].contiguous(), self.grid)
        return with_mates(part.squeeze(-1), self.grid)

    def insert(
        self,
        image_rfft: Complex[Tensor, "row n n_half"],
        ctf: Float[Tensor, "row n n_half"] | None,
        rotation: Float[Tensor, "row 3 3"],
        weight: Float[Tensor, " row"] | None = None,
        *,
        is_premultiplied: bool = False,
    ) -> None:
        """Add images.

        Args:
            image_rfft: Half transforms about the centre, particles centred. The box may differ
                from the map's if the rotations are scaled accordingly.
            ctf: Of each image; None for ones.
            rotation: Takes the reference to the image. Only its rows 0 and 1 matter: a sample
                `(k_x, k_y)`, in cycles per box of the image, is put at `k_x` times the first plus
                `k_y` times the second, in cycles per box of the map. They need not be orthonormal
                (`icelens.core.optics.particle_ctf.slice_axes`).
            weight: How much each image counts; None for ones.
            is_premultiplied: The images were multiplied by their CTF before; the numerator is then
                the sum of `X`.
        """
        axes = rotation[:, :2, :].to(self.values.dtype)
        samples = self._samples(image_rfft.shape[-2], axes)
        num_at_once = max(1, _SAMPLES_SORTED // max(1, len(samples.index)))
        for start in range(0, len(image_rfft), num_at_once):
            part = slice(start, start + num_at_once)
            self._insert_together(
                image_rfft[part].flatten(1),
                None if ctf is None else ctf[part].flatten(1),
                axes[part],
                None if weight is None else weight[part].to(self.values.dtype),
                samples,
                is_premultiplied=is_premultiplied,
            )

    def add(self, other: "SliceSums") -> None:
        """Add sums over other images.

        Raises:
            GeometryError: If the grids differ.
        """
        if other.grid != self.grid:
            raise GeometryError(f"cannot add sums on {other.grid} to sums on {self.grid}")
        self.values += other.values.to(self.values)

    def _samples(self, image_box_size: int, axes: Float[Tensor, "row 2 3"]) -> Disc:
        """The samples of an image that can fall within the grid."""
        shortest = 1.0
        if len(axes):
            shortest = float(torch.linalg.svdvals(axes.double())[:, -1].min().clamp(min=1e-3))
        # in steps, so that rounding does not make a disc of its own for each batch
        radius = min(image_box_size // 2, round(self.grid.max_radius / shortest + 0.4))
        return disc(image_box_size, radius, device=str(axes.device), dtype=axes.dtype)

    def _buffer(self, num_samples: int) -> Float[Tensor, "sample 8"]:
        """Room for records, the same each time: new memory would cost as much as its use."""
        if len(self._records) < num_samples:
            self._records = self.values.new_empty(num_samples, RECORD)
        return self._records[:num_samples]

    def _insert_together(
        self,
        image_rfft: Complex[Tensor, "row pixel"],
        ctf: Float[Tensor, "row pixel"] | None,
        axes: Float[Tensor, "row 2 3"],
        weight: Float[Tensor, " row"] | None,
        samples: Disc,
        *,
        is_premultiplied: bool,
    ) -> None:
        num_samples = len(samples.index)
        records = self._buffer(len(axes) * num_samples).view(len(axes), num_samples, RECORD)
        step = max(1, _SAMPLES_AT_ONCE // max(1, num_samples))
        for start in range(0, len(axes), step):
            rows = slice(start, start + step)
            share = samples.share if weight is None else samples.share * weight[rows, None]
            sign = _place(axes[rows], samples, self.grid, records[rows])
            _fill_terms(
                records[rows],
                image_rfft[rows].index_select(1, samples.index),
                None if ctf is None else ctf[rows].index_select(1, samples.index),
                share,
                sign,
                is_premultiplied=is_premultiplied,
            )
        add_to_corners(self.values, records.flatten(0, 1))


def _place(
    axes: Float[Tensor, "row 2 3"],
    samples: Disc,
    grid: Grid,
    records: Float[Tensor, "row sample 8"],
) -> Float[Tensor, "row sample"]:
    """Write the lowest corner of each sample's cell and the way from there.

    Returns:
        1, -1 for samples that count by their Friedel mate, 0 for those beyond the radius.
    """
    index_xyz = axes.mT @ (samples.frequency_xy * grid.padding)
    sign = torch.where(index_xyz[:, 0] < 0, -1.0, 1.0).to(axes.dtype)
    index_xyz *= sign[:, None]
    longest = float(torch.linalg.matrix_norm(axes, ord=2).max())
    if longest * samples.radius > grid.max_radius * (1.0 + SLACK):
        is_inside = index_xyz.square().sum(1) <= (grid.reach * (1.0 + SLACK)) ** 2
        index_xyz *= is_inside[:, None]
        sign = sign * is_inside
    # rounding may carry a sample on the radius past the last point
    base = index_xyz.floor().clamp_(min=-grid.reach, max=grid.reach)
    records[..., 4:7] = index_xyz.sub_(base).mT
    x, y, z = base.to(place_of(records).dtype).unbind(1)
    _, num_y, num_x = grid.shape
    place = z.add_(grid.reach).mul_(num_y).add_(y).add_(grid.reach).mul_(num_x).add_(x)
    place_of(records).copy_(place)
    return sign


def _fill_terms(
    records: Float[Tensor, "row sample 8"],
    values: Complex[Tensor, "row sample"],
    ctf: Float[Tensor, "row sample"] | None,
    share: Float[Tensor, "*#row sample"],
    sign: Float[Tensor, "row sample"],
    *,
    is_premultiplied: bool,
) -> None:
    """Write what each sample adds: real and imaginary part times CTF, and CTF squared."""
    counted = share * sign.abs()
    weighted = counted if ctf is None else ctf * counted
    first = counted if is_premultiplied else weighted
    parts = torch.view_as_real(values)
    torch.mul(parts[..., 0], first, out=records[..., 0])
    torch.mul(parts[..., 1], first * sign, out=records[..., 1])
    records[..., 2] = weighted if ctf is None else weighted * ctf
    records[..., 3] = 0.0
