"""Training boxes: drawn anew for every epoch from the masked voxels of standardised tomograms.

Each box is a function of the seed and of its running number alone, so that a run can be resumed,
or shared among processes, and still see the same boxes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, InputFileError
from icelens.core.geometry.rotations import random_rotations
from icelens.core.volumes.rotate import right_angle_rotations
from icelens.core.volumes.tiling import cut_mirrored

SLAB = 16  # planes read at once when a whole volume is passed over


@dataclass(frozen=True)
class Standardised:
    """A memory-mapped density that is read as `(voxel - mean) / std * sign`.

    `sign` is -1 for tomograms whose protein is dark, so that density is positive inside.
    """

    volume: Volume
    mean: float
    std: float
    sign: float

    def cut(self, starts: Sequence[int], box: tuple[int, int, int]) -> npt.NDArray[np.float32]:
        """A standardised box; mirrored where it leaves the volume."""
        values = cut_mirrored(self.volume.array, list(starts), box)
        return (values - np.float32(self.mean)) * np.float32(self.sign / self.std)

    def restored(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Standardised values back in the grey scale and contrast of the file."""
        return values * np.float32(self.sign * self.std) + np.float32(self.mean)


def standardise(volume: Volume, path: Path, *, sign: float) -> Standardised:
    """Mean and standard deviation of the whole volume, read slab by slab.

    Raises:
        InputFileError: If a voxel is not finite or all are equal.
    """
    count, total, squares = 0, 0.0, 0.0
    shift = float(volume.array[0, 0, 0])  # keeps the sum of squares well conditioned
    with np.errstate(invalid="ignore"):  # infinities end as NaN, which is told below
        for start in range(0, volume.shape[0], SLAB):
            slab = np.asarray(volume.array[start : start + SLAB], np.float64) - shift
            count += slab.size
            total += float(slab.sum())
            squares += float((slab**2).sum())
    variance = squares / count - (total / count) ** 2
    if not np.isfinite(variance):
        raise InputFileError(
            f"{path}: holds voxels that are not finite (NaN or infinite); reconstruct it again "
            "or replace them by the mean"
        )
    if variance <= 0:
        raise InputFileError(f"{path}: all voxels are equal ({shift}); is this the right file?")
    return Standardised(volume, shift + total / count, float(np.sqrt(variance)), sign)


