"""A structure from random poses: expectation and maximisation on small batches, coarse to fine.

Each step compares a batch of images with the map of the batches before it on a grid of all
rotations, and inserts them at their likeliest poses; older batches are slowly forgotten. Images are
inserted somewhat beyond the resolution at which they are compared. Where the two half sets agree
there, they do so by themselves, and the comparison goes on to that resolution.

References:
    Dempster, Laird & Rubin, J. R. Stat. Soc. B 39 (1977); Punjani et al., Nat. Methods 14 (2017),
    section "Ab initio"; Barnett et al., SIAM J. Imaging Sci. 10 (2017), on frequency
    marching.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import CheckpointError
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves
from icelens.core.geometry.rotations import random_rotations
from icelens.core.pose_search.grid_search import RotationGrid, grid_scores
from icelens.core.pose_search.pose_candidates import PoseCandidates
from icelens.core.pose_search.series_images import SeriesImages
from icelens.core.refinement.reference import slice_table
from icelens.core.refinement.search import shift_grid
from icelens.tasks.hetero.abinitio.expected_sums import insert_expected
from icelens.tasks.hetero.abinitio.search_images import SearchImages

Integers = npt.NDArray[np.int64]

GRID_ORDER = 2
"""15 degrees."""
_FIRST_SHARE, _LAST_SHARE = 0.5, 0.28
"""Wavelengths in radii of the particle: where to begin, and what 15 degrees can tell apart."""
_LEAST_SHELL = 4
_BEYOND = 3
"""Shells inserted beyond those that are compared."""
_AGREED = 0.3
"""Correlation of the half sets beyond the compared shells that lets the comparison go on."""
_WAIT = 6
"""Steps between two increases of resolution."""
_FIRST_POSES = 4
"""Random poses of each image of the first batch: their mean is a blob with some shape."""


@dataclass(frozen=True)
class MarchSettings:
    """How a structure is searched from nothing.

    Attributes:
        batch_size: Particles in a step.
        iterations: Steps.
        num_poses: Likeliest poses of each particle that are inserted.
        memory: What is left of the sums of earlier batches after each step.
        max_shift: How far particles may lie off the centre, in Å.
        seed: Of everything drawn.
    """

    batch_size: int = 200
    iterations: int = 60
    num_poses: int = 8
    memory: float = 0.8
    max_shift: float = 15.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class MarchState:
    """Where a march is.

    Attributes:
        sums: Of both half sets.
        density: Their map, within the mask.
        radius: Shell up to which images are compared.
        iteration: Steps that were done.
        grown: Step of the last increase of the radius.
    """

    sums: tuple[SliceSums, SliceSums]
    density: Float[Tensor, "n n n"]
    radius: int
    iteration: int = 0
    grown: int = 0

    def tensors(self) -> dict[str, Tensor]:
        """All that a file has to keep, besides `numbers`."""
        return {
            "sums_1": self.sums[0].values,
            "sums_2": self.sums[1].values,
            "density": self.density,
        }

    def numbers(self) -> dict[str, int]:
        """The rest."""
        return {"radius": self.radius, "iteration": self.iteration, "grown": self.grown}


class March:
    """Steps towards a structure; each is a function of the state and the settings alone."""

    def __init__(self, images: SearchImages, settings: MarchSettings, *, start: int) -> None:
        """Prepare for one start.

        Args:
            images: All images at low resolution.
            settings: How to search.
            start: Number of the start: each draws its own batches and first poses.
        """
        self.images, self.settings, self.start = images, settings, start
        self.grid = RotationGrid.of_order(GRID_ORDER, device=images.device)
        self.first_radius, self.last_radius = shells_of(images)

    def begin(self) -> MarchState:
        """The map of the first batch at random poses."""
        size = self.images.grid.box_size
        sums = tuple(SliceSums(size, device=self.images.device) for _ in range(2))
        state = MarchState(
            (sums[0], sums[1]),
            torch.zeros((size,) * 3, device=self.images.device),
            self.first_radius,
        )
        chosen = self._batch(0)
        generator = self._generator(0)
        shape = (len(chosen), _FIRST_POSES)
        rotation = random_rotations(shape[0] * shape[1], generator).view(*shape, 3, 3)
        nowhere = torch.zeros(*shape, 3)
        poses = PoseCandidates(rotation, nowhere, torch.zeros(shape))
        return self._inserted(state, chosen, _on(poses, self.images.device))[0]

    def again(self, tensors: dict[str, Tensor], numbers: dict[str, int]) -> MarchState:
        """A state as it was stored.

        Raises:
            CheckpointError: If it is of other images.
        """
        state = self.begin()
        for own, name in zip(state.sums, ("sums_1", "sums_2"), strict=True):
            if tensors[name].shape != own.values.shape:
                raise CheckpointError(
                    "the state of this run is of another box; begin anew with --overwrite"
                )
            own.values = tensors[name].to(own.values)
        return MarchState(state.sums, tensors["density"].to(state.density), **numbers)

    def step(self, state: MarchState) -> tuple[MarchState, HalfMaps]:
        """Compare and insert one batch; the sums of the given state are used up."""
        chosen = self._batch(state.iteration)
        whole = self.images.series(chosen, radius=self._inserted_radius(state.radius))
        low = whole.first(self.images.samples.count(state.radius))
        turn = random_rotations(1, self._generator(state.iteration))[0]
        poses = global_poses(
            state.density,
            low,
            self.grid.turned(turn),
            radius=state.radius,
            max_shift=self.settings.max_shift,
            keep=self.settings.num_poses,
            extent=self.images.extent,
        )
        for own in state.sums:
            own.values *= self.settings.memory
        return self._inserted(state, chosen, poses, whole)

    def _inserted(
        self,
        state: MarchState,
        chosen: Integers,
        poses: PoseCandidates,
        whole: SeriesImages | None = None,
    ) -> tuple[MarchState, HalfMaps]:
        images = self.images
        if whole is None:
            whole = images.series(chosen, radius=self._inserted_radius(state.radius))
        insert_expected(state.sums, whole, images.samples, poses, images.half_set_of(chosen))
        halves = reconstruct_halves(
            *state.sums, pixel_size=images.grid.pixel_size, mask=images.mask
        )
        radius, grown = state.radius, state.grown
        is_due = state.iteration - grown >= _WAIT and radius < self.last_radius
        if is_due and float(halves.fsc.correlation[radius + 1]) > _AGREED:
            radius, grown = radius + 1, state.iteration
        density = halves.full * images.mask
        return MarchState(state.sums, density, radius, state.iteration + 1, grown), halves

    def _inserted_radius(self, radius: int) -> int:
        return min(radius + _BEYOND, self.images.grid.radius)

    def _generator(self, iteration: int) -> torch.Generator:
        entropy = [self.settings.seed, self.start, iteration]
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        return torch.Generator().manual_seed(seed)

    def _batch(self, iteration: int) -> Integers:
        """Particles of a step: all are used once before any is used again."""
        count = len(self.images.rows)
        size = min(self.settings.batch_size, count)
        per_round = count // size
        number, place = divmod(iteration, per_round)
        order = np.random.default_rng([self.settings.seed, self.start, number]).permutation(count)
        return np.sort(order[place * size : (place + 1) * size])


def shells_of(images: SearchImages) -> tuple[int, int]:
    """Shells at which a march begins, and which the grid of rotations can tell apart."""
    particle_radius = 0.5 * images.diameter
    finest = min(
        images.grid.radius - 1, math.floor(images.extent / (_LAST_SHARE * particle_radius))
    )
    first = max(_LEAST_SHELL, round(images.extent / (_FIRST_SHARE * particle_radius)))
    return min(first, finest), max(finest, 1)


def global_poses(
    density: Float[Tensor, "n n n"],
    images: SeriesImages,
    grid: RotationGrid,
    *,
    radius: int,
    max_shift: float,
    keep: int,
    extent: float,
) -> PoseCandidates:
    """The likeliest poses of particles among all rotations and shifts.

    Args:
        density: The reference.
        images: Up to shell `radius`.
        grid: Rotations to try.
        radius: Finest shell.
        max_shift: In Å.
        keep: Poses of each particle.
        extent: Width of the reference's box in Å.
    """
    table = slice_table(density, radius=radius, padding=4, is_linear=False)
    shifts = shift_grid(max_shift, extent / radius, num_axes=3 if images.is_tilted else 2)
    shifts = shifts.to(density.device)
    found = []
    for _, scores in grid_scores(table, images, grid, shifts):
        score, place = scores.flatten(1).topk(keep, dim=1)
        shift, rotation = place // len(grid.rotation), place % len(grid.rotation)
        found.append((grid.rotation[rotation], shifts[shift], score))
    return PoseCandidates(*(torch.cat(each) for each in zip(*found, strict=True)))


def _on(poses: PoseCandidates, device: torch.device) -> PoseCandidates:
    return PoseCandidates(*(each.to(device) for each in vars(poses).values()))
