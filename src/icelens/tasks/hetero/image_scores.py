"""How well a model explains each image: what is left of it without the volume of its latent."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.events import OnEvent, Progress
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.latents.sketch import sketch_latents
from icelens.tasks.hetero.hetero_run import VolumeModel
from icelens.tasks.hetero.prepared_images import PreparedImages

_AT_ONCE = 64
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImageScores:
    """Scores of images, `(row,)` each; nan for images that belong to no state.

    Attributes:
        loss: Mean square of the residual of a sample in units of the noise: 1 where nothing but
            noise is left.
        log_likelihood: Minus the sum of these over the independent samples of an image; what does
            not depend on the model is left out.
        explained: Share of the image's power that the model takes away. Most power is noise.
    """

    loss: Floats
    log_likelihood: Floats
    explained: Floats

    def take(self, rows: Integers) -> "ImageScores":
        """Those of some images."""
        return ImageScores(self.loss[rows], self.log_likelihood[rows], self.explained[rows])


def shared_states(latent: Floats, count: int, *, seed: int) -> tuple[Floats, Integers]:
    """At most so many latents, and which of them stands for each: itself if there are few enough.

    Args:
        latent: `(particle, latent_dim)`.
        count: States at most.
        seed: Of the choice.
    """
    if latent.shape[1] == 0:
        return latent[:1], np.zeros(len(latent), np.int64)
    chosen = sketch_latents(latent, count, seed=seed)
    return latent[chosen.place], chosen.nearest


def score_images(
    model: VolumeModel,
    images: PreparedImages,
    states: Floats,
    state_of_row: Integers,
    *,
    stage: str,
    on_event: OnEvent,
) -> ImageScores:
    """Compare images with slices of the volumes of their states.

    Args:
        model: Makes the volumes.
        images: As the model sees them.
        states: `(state, latent_dim)`.
        state_of_row: `(row,)` state of each image, -1 for images to leave out.
        stage: Name of the work, for progress.
        on_event: Hears it.

    Raises:
        GeometryError: If images and volumes have different boxes.
    """
    if model.box_size != images.box_size:
        raise GeometryError(
            f"volumes of {model.box_size} px for images of {images.box_size} px; prepare the "
            "images as the run did"
        )
    residual, power = np.full(len(images), np.nan), np.full(len(images), np.nan)
    used = np.unique(state_of_row[state_of_row >= 0])
    latent = torch.from_numpy(states[used]).float().to(images.device)
    with torch.inference_mode():
        for done, (state, volume) in enumerate(
            zip(used, model.volumes(latent), strict=True), start=1
        ):
            rows = np.flatnonzero(state_of_row == state)
            residual[rows], power[rows] = _compared(volume.to(images.device), images, rows)
            on_event(Progress(stage, done, len(used), "volume"))
    samples = len(images.samples.index)
    independent = images.facts.independence
    with np.errstate(invalid="ignore", divide="ignore"):
        explained = np.where(power > 0, 1.0 - residual / power, np.nan)
    return ImageScores(residual / samples, -independent * residual, explained)


def _compared(
    volume: Float[Tensor, "n n n"], images: PreparedImages, rows: Integers
) -> tuple[Floats, Floats]:
    """Summed square of the residual and of the image, for rows of one state."""
    source = slice_source(volume.float())
    residual, power = [], []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        slices = central_slices(source, images.rotation(part), max_radius=images.samples.radius)
        values = images.values(part)
        rest = values - images.transfer(part) * images.samples.of(slices)
        residual.append(rest.abs().square().sum(1).double().cpu().numpy())
        power.append(values.abs().square().sum(1).double().cpu().numpy())
    return np.concatenate(residual), np.concatenate(power)
