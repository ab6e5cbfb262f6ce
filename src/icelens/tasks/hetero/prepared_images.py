"""Particle images as every model of hetero sees them: centred, windowed, whitened, on disk.

With `V` the transform of a density, `values = transfer * V(R^T k) + noise`, where noise has a mean
square of 1 in each sample.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
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
SHIFTS_NAME = "images.shifts.npy"
_VERSION = 2
_STILL = 1e-3
"""Å: as far as particle files round shifts, and nothing at any resolution."""
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
        unusable: Rows of images that hold nothing; their weight is 0.
        fingerprint: Of the images, by which others are told apart; see `fingerprint`.
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
    unusable: tuple[int, ...] = ()
    fingerprint: str = ""


class PreparedImages:
    """Images in a file of half precision, read as they are asked for."""

    def __init__(
        self,
        particles: Particles,
        facts: ImageFacts,
        stored: npt.NDArray[np.float16],
        *,
        centred_by: npt.NDArray[np.floating[Any]] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        """Take images that `icelens.tasks.hetero.preparation` stored.

        Args:
            particles: One row for each image.
            facts: What is known of them.
            stored: `(row, sample, 2)`, transforms as they were cached, in units of noise.
            centred_by: `(row, 2)` shifts in Å that were applied before; those of the particles if
                left out. Where particles have others by now, values are moved the rest of the way.
            device: Where values are handed out.
        """
        weight = particles.weight.copy()
        weight[list(facts.unusable)] = 0.0
        self.particles = replace(particles, weight=weight) if facts.unusable else particles
        self.facts = facts
        self.device = torch.device(device)
        self.samples: DiscSamples = disc_samples(facts.box_size, facts.radius, device=device)
        self._stored = stored
        self._centred_by = particles.shift_yx if centred_by is None else centred_by
        self._moved = particles.shift_yx - self._centred_by
        self._is_moved = np.abs(self._moved).max(1, initial=0.0) > _STILL
        self._noise = torch.tensor(facts.noise_power, device=device).sqrt()
        cached = torch.tensor(facts.cached_power, device=device).sqrt()
        self._unit = (cached / self._noise)[:, self.samples.shell]
        # a copy: those of files may be views that nothing may write to, of which torch warns
        self._group = torch.tensor(particles.optics_index, device=device)

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
        """The same images at other rotations, centred by other shifts."""
        return self._with(particles, self.facts)

    def with_noise(self, facts: ImageFacts) -> "PreparedImages":
        """The same images with other facts about their noise."""
        return self._with(self.particles, facts)

    def _with(self, particles: Particles, facts: ImageFacts) -> "PreparedImages":
        return PreparedImages(
            particles, facts, self._stored, centred_by=self._centred_by, device=self.device
        )

    def values(self, rows: npt.ArrayLike) -> Complex[Tensor, "row sample"]:
        """Transforms of centred images in units of their noise."""
        chosen = np.atleast_1d(np.asarray(rows))
        parts = torch.from_numpy(np.ascontiguousarray(self._stored[chosen]))
        values = torch.view_as_complex(parts.to(self.device).float())
        values = values * self._unit[self._group_of(chosen)]
        return values * self._ramp(chosen) if self._is_moved[chosen].any() else values

    def _ramp(self, rows: Rows) -> Complex[Tensor, "row sample"]:
        """Phases that move images from where they were centred to where they are to be."""
        # samples count in cycles per box of their own images
        extent = (self.particles.box_size() * self.particles.pixel_size())[rows]
        part_xy = (self._moved[rows] / extent[:, None])[:, ::-1].copy()
        moved = torch.from_numpy(part_xy).to(self.device, torch.float32)
        phase = -2.0 * torch.pi * (moved @ self.samples.frequency_xy)
        return torch.polar(torch.ones_like(phase), phase)

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
        # the third row has the length of the others, so that turns of the three are turns
        axes[:, 2] *= np.linalg.norm(axes[:, :2], axis=2).mean(1)[:, None]
        return torch.from_numpy(axes).to(self.device, torch.float32)

    def _group_of(self, rows: Rows) -> Int[Tensor, " row"]:
        return self._group[torch.from_numpy(rows).to(self.device)]


def stored_images(
    folder: Path,
    particles: Particles,
    facts: ImageFacts,
    *,
    centred_by: npt.NDArray[np.floating[Any]] | None = None,
    device: torch.device | str = "cpu",
) -> PreparedImages:
    """The images that were just stored in a folder; arguments as in `PreparedImages`."""
    stored = np.load(folder / CACHE_NAME, mmap_mode="r", allow_pickle=False)
    return PreparedImages(particles, facts, stored, centred_by=centred_by, device=device)


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
        known["unusable"] = tuple(map(int, known["unusable"]))
        return ImageFacts(**known)
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read; is {folder} a run of hetero?") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputFileError(f"{path}: damaged or of another version; train again") from error


def fingerprint(particles: Particles) -> str:
    """A short word for images by stack, number, box and pixel size; folders may change."""
    names = np.asarray([path.name for path in particles.stacks], object)
    _, number = np.unique(names.astype(str), return_inverse=True)
    digest = hashlib.sha256("\n".join(sorted(set(names))).encode())
    for values in (
        number.ravel()[particles.stack],
        particles.slice_index,
        particles.box_size(),
        np.round(1e4 * particles.pixel_size()),
    ):
        digest.update(np.ascontiguousarray(values, np.int64).tobytes())
    return digest.hexdigest()[:16]


def read_shifts(folder: Path, particles: Particles) -> npt.NDArray[np.float64]:
    """Shifts `(row, 2)` in Å that cached images were centred by.

    Raises:
        InputFileError: If they are damaged or of other images.
    """
    path = folder / SHIFTS_NAME
    try:
        shift_yx = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputFileError(f"{path}: missing or damaged; train again") from error
    if shift_yx.shape != particles.shift_yx.shape or not np.isfinite(shift_yx).all():
        raise InputFileError(
            f"{path}: shifts of shape {shift_yx.shape}, expected {particles.shift_yx.shape}; train "
            "again"
        )
    found: npt.NDArray[np.float64] = shift_yx.astype(np.float64)
    return found


def open_cache(
    folder: Path, particles: Particles, *, device: torch.device | str = "cpu"
) -> PreparedImages | None:
    """The cached images of a folder; None where there are none, or of other particles.

    Raises:
        InputFileError: If what is known of them is damaged.
    """
    path = folder / CACHE_NAME
    if not all((folder / name).is_file() for name in (CACHE_NAME, FACTS_NAME, SHIFTS_NAME)):
        return None
    facts = read_facts(folder)
    if facts.num_images != len(particles) or facts.fingerprint != fingerprint(particles):
        return None
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    samples = len(disc_samples(facts.box_size, facts.radius).index)
    if stored.shape != (len(particles), samples, 2) or stored.dtype != np.float16:
        return None
    shift_yx = read_shifts(folder, particles)
    return PreparedImages(particles, facts, stored, centred_by=shift_yx, device=device)
