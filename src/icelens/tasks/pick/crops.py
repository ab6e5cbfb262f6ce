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

_JITTER = 0.35
"""How far from the middle the chosen particle may lie, as a share of the crop's side."""
_MIXUP_ALPHA = 0.4
"""Both parameters of the beta distribution of mix-up: mostly one crop, little of the other."""
_LABEL_SAMPLES = 20_000


@dataclass(frozen=True)
class PickBatch:
    """Crops of one step, with a share of each class (background left out) at each point.

    `targets` and `offsets` lie on the network's output grid. `offsets` holds, in voxels of that
    grid, how far the nearest centre is along z, y and x, and as a fourth channel 1 where one is near.
    """

    images: Float[Tensor, "item 1 z y x"]
    targets: Float[Tensor, "item class z_out y_out x_out"]
    offsets: Float[Tensor, "item 4 z_out y_out x_out"] | None

    def to(self, device: torch.device) -> "PickBatch":
        """The batch on another device."""
        offsets = None if self.offsets is None else self.offsets.to(device, non_blocking=True)
        return PickBatch(
            self.images.to(device, non_blocking=True),
            self.targets.to(device, non_blocking=True),
            offsets,
        )


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
        images, targets, offsets = [], [], []
        for item in items:
            rng = np.random.default_rng([self.seed, step * self.batch_size + item])
            image, target, offset = self._example(rng)
            images.append(image)
            targets.append(target)
            offsets.append(offset)
        known = [torch.from_numpy(offset) for offset in offsets if offset is not None]
        batch = PickBatch(
            torch.stack(images).unsqueeze(1),
            torch.stack(targets),
            torch.stack(known) if known else None,
        )
        return batch.to(self.device)

    def _example(
        self, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, npt.NDArray[np.float32] | None]:
        """One crop, or a blend of two."""
        image, target, offset = self._one(rng)
        if self.augmentation.mixup and rng.random() < self.augmentation.mixup:
            other, other_target, _ = self._one(rng)
            share = rng.beta(_MIXUP_ALPHA, _MIXUP_ALPHA)
            share = max(share, 1 - share)  # the offsets stay those of the stronger one
            image = share * image + (1 - share) * other
            target = share * target + (1 - share) * other_target
        return image, target, offset

    def _one(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, npt.NDArray[np.float32] | None]:
        crop = self.cut(rng)
        target, offset = self.targets(crop)
        image = torch.from_numpy(np.ascontiguousarray(crop.image))
        return varied_intensity(image, self.augmentation, rng), torch.from_numpy(target), offset

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


def _places(
    tomograms: Sequence[LabelledTomogram], kind: int
) -> npt.NDArray[np.float64]:
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
    image = cut_mirrored(view, start.tolist(), (z, y, x))
    labels = None
    if tomogram.labels is not None:
        labels = cut_mirrored(tomogram.labels, start.tolist(), (z, y, x)).astype(np.uint8)
    centre, kind = _with_mirror_images(tomogram, start, start + size)
    return Crop(image, labels, centre - start, kind)


def _with_mirror_images(
    tomogram: LabelledTomogram,
    start: npt.NDArray[np.integer],
    stop: npt.NDArray[np.integer],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The particles, and those that appear mirrored where a box leaves the volume."""
    centre, kind = tomogram.centre_zyx_px, tomogram.kind
    for axis, side in enumerate(tomogram.shape):
        centres, kinds = [centre], [kind]
        for plane, is_left in ((0, start[axis] < 0), (side - 1, stop[axis] > side)):
            if is_left:
                is_off_plane = centre[:, axis] != plane  # a particle on it is its own image
                image = centre[is_off_plane]
                image[:, axis] = 2 * plane - image[:, axis]
                centres.append(image)
                kinds.append(kind[is_off_plane])
        centre, kind = np.concatenate(centres), np.concatenate(kinds)
    return centre, kind
