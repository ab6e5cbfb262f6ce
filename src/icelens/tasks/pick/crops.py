"""Training crops: drawn from the list of picks, so that choosing one costs nothing.

Each crop is a function of the seed and its running number alone, so that a run can be resumed, or
shared among processes, and still see the same crops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError
from icelens.core.volumes.tiling import cut_mirrored
from icelens.tasks.pick.augment import Crop, Turn, drawn_mirrors, varied_intensity
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.targets_in_crops import TargetMaker
from icelens.tasks.pick.train_settings import AugmentConfig
from icelens.tasks.pick.voxel_target import VoxelTarget

_JITTER = 0.35
"""How far from the middle the chosen particle may lie, as a share of the crop's side."""
_MIXUP_ALPHA = 0.4
"""Both parameters of the beta distribution of mix-up: mostly one crop, little of the other."""
_LABEL_SAMPLES = 20_000


@dataclass(frozen=True)
class PickBatch:
    """Crops of one step with what the network should answer, on its output grid.

    Either `maps` (share of each class, background left out) or `labels` are given.
    """

    images: Float[Tensor, "item 1 z y x"]
    maps: Float[Tensor, "item class z_out y_out x_out"] | None
    labels: VoxelTarget | None


@dataclass(frozen=True, eq=False)
class _Example:
    """One crop of a batch; `second` and `share` tell the labels it is blended with."""

    image: Tensor
    target: Tensor
    second: Tensor | None = None
    share: float = 1.0