class Centres:
    """The voxels that may be the centre of a box, sampled uniformly without listing them all."""

    def __init__(
        self,
        mask: npt.NDArray[np.generic] | None,
        shape: tuple[int, int, int],
        box_size: int,
        path: Path,
        *,
        held_out_fraction: float = 0.0,
        held_out: bool = False,
    ) -> None:
        self.mask, self.shape, self.box_size, self.path = mask, shape, box_size, path
        _refuse_small_volume(shape, box_size, path)
        half = box_size // 2
        # an axis thinner than the box has one place: the middle, mirrored on both sides
        places = [
            slice(half, size - half + 1) if size > box_size else slice(size // 2, size // 2 + 1)
            for size in shape
        ]
        if held_out_fraction:
            places[1] = _share_of(
                places[1], shape[1], box_size, held_out_fraction, held_out=held_out, path=path
            )
        self.inner = tuple(places)
        plane = (self.inner[1].stop - self.inner[1].start) * (
            self.inner[2].stop - self.inner[2].start
        )
        self.thin = shape[0] <= box_size
        planes = range(self.inner[0].start, self.inner[0].stop)
        counts = [plane if mask is None else int(self._plane(z).sum()) for z in planes]
        self.cumulative: npt.NDArray[np.int64] = np.cumsum(np.array(counts, np.int64))
        if self.cumulative[-1] == 0:
            raise GeometryError(
                f"{path}: the mask leaves no voxel where a box of {box_size} fits into "
                f"(z, y, x) = {shape}; widen the mask (a higher --density-percentage) or take a "
                "smaller --box-size"
            )

    def _plane(self, z: int) -> npt.NDArray[np.bool_]:
        assert self.mask is not None
        if self.thin:
            return self._columns
        inner: npt.NDArray[np.bool_] = np.asarray(self.mask[z])[self.inner[1], self.inner[2]] != 0
        return inner

    @cached_property
    def _columns(self) -> npt.NDArray[np.bool_]:
        """A thin slab offers one z only: a column counts where any of its voxels is in the mask."""
        assert self.mask is not None
        columns: npt.NDArray[np.bool_] = np.zeros(self.mask.shape[1:], bool)
        for plane in self.mask:  # read once, not for each box; never as a whole
            columns |= np.asarray(plane) != 0
        return columns[self.inner[1], self.inner[2]]

    def start(self, rank: int) -> list[int]:
        """First voxel (z, y, x) of the box around the allowed centre number `rank`."""
        plane = int(np.searchsorted(self.cumulative, rank, side="right"))
        within = rank - (int(self.cumulative[plane - 1]) if plane else 0)
        z = self.inner[0].start + plane
        width = self.inner[2].stop - self.inner[2].start
        if self.mask is not None:
            within = int(np.flatnonzero(self._plane(z))[within])
        centre = (z, self.inner[1].start + within // width, self.inner[2].start + within % width)
        return [c - self.box_size // 2 for c in centre]

    def on_own_side(
        self, starts: Sequence[tuple[int, int, int]]
    ) -> tuple[tuple[int, int, int], ...]:
        """Those boxes around picks that lie on this side of the held-out border.

        Raises:
            GeometryError: If none of them does.
        """
        low, high = (
            edge - self.box_size // 2 for edge in (self.inner[1].start, self.inner[1].stop)
        )
        own = tuple(start for start in starts if low <= start[1] < high)
        if starts and not own:
            raise GeometryError(
                f"{self.path}: none of {len(starts)} picks has y from {low} to "
                f"{high + self.box_size} px, where boxes for training or validation are cut; add "
                "picks there or set --validation-fraction 0"
            )
        return own

    def __len__(self) -> int:
        """How many voxels may be a centre."""
        return int(self.cumulative[-1])


def _refuse_small_volume(shape: tuple[int, int, int], box_size: int, path: Path) -> None:
    """A thin slab is mirrored once at either face; in the plane there is no excuse for mirrors."""
    limit = min(3 * shape[0], shape[1], shape[2])
    if box_size > limit:
        largest = limit // 16 * 16
        remedy = f"take --box-size {largest}" if largest else "no box fits, leave the tomogram out"
        raise GeometryError(
            f"{path}: a box of {box_size} is too large for (z, y, x) = {shape}, of which y and x "
            f"must hold it and z a third of it; {remedy}"
        )


def _share_of(
    places: slice, size: int, box_size: int, fraction: float, *, held_out: bool, path: Path
) -> slice:
    """Centres along y whose boxes lie in the held-out end of the tomogram, or all before it."""
    border = size - max(box_size, round(fraction * size))
    own = (
        slice(border + box_size // 2, places.stop)
        if held_out
        else slice(places.start, border - box_size // 2 + 1)
    )
    if own.stop <= own.start:
        raise GeometryError(
            f"{path}: {size} voxels along y cannot hold boxes of {box_size} both for training and "
            "for validation; set --validation-fraction 0 or take a smaller --box-size"
        )
    return own


@dataclass(frozen=True)
class CropBatch:
    """Boxes of one step: `(half, item, z, y, x)`, standardised, density positive.

    `half` is even and odd (in random order) or a single map. `tomograms` holds the number of the
    tomogram of each item, `rotations` what to turn it by, `seeds` the source of its noise.
    """

    boxes: Float[Tensor, "half item n n n"]
    truth: Float[Tensor, "item n n n"] | None
    rotations: Float[Tensor, "item 3 3"]
    tomograms: list[int]
    seeds: list[int]

    def to(self, device: torch.device) -> "CropBatch":
        """The boxes on another device; rotations stay, they steer the host."""
        truth = None if self.truth is None else self.truth.to(device, non_blocking=True)
        boxes = self.boxes.to(device, non_blocking=True)
        return CropBatch(boxes, truth, self.rotations, self.tomograms, self.seeds)


@dataclass(frozen=True)
class TrainingTomogram:
    """One tomogram ready to be cut: its halves (or the single map), centres and share of boxes.

    `turn_weights` say how often each of the 24 right-angle rotations is drawn.
    """

    halves: tuple[Standardised, ...]
    centres: Centres
    starts: tuple[tuple[int, int, int], ...]
    num_subtomograms: int
    truth: Standardised | None
    turn_weights: tuple[float, ...] = (1.0,) * 24


class Crops:
    """The source of batches: `crops(step, items)` cuts the boxes of a step."""

    def __init__(
        self,
        tomograms: Sequence[TrainingTomogram],
        *,
        box_size: int,
        batch_size: int,
        random_rotation_probability: float,
        seed: int,
    ) -> None:
        self.tomograms, self.box_size, self.batch_size = list(tomograms), box_size, batch_size
        self.random_rotation_probability, self.seed = random_rotation_probability, seed
        self.owners = np.concatenate(
            [np.full(t.num_subtomograms, i) for i, t in enumerate(self.tomograms)]
        )

    def steps_per_epoch(self) -> int:
        """Steps that see every tomogram's share of boxes once."""
        return max(1, round(len(self.owners) / self.batch_size))

    def __call__(self, step: int, items: range) -> CropBatch:
        """Cut the boxes `items` of the batch of `step`."""
        boxes, truths, rotations, owners, seeds = [], [], [], [], []
        for item in items:
            number = step * self.batch_size + item
            rng = np.random.default_rng([self.seed, number])
            owner = self._owner(number)
            tomogram = self.tomograms[owner]
            cut = self._cut(tomogram, rng)
            boxes.append(cut[0])
            truths.append(cut[1])
            rotations.append(self._rotation(tomogram, rng))
            owners.append(owner)
            seeds.append(int(rng.integers(2**62)))
        known = [t for t in truths if t is not None]
        truth = torch.from_numpy(np.stack(known)) if len(known) == len(truths) else None
        halves = torch.from_numpy(np.stack(boxes, axis=1))
        return CropBatch(halves, truth, torch.stack(rotations), owners, seeds)

    def _owner(self, number: int) -> int:
        """Tomogram of a running number: every epoch a new order, every epoch all of them."""
        epoch, place = divmod(number, len(self.owners))
        order = np.random.default_rng([self.seed, 1, epoch]).permutation(len(self.owners))
        return int(self.owners[order[place]])

    def _cut(
        self, tomogram: TrainingTomogram, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
        if tomogram.starts:
            start: Sequence[int] = tomogram.starts[int(rng.integers(len(tomogram.starts)))]
        else:
            start = tomogram.centres.start(int(rng.integers(len(tomogram.centres))))
        box = (self.box_size,) * 3
        halves = [half.cut(start, box) for half in tomogram.halves]
        if rng.random() < 0.5:  # each half is input and target equally often
            halves.reverse()
        truth = None if tomogram.truth is None else tomogram.truth.cut(start, box)
        return np.stack(halves), truth

    def _rotation(
        self, tomogram: TrainingTomogram, rng: np.random.Generator
    ) -> Float[Tensor, "3 3"]:
        if rng.random() < self.random_rotation_probability:
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            return random_rotations(1, generator, dtype=torch.float64)[0].float()
        weights = np.asarray(tomogram.turn_weights)
        turn = rng.choice(len(weights), p=weights / weights.sum())
        return right_angle_rotations()[int(turn)]
