"""From the fit of a linear model to the finished model on the grid of the images."""

import torch
from torch import Tensor

from icelens.core.fourier.crop import resize_rfft
from icelens.core.fourier.transforms import volume_from_rfft, volume_rfft
from icelens.tasks.hetero.linear.fit import Fit
from icelens.tasks.hetero.linear.linear_model import LinearModel, TriedComponent
from icelens.tasks.hetero.linear.subspace import Subspace
from icelens.tasks.hetero.prepared_images import PreparedImages


def model_of_fit(fit: Fit, images: PreparedImages, *, tilts: int = 0) -> LinearModel:
    """The model on the grid of the images."""
    grid = fit.whole.grid

    def on_images(space: Subspace) -> Tensor:
        wide = grid.widened(space.volumes)
        if grid.box_size == images.box_size:
            return wide.cpu()
        spectrum = resize_rfft(volume_rfft(wide), images.box_size)
        return volume_from_rfft(spectrum, images.box_size).cpu()

    whole = on_images(fit.whole)
    norm = whole[1:].flatten(1).norm(dim=1).clamp(min=1e-30)
    spread = norm / norm[0]
    halves = torch.stack([on_images(half) for half in fit.halves])
    halves[:, 1:] /= spread[:, None, None, None]
    tried = fit.tried
    numbers = torch.stack([tried.gain, tried.score, tried.eigenvalues], dim=1)
    return LinearModel(
        mean=whole[0],
        components=whole[1:] / spread[:, None, None, None],
        spread=spread,
        halves=halves,
        pixel_size=images.pixel_size,
        radius=grid.radius,
        diameter=images.facts.mask_diameter,
        contrast_std=fit.whole.contrast_std,
        tried=tuple(TriedComponent(*each) for each in numbers.tolist()),
        num_significant=tried.num_significant,
        power=fit.prior.power.cpu(),
        tilts=tilts,
    )