class Crops:
    """The source of batches: `crops(step, items)` cuts the crops of a step."""

    def __init__(
        self,
        tomograms: Sequence[LabelledTomogram],
        targets: TargetMaker,
        *,
        size: tuple[int, int, int],
        batch_size: int,
        augmentation: AugmentConfig,
        background_share: float,
        seed: int,
        device: torch.device,
    ) -> None:
        self.tomograms, self.targets, self.size = list(tomograms), targets, size
        self.batch_size, self.augmentation = batch_size, augmentation
        self.background_share, self.seed, self.device = background_share, seed, device
        self.places = [_places(self.tomograms, kind) for kind in range(targets.num_classes)]
        if not any(len(places) for places in self.places):
            raise MetadataError(
                "there is nothing to learn: no run to train on has a pick or a labelled voxel; "
                "check --truth and --train-runs with `icelens pick browse`"
            )

    def __call__(self, step: int, items: range) -> PickBatch:
        """Cut the crops `items` of the batch of `step`."""
        examples = [
            self._example(np.random.default_rng([self.seed, step * self.batch_size + item]))
            for item in items
        ]
        return self._batch(examples)

    def _batch(self, examples: Sequence[_Example]) -> PickBatch:
        """Stack examples on the device."""

        def stacked(parts: Sequence[Tensor]) -> Tensor:
            return torch.stack(list(parts)).to(self.device, non_blocking=True)

        images = stacked([each.image for each in examples]).unsqueeze(1)
        targets = stacked([each.target for each in examples])
        if self.targets.kind == "centres":
            return PickBatch(images, targets, None)
        seconds = [each.target if each.second is None else each.second for each in examples]
        share = torch.tensor([each.share for each in examples], device=self.device)
        is_mixed = self.augmentation.mixup > 0
        labels = VoxelTarget(
            targets,
            second=stacked(seconds) if is_mixed else None,
            share=share if is_mixed else None,
        )
        return PickBatch(images, None, labels)

    def _example(self, rng: np.random.Generator) -> _Example:
        """One crop, or a blend of two."""
        one = self._one(rng)
        if not self.augmentation.mixup or rng.random() >= self.augmentation.mixup:
            return one
        other = self._one(rng)
        share = float(rng.beta(_MIXUP_ALPHA, _MIXUP_ALPHA))
        share = max(share, 1 - share)
        image = share * one.image + (1 - share) * other.image
        if self.targets.kind == "centres":
            maps = share * one.target + (1 - share) * other.target
            return _Example(image, maps)
        return _Example(image, one.target, other.target, share)

    def _one(self, rng: np.random.Generator) -> _Example:
        crop = self.cut(rng)
        image = torch.from_numpy(np.ascontiguousarray(crop.image))
        return _Example(
            varied_intensity(image, self.augmentation, rng), torch.from_numpy(self.targets(crop))
        )

    def cut(self, rng: np.random.Generator) -> Crop:
        """A crop with its particles, turned and mirrored."""
        owner, centre = self._centre(rng)
        tomogram = self.tomograms[owner]
        view = tomogram.views[int(rng.integers(len(tomogram.views)))]
        size = np.array(self.size)
        start = np.rint(centre + rng.uniform(-_JITTER, _JITTER, 3) * size - size / 2).astype(int)
        # boxes stay inside where they can, and lie evenly over a volume that is thinner
        room = np.array(tomogram.shape) - size
        start = np.where(room > 0, np.clip(start, 0, np.maximum(room, 0)), room // 2)
        turn = None
        if rng.random() < self.augmentation.turn_probability:
            turn = Turn.drawn(self.size, self.augmentation.turn_angle, rng)
            wider = np.array(turn.source_size())
            start, size = start - (wider - size) // 2, wider
        crop = _cut(tomogram, view, start, size)
        if turn is not None:
            crop = turn.applied(crop)
        return crop.mirrored(drawn_mirrors(self.augmentation, rng))

    def _centre(self, rng: np.random.Generator) -> tuple[int, npt.NDArray[np.float64]]:
        """A tomogram and a place in it: a particle of a class drawn evenly, or anywhere."""
        if rng.random() < self.background_share:
            owner = int(rng.integers(len(self.tomograms)))
            return owner, rng.uniform(0, 1, 3) * np.array(self.tomograms[owner].shape)
        known = [places for places in self.places if len(places)]
        places = known[int(rng.integers(len(known)))]
        chosen = places[int(rng.integers(len(places)))]
        return int(chosen[0]), chosen[1:]


def _places(tomograms: Sequence[LabelledTomogram], kind: int) -> npt.NDArray[np.float64]:
    """`(place, 4)`: tomogram, z, y, x of the picks of a class, or of voxels with its label."""
    rows = [np.zeros((0, 4))]
    for owner, tomogram in enumerate(tomograms):
        centres = tomogram.picks_of(kind)
        if tomogram.labels is not None:
            rng = np.random.default_rng([kind, owner])
            found = np.flatnonzero(tomogram.labels == kind + 1)
            if len(found) > _LABEL_SAMPLES:
                found = rng.choice(found, _LABEL_SAMPLES, replace=False)
            voxels = np.stack(np.unravel_index(found, tomogram.shape), axis=1)
            centres = np.concatenate([centres, voxels.astype(np.float64)])
        rows.append(np.insert(centres, 0, owner, axis=1))
    return np.concatenate(rows)


def _cut(
    tomogram: LabelledTomogram,
    view: npt.NDArray[np.float16],
    start: npt.NDArray[np.integer],
    size: npt.NDArray[np.integer],
) -> Crop:
    """A box of the view, mirrored where it leaves the volume, with the particles in its reach."""
    z, y, x = size.tolist()
    image = _single_precision(view, start, size)
    labels = None
    if tomogram.labels is not None:
        labels = cut_mirrored(tomogram.labels, start.tolist(), (z, y, x)).astype(np.uint8)
    centre, kind = _with_mirror_images(tomogram, start, start + size)
    return Crop(image, labels, centre - start, kind)


def _single_precision(
    view: npt.NDArray[np.float16], start: npt.NDArray[np.integer], size: npt.NDArray[np.integer]
) -> npt.NDArray[np.float32]:
    """A box of the view, mirrored where it leaves the volume."""
    z, y, x = size.tolist()
    stop = start + size
    if (start < 0).any() or (stop > view.shape).any():
        return cut_mirrored(view, start.tolist(), (z, y, x))
    box = view[tuple(slice(*ends) for ends in zip(start.tolist(), stop.tolist(), strict=True))]
    # torch widens half precision by vectors, numpy value by value: a twelfth of the time
    widened: npt.NDArray[np.float32] = torch.from_numpy(box.copy()).float().numpy()
    return widened


def _with_mirror_images(
    tomogram: LabelledTomogram,
    start: npt.NDArray[np.integer],
    stop: npt.NDArray[np.integer],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The particles, and those that appear mirrored where a box leaves the volume."""
    centre, kind = tomogram.centre_zyx_px, tomogram.kind
    for axis, side in enumerate(tomogram.shape):
        first, last = int(start[axis]), int(stop[axis])
        if first >= 0 and last <= side:
            continue
        # mirrored at both ends, a volume repeats itself with this period
        period = 2 * max(side - 1, 1)
        # a particle on a plane that mirrors is its own image
        is_off_plane = ~np.isin(centre[:, axis], (0, side - 1))
        centres, kinds = [], []
        for shift in period * np.arange(first // period, last // period + 2):
            for sign, shown in ((1, np.ones(len(centre), bool)), (-1, is_off_plane)):
                place = sign * centre[:, axis] + shift
                is_near = shown & (place > first - side) & (place < last + side)
                image = centre[is_near]
                image[:, axis] = place[is_near]
                centres.append(image)
                kinds.append(kind[is_near])
        centre, kind = np.concatenate(centres), np.concatenate(kinds)
    return centre, kind
