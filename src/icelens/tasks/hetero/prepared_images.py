"""Particle images as every model of hetero sees them: centred, windowed, whitened, on disk.

With `V` the transform of a density, `values = transfer * V(R^T k) + noise`, where noise has a mean
square of 1 in each sample.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.errors import InputFileError
from icelens.core.io.atomic import atomic_path
from icelens.core.optics.particle_ctf import particle_ctf, slice_axes
from icelens.core.refinement.samples import DiscSamples, disc_samples

CACHE_NAME = "images.cache.npy"
FACTS_NAME = "images.cache.json"
_VERSION = 1
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ImageFacts:
    """What was done to the images, and found in them.

    Attributes:
        num_images: How many there are.
        box_size: Side of the grid of images and volumes, in px.
        pixel_size: Of that grid, in Å/px.
        radius: Shell of the finest samples, in cycles per box.
        mask_diameter: Of the disc that was kept of the centred images, in Å.
        is_inverted: Whether the grey values were multiplied by -1 to make protein bright.
        independence: Share of the samples that are independent; windows make neighbours alike.
        cached_power: `(group, shell)`, by whose root values were divided before they were cached.
        noise_power: `(group, shell)`, mean square of the noise in a transform.
    """

    num_images: int
    box_size: int
    pixel_size: float
    radius: int
    mask_diameter: float
    is_inverted: bool
    independence: float
    cached_power: tuple[tuple[float, ...], ...]
    noise_power: tuple[tuple[float, ...], ...]


class PreparedImages:
    """Images in a file of half precision, read as they are asked for."""

    def __init__(
        self,
        particles: Particles,
        facts: ImageFacts,
        stored: npt.NDArray[np.float16],
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        """Take images that `icelens.tasks.hetero.preparation` stored.

        Args:
            particles: One row for each image.
            facts: What is known of them.
            stored: `(row, sample, 2)`, transforms as they were cached, in units of noise.
            device: Where values are handed out.
        """
        self.particles = particles
        self.facts = facts
        self.device = torch.device(device)
        self.samples: DiscSamples = disc_samples(facts.box_size, facts.radius, device=device)
        self._stored = stored
        self._noise = torch.tensor(facts.noise_power, device=device).sqrt()
        cached = torch.tensor(facts.cached_power, device=device).sqrt()
        self._unit = (cached / self._noise)[:, self.samples.shell]
        self._group = torch.from_numpy(particles.optics_index).to(device)

    @property
    def box_size(self) -> int:
        """Side of images and volumes, in px."""
        return self.facts.box_size

    @property
    def pixel_size(self) -> float:
        """Sampling of images and volumes, in Å/px."""
        return self.facts.pixel_size

    @property
    def noise_power(self) -> Float[Tensor, " shell"]:
        """Mean square of the noise in a transform, mean over the optics groups."""
        return self._noise.square().mean(0)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.particles)

    def with_poses(self, particles: Particles) -> "PreparedImages":
        """The same images at other rotations; shifts stay those they were centred by."""
        return PreparedImages(particles, self.facts, self._stored, device=self.device)

    def with_noise(self, facts: ImageFacts) -> "PreparedImages":
        """The same images with other facts about their noise."""
        return PreparedImages(self.particles, facts, self._stored, device=self.device)

    def values(self, rows: npt.ArrayLike) -> Complex[Tensor, "row sample"]:
        """Transforms of centred images in units of their noise."""
        chosen = np.atleast_1d(np.asarray(rows))
        parts = torch.from_numpy(np.ascontiguousarray(self._stored[chosen]))
        values = torch.view_as_complex(parts.to(self.device).float())
        return values * self._unit[self._group_of(chosen)]

    def transfer(self, rows: npt.ArrayLike) -> Float[Tensor, "row sample"]:
        """CTF over the noise's deviation, sample by sample."""
        chosen = np.atleast_1d(np.asarray(rows))
        transfer = torch.empty(len(chosen), len(self.samples.index), device=self.device)
        # samples count in cycles per box of their own images, whatever its width in Å
        extent = (self.particles.box_size() * self.particles.pixel_size())[chosen]
        for width in np.unique(extent):
            places = np.flatnonzero(extent == width)
            transfer[torch.from_numpy(places).to(self.device)] = self.samples.of(
                particle_ctf(
                    self.particles,
                    chosen[places],
                    box_size=self.box_size,
                    pixel_size=float(width) / self.box_size,
                    device=self.device,
                )
            )
        return transfer / self._noise[self._group_of(chosen)][:, self.samples.shell]

    def rotation(self, rows: npt.ArrayLike) -> Float[Tensor, "row 3 3"]:
        """Reference to image; axes are longer or bent where an image's box or magnification is."""
        axes = slice_axes(
            self.particles,
            np.atleast_1d(np.asarray(rows)),
            box_size=self.box_size,
            pixel_size=self.pixel_size,
        )
        return torch.from_numpy(axes).to(self.device, torch.float32)

    def _group_of(self, rows: Rows) -> Int[Tensor, " row"]:
        return self._group[torch.from_numpy(rows).to(self.device)]


def write_facts(folder: Path, facts: ImageFacts) -> None:
    """Store what is known beside the cache."""
    text = json.dumps({"version": _VERSION, **asdict(facts)})
    with atomic_path(folder / FACTS_NAME) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_facts(folder: Path) -> ImageFacts:
    """Read what `write_facts` stored.

    Raises:
        InputFileError: If it is missing, damaged or of another version.
    """
    path = folder / FACTS_NAME
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if known.pop("version") != _VERSION:
            raise ValueError("another version")
        for name in ("cached_power", "noise_power"):
            known[name] = tuple(tuple(map(float, each)) for each in known[name])
        return ImageFacts(**known)
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read; is {folder} a run of hetero?") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputFileError(f"{path}: damaged or of another version; train again") from error


def open_cache(
    folder: Path, particles: Particles, *, device: torch.device | str = "cpu"
) -> PreparedImages | None:
    """The cached images of a folder; None where there are none, or of other particles.

    Raises:
        InputFileError: If what is known of them is damaged.
    """
    path = folder / CACHE_NAME
    if not path.is_file() or not (folder / FACTS_NAME).is_file():
        return None
    facts = read_facts(folder)
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    samples = len(disc_samples(facts.box_size, facts.radius).index)
    is_ours = stored.shape == (len(particles), samples, 2) and stored.dtype == np.float16
    return PreparedImages(particles, facts, stored, device=device) if is_ours else None
