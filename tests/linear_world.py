"""Prepared images of known linear combinations of volumes, without files."""

from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.geometry.rotations import random_rotations
from icelens.core.refinement.samples import disc_samples
from icelens.tasks.hetero.prepared_images import ImageFacts, PreparedImages

BOX = 24
PIXEL = 6.0


def blob(z: float, y: float, x: float, width: float = 2.0) -> Tensor:
    axis = torch.arange(BOX).float() - BOX // 2
    square = (axis - z)[:, None, None] ** 2 + (axis - y)[:, None] ** 2 + (axis - x) ** 2
    return torch.exp(-square / (2 * width**2))


def mean_volume() -> Tensor:
    return blob(0, 0, 0, 2.5) + blob(3, 2, 0) + blob(-2, 0, 3) + 0.8 * blob(0, -4, -2, 1.5)


def component_volumes() -> Tensor:
    return torch.stack([blob(0, 4, 1) - blob(0, 2, -3), 0.7 * (blob(4, 0, 0) - blob(-4, -1, 1))])


def prepared(
    volumes: Tensor,
    coefficients: np.ndarray,
    *,
    noise: float,
    images_each: int = 1,
    turned_by: float = 0.0,
    seed: int = 0,
) -> PreparedImages:
    """Images of particles: sums of volumes with coefficients, noise of that deviation per pixel.

    Noise is drawn in Fourier space, so that all samples are independent. Poses are wrong by turns
    of `turned_by` degrees about each axis (standard deviation).
    """
    rng = np.random.default_rng(seed)
    count = len(coefficients) * images_each
    turns = random_rotations(count, generator=torch.Generator().manual_seed(seed))
    rotation = turns.double().numpy()
    particles = Particles(
        stacks=(Path("none.mrcs"),),
        stack=np.zeros(count, np.int64),
        slice_index=np.arange(count),
        optics=(OpticsGroup("1", PIXEL, BOX),),
        rotation=rotation,
        defocus_u=rng.uniform(8000, 20000, count),
        particle=np.repeat(np.arange(len(coefficients)), images_each),
    )
    true = torch.from_numpy(_turned(rotation, turned_by, rng)).float()
    samples = disc_samples(BOX, BOX // 2 - 1)
    power = tuple([noise**2 * BOX**2] * (BOX // 2 + 1))
    facts = ImageFacts(
        num_images=count,
        box_size=BOX,
        pixel_size=PIXEL,
        radius=BOX // 2 - 1,
        mask_diameter=16 * PIXEL,
        is_inverted=False,
        independence=1.0,
        cached_power=(power,),
        noise_power=(power,),
    )
    empty = np.zeros((count, len(samples.index), 2), np.float16)
    images = PreparedImages(particles, facts, empty)
    rows = np.arange(count)
    slices = torch.stack(
        [samples.of(central_slices(slice_source(v), true)) for v in volumes],
        dim=1,
    )
    of_image = torch.from_numpy(np.repeat(coefficients, images_each, axis=0)).float()
    clean = (slices * of_image[..., None]).sum(1) * images.transfer(rows)
    parts = rng.normal(size=(*clean.shape, 2)) * 0.5**0.5
    values = torch.view_as_real(clean).numpy() + parts
    return PreparedImages(particles, facts, values.astype(np.float16))


def _turned(rotation: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    if not degrees:
        return rotation
    errors = np.deg2rad(degrees) * rng.normal(size=(len(rotation), 3))
    return Rotation.from_rotvec(errors).as_matrix() @ rotation
