"""Refine poses locally: a ball of rotations at low resolution, the best few climbed to the top."""

import copy
import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.geometry.so3_ball import rotation_from_vector, so3_ball
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.refinement.climb import Candidates, climb, examined
from icelens.core.refinement.coarse_resolution import coarse_radius
from icelens.core.refinement.matched import Images
from icelens.core.refinement.modes import best_distinct, entropy, ranked
from icelens.core.refinement.reference import (
    NEAREST_PADDING,
    TRILINEAR_PADDING,
    masked_reference,
    slice_table,
)
from icelens.core.refinement.refined import Refined, ranked_poses
from icelens.core.refinement.refiner_settings import RefinerSettings
from icelens.core.refinement.samples import disc_samples
from icelens.core.refinement.search import search, shift_grid


class Refiner:
    """A reference, ready to refine the poses of images of one box and pixel size."""

    def __init__(
        self,
        reference: Float[Tensor, "n n n"],
        *,
        pixel_size: float,
        noise_power: Float[Tensor, " shell"],
        settings: RefinerSettings,
        magnification: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 1.0),
        device: torch.device | str = "cpu",
    ) -> None:
        """Lay out the reference at both resolutions.

        Args:
            reference: Map in the images' box, protein bright.
            pixel_size: Of map and images, in Å.
            noise_power: Mean |N|^2 of the noise's transform in each shell (`noise_spectrum`).
            settings: The search.
            magnification: Rows of the matrix of an anisotropic magnification, RELION's `rlnMat`.
            device: Where to compute.

        Raises:
            GeometryError: If map, noise and settings do not fit together.
            MetadataError: If there is no such symmetry.
        """
        box_size = reference.shape[-1]
        self.settings = settings
        self.pixel_size = pixel_size
        self.operators = symmetry_operators(settings.symmetry).to(device)
        # images repeat at their edges: farther than half a box there is nothing new
        self.max_shift_px = min(settings.max_shift / pixel_size, 0.5 * reference.shape[-1])
        reference = reference.to(device, torch.float32)
        if settings.mask_diameter is not None:
            reference = masked_reference(reference, settings.mask_diameter / pixel_size)
        size = box_size * pixel_size
        finest = settings.max_resolution or 0.0
        wanted = box_size // 2 if finest <= 2.0 * pixel_size else int(size / finest + 1e-6)
        self.samples = disc_samples(box_size, wanted, device=device)
        self.noise_power = _checked_noise(noise_power, self.samples.radius).to(device)
        self.coarse_radius = coarse_radius(reference, size, self.samples.radius, settings)
        self.magnification = torch.tensor(magnification, device=device).view(2, 2)
        reach = max(1.0, float(torch.linalg.matrix_norm(self.magnification, 2)))
        self.fine = slice_table(
            reference,
            radius=_reached(self.samples.radius, reach),
            padding=TRILINEAR_PADDING,
            is_linear=True,
        )
        self.coarse = slice_table(
            reference,
            radius=_reached(self.coarse_radius, reach),
            padding=NEAREST_PADDING,
            is_linear=False,
        )
        self.ball = so3_ball(settings.angular_range, settings.angular_step).to(device)

    def with_noise(self, noise_power: Float[Tensor, " shell"]) -> "Refiner":
        """The same reference, sharing its tables, for images with other noise."""
        other = copy.copy(self)
        other.noise_power = _checked_noise(noise_power, self.samples.radius).to(
            self.noise_power.device
        )
        return other

    def refine(
        self,
        image_rfft: Complex[Tensor, "b y x_half"],
        ctf: Float[Tensor, "b y x_half"],
        rotation: Float[Tensor, "b k 3 3"],
        shift_yx_px: Float[Tensor, "b k 2"],
        top_k: int = 1,
    ) -> Refined:
        """Refine single images, each from any number of poses to any number of poses.

        Args:
            image_rfft: Transforms of whole images about their centre (`image_rfft`), unmasked: a
                mask would cut off what the CTF spread beyond it.
            ctf: Transfer at the same samples.
            rotation: Given poses.
            shift_yx_px: Their shifts.
            top_k: Poses to return for each image.

        Raises:
            GeometryError: If shapes do not fit the reference.
        """
        shift = torch.nn.functional.pad(shift_yx_px.flip(-1), (0, 1))
        images = self._images(image_rfft[:, None], ctf[:, None], None, None)
        return self._refined(images, rotation, shift, top_k)

    def refine_series(
        self,
        image_rfft: Complex[Tensor, "b image y x_half"],
        ctf: Float[Tensor, "b image y x_half"],
        stage: Float[Tensor, "b image 3 3"],
        shift_yx_px: Float[Tensor, "b image 2"],
        rotation: Float[Tensor, "b k 3 3"],
        top_k: int = 1,
    ) -> Refined:
        """Refine particles that were imaged several times: one pose and one shift in space.

        Args:
            image_rfft: As for `refine`; a missing image of a particle has a `ctf` of zeros.
            ctf: Transfer, with the falling weight of later tilts.
            stage: Takes each particle's frame to that of the image.
            shift_yx_px: Known shift of each image; what is found is added to it.
            rotation: Given poses: they take the reference to the particle's frame.
            top_k: Poses to return for each particle.
        """
        images = self._images(image_rfft, ctf, stage, shift_yx_px.flip(-1))
        none = rotation.new_zeros(*rotation.shape[:2], 3)
        return self._refined(images, rotation, none, top_k)

    def _images(
        self,
        image_rfft: Complex[Tensor, "b image y x_half"],
        ctf: Float[Tensor, "b image y x_half"],
        stage: Tensor | None,
        shift_xy: Tensor | None,
    ) -> Images:
        box_size = self.samples.box_size
        expected = (box_size, box_size // 2 + 1)
        if image_rfft.shape[-2:] != expected or ctf.shape != image_rfft.shape:
            raise GeometryError(
                f"images have {tuple(image_rfft.shape[-2:])} samples and their CTF "
                f"{tuple(ctf.shape[-2:])}, the reference expects {expected}; resample the map"
            )
        weight = (2.0 / self.noise_power[self.samples.shell]).sqrt()
        transfer = self.samples.of(ctf) * weight
        image = self.samples.of(image_rfft) * weight
        if shift_xy is None:
            shift_xy = weight.new_zeros(*image.shape[:2], 2)
        return Images(
            image,
            torch.complex(transfer, transfer),
            self.samples.frequency_xy,
            self.magnification @ self.samples.frequency_xy,
            box_size,
            shift_xy,
            stage,
        )

    def _refined(
        self,
        images: Images,
        rotation: Float[Tensor, "b k 3 3"],
        shift_xyz: Float[Tensor, "b k 3"],
        top_k: int,
    ) -> Refined:
        if top_k < 1 or rotation.shape[1] < 1:
            raise GeometryError(
                f"{rotation.shape[1]} poses of each image in and {top_k} out; expected 1 or more"
            )
        num = len(images.image)
        step_rad = float(torch.deg2rad(torch.tensor(self.settings.angular_step)))
        low = images.first(self.samples.count(self.coarse_radius))
        seeds, spread = self._searched(low, rotation, shift_xyz, top_k, step_rad)
        seeds = self._climbed(low, seeds, rotation, iterations=6)
        finalists = best_distinct(
            seeds,
            num,
            keep=max(self.settings.num_finalists, top_k),
            separation_rad=0.5 * step_rad,
            operators=self.operators,
        )
        found = self._climbed(images, finalists, rotation)
        given = examined(self.fine, images, _given(rotation, shift_xyz, images.num_parameters))
        found = Candidates.joined(self._overlooked(images, given, found, rotation), found)
        return ranked_poses(
            found,
            images,
            spread,
            top_k=top_k,
            separation_rad=0.25 * step_rad,
            operators=self.operators,
        )

    def _climbed(
        self,
        images: Images,
        poses: Candidates,
        rotation: Float[Tensor, "b k 3 3"],
        iterations: int = 10,
    ) -> Candidates:
        # rotations that were tried stand for what lies up to a step around them
        reach = self.settings.angular_range + self.settings.angular_step
        return climb(
            self.fine,
            images,
            poses,
            iterations=iterations,
            max_shift_px=self.max_shift_px,
            given=rotation,
            max_turn_rad=math.radians(reach),
        )

    def _overlooked(
        self,
        images: Images,
        given: Candidates,
        found: Candidates,
        rotation: Float[Tensor, "b k 3 3"],
    ) -> Candidates:
        """The best given pose, improved, of particles for which nothing better was found.

        The result is then never less likely than what was given.
        """
        num = len(images.image)
        number, _ = ranked(given, num)
        best = given.take(number[:, 0])
        top, _ = ranked(found, num)
        return self._climbed(images, best.take(best.score >= found.score[top[:, 0]]), rotation)

    def _searched(
        self,
        low: Images,
        rotation: Float[Tensor, "b k 3 3"],
        shift_xyz: Float[Tensor, "b k 3"],
        top_k: int,
        step_rad: float,
    ) -> tuple[Candidates, Float[Tensor, " b"]]:
        """The best few candidates of the ball round each pose, and the posterior's entropy."""
        num = len(rotation)
        shifts = shift_grid(
            self.max_shift_px,
            self.samples.box_size / self.coarse_radius,
            num_axes=low.num_parameters - 3,
        ).to(rotation.device)
        score, place = search(self.coarse, low, rotation, shift_xyz, ball=self.ball, shifts=shifts)
        score, place = score.flatten(1), place.flatten(1)
        keep = max(self.settings.num_seeds, top_k + 1)
        best = score.topk(min(5 * keep, score.shape[1]), dim=1).indices
        start, point = best // len(self.ball), best % len(self.ball)
        row = torch.arange(num, device=best.device)[:, None].expand_as(best)
        centre = shift_xyz[row, start]
        seeds = Candidates(
            row.flatten(),
            start.flatten(),
            (rotation_from_vector(self.ball[point]) @ rotation[row, start]).flatten(0, 1),
            (centre + shifts[place.gather(1, best)]).flatten(0, 1),
            centre.flatten(0, 1),
            score.gather(1, best).flatten(),
            _no_gram(best.numel(), low.num_parameters, best.device),
        )
        chosen = best_distinct(
            seeds, num, keep=keep, separation_rad=1.2 * step_rad, operators=self.operators
        )
        return chosen, entropy(score)


def _given(
    rotation: Float[Tensor, "b k 3 3"], shift_xyz: Float[Tensor, "b k 3"], num_parameters: int
) -> Candidates:
    num, num_starts = rotation.shape[:2]
    device = rotation.device
    return Candidates(
        torch.arange(num, device=device).repeat_interleave(num_starts),
        torch.arange(num_starts, device=device).repeat(num),
        rotation.flatten(0, 1),
        shift_xyz.flatten(0, 1),
        shift_xyz.flatten(0, 1),
        torch.zeros(num * num_starts, device=device),
        _no_gram(num * num_starts, num_parameters, device),
    )


def _no_gram(num: int, num_parameters: int, device: torch.device) -> Tensor:
    return torch.zeros((), device=device).expand(num, num_parameters + 2, num_parameters + 2)


def _checked_noise(noise_power: Float[Tensor, " shell"], radius: int) -> Float[Tensor, " shell"]:
    if len(noise_power) <= radius:
        raise GeometryError(
            f"the noise is known for {len(noise_power)} shells, expected {radius + 1}"
        )
    used = noise_power[1 : radius + 1]
    if not bool((torch.isfinite(used) & (used > 0)).all()):
        raise GeometryError("the power of the noise is not positive in every shell; expected > 0")
    return noise_power.float()


def _reached(radius: int, stretch: float) -> int:
    """Samples from the centre that slices touch under a magnification."""
    return int(radius * stretch + 0.999)
