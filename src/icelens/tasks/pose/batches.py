"""Training batches: which images, how varied; a function of seed and step alone."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.pose.augment import Augmentation, vary
from icelens.tasks.pose.network_images import ImageShape
from icelens.tasks.pose.objective import PoseBatch
from icelens.training.seed import generator_for


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Prepared images with their poses.

    Attributes:
        images: In half precision, as `network_images` gives them.
        rotation: Reference to image.
        shift_yx: That centres the particle, in px of these images.
        weight: How much each counts.
    """

    images: Float[Tensor, "image 2 y x"]
    rotation: Float[Tensor, "image 3 3"]
    shift_yx: Float[Tensor, "image 2"]
    weight: Float[Tensor, " image"]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def take(self, places: Int[Tensor, " some"]) -> "LabelledImages":
        """Some of them."""
        parts = (self.images, self.rotation, self.shift_yx, self.weight)
        return LabelledImages(*(part[places] for part in parts))


class PoseBatches:
    """The source of batches: `batches(step, items)`, every image once in each epoch."""

    def __init__(
        self,
        data: LabelledImages,
        shape: ImageShape,
        *,
        batch_size: int,
        augmentation: Augmentation | None,
        seed: int,
        device: torch.device,
    ) -> None:
        self._data = data
        self._mask = shape.mask().to(device)
        self._batch_size = batch_size
        self._augmentation = augmentation
        self._seed = seed
        self._device = device
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))
        self._mean_weight = float(data.weight.mean())

    def __call__(self, step: int, items: range) -> PoseBatch:
        """Images of these places of a step."""
        places = torch.tensor([self._place(step * self._batch_size + item) for item in items])
        chosen = self._data.take(places)
        images = chosen.images.to(self._device).float()
        rotation, shift_yx = chosen.rotation.to(self._device), chosen.shift_yx.to(self._device)
        if self._augmentation is not None:
            generators = [generator_for(self._seed, "vary", step, item) for item in items]
            varied = vary(images, rotation, shift_yx, self._augmentation, generators)
            images, rotation, shift_yx = varied.images, varied.rotation, varied.shift_yx
        frame = random_rotations(1, generator_for(self._seed, "frame", step))[0]
        return PoseBatch(
            images * self._mask,
            rotation,
            shift_yx,
            (chosen.weight / self._mean_weight).to(self._device),
            frame.to(self._device),
        )

    def _place(self, number: int) -> int:
        """The image that comes as this number, counted from the beginning of the run."""
        epoch, within = divmod(number, len(self._data))
        if self._order[0] != epoch:
            generator = generator_for(self._seed, "order", epoch)
            self._order = (epoch, torch.randperm(len(self._data), generator=generator))
        return int(self._order[1][within])
