"""Maps of the particles whose latents lie near a place: kernel regression beside any model.

Particles are ordered by their distance; nested sets of them are reconstructed, and each shell takes
the set that predicts the nearest particles of the other half set best: many at coarse detail, where
a few would do but all are alike, fewer where more of them would blur.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.core.data.latents import LatentTable, places_of
from icelens.core.errors import MetadataError
from icelens.core.fourier.crop import resize_rfft
from icelens.core.fourier.transforms import volume_from_rfft, volume_rfft
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.metrics.fsc import fourier_shell_correlation, resolution_at
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.linear.posterior import ChannelSums, place_samples
from icelens.tasks.hetero.linear.shell_prior import power_from_halves, shell_correlation, weak_power
from icelens.tasks.hetero.linear.stage_grid import StageGrid
from icelens.tasks.hetero.linear.volume_solver import (
    NormalEquations,
    VolumePrior,
    normal_equations_of,
    solve_volumes,
)
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import PreparedImages

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_STEPS = 30
LEAST_PARTICLES = 20
"""In the smallest set: with fewer nothing can be compared."""
_GROWTH = 2.0
"""Of a set over the next smaller one."""


def latent_distance(table: LatentTable, latent: npt.ArrayLike) -> Floats:
    """How far particles lie from a place, in units of what is known of each.

    The square of the distance is the mean over coordinates of the squared difference over the
    variance of the particle's posterior; without deviations, over that of all latents.

    Raises:
        MetadataError: If the place has another number of coordinates.
    """
    place = np.atleast_1d(np.asarray(latent, np.float64))
    if place.shape != (table.latent_dim,):
        raise MetadataError(
            f"a latent of {place.size} coordinates for latents of {table.latent_dim}; give one "
            "number for each"
        )
    variance = table.deviation**2
    overall = np.maximum(table.latent.var(axis=0), 1e-12)
    # a posterior as narrow as rounding would count one coordinate alone
    variance = np.where(np.isfinite(variance), np.maximum(variance, 1e-4 * overall), overall)
    squared: Floats = ((table.latent - place) ** 2 / variance).mean(axis=1)
    return np.sqrt(squared)


def kernel_half_maps(
    images: PreparedImages,
    table: LatentTable,
    latent: npt.ArrayLike,
    *,
    num_particles: int | None = None,
    prior: Float[Tensor, "n n n"] | None = None,
    tilts: int = 0,
) -> HalfMaps:
    """Reconstruct the particles near a latent in two half sets.

    Args:
        images: Of all particles.
        table: Where they lie; half sets as there, drawn where it does not know them.
        latent: The place.
        num_particles: Size of the set; None lets each shell choose.
        prior: What to fall back to where few particles tell, such as a model's map of the latent;
            the map of all particles if left out. It is the same for both halves, which therefore
            agree where they know nothing: the FSC is that of what they add to it.
        tilts: Images of a tilt series to use, lowest dose first; 0 for all.

    Returns:
        Half maps and map with the prior in them; the FSC and the resolution without.

    Raises:
        MetadataError: If the latents are not those of the images, or too few.
    """
    rows = particle_rows(images.particles, tilts=tilts, seed=0)
    order, half_set = _nearest_first(rows.particle, rows.half_set, table, latent)
    sizes = _set_sizes(len(order), num_particles)
    batches = ParticleBatches(images, rows)
    facts = images.facts
    share = min(facts.mask_diameter / (facts.box_size * facts.pixel_size), 1.0)
    grid = StageGrid(facts.box_size, facts.radius, share, images.device)
    rings = _inserted(batches, grid, order, half_set, sizes)
    expected = _prior_on(grid, prior, rings, facts.independence)
    halves = [_nested(each, grid, expected, facts.independence)[: len(sizes)] for each in rings]
    free = [_free_maps(each, grid) for each in halves]
    chosen = _chosen_sets(grid, free)
    return _together(images, grid, expected, halves, free, chosen)


def _nearest_first(
    particle: Integers, own_half: Integers, table: LatentTable, latent: npt.ArrayLike
) -> tuple[Integers, Integers]:
    """Places of particles in the order of their distance, and the half set of each place."""
    lines = places_of(particle, table.particle)
    if (lines < 0).any() or len(table) < LEAST_PARTICLES:
        raise MetadataError(
            f"latents of {len(table)} particles for images of {len(particle)}, expected those of "
            f"all, and {LEAST_PARTICLES} or more; give the latents of the same run"
        )
    half_set = np.where(table.half_set[lines] > 0, table.half_set[lines], own_half)
    distance = latent_distance(table, latent)[lines]
    return np.argsort(distance, kind="stable"), half_set


def _set_sizes(count: int, wanted: int | None) -> list[int]:
    """Numbers of particles of the nested sets, smallest first."""
    if wanted is not None:
        return [max(LEAST_PARTICLES, min(wanted, count))]
    sizes = [count]
    while sizes[-1] / _GROWTH >= max(2 * LEAST_PARTICLES, count / 50):
        sizes.append(int(sizes[-1] / _GROWTH))
    return sizes[::-1]


def _inserted(
    batches: ParticleBatches,
    grid: StageGrid,
    order: Integers,
    half_set: Integers,
    sizes: list[int],
) -> list[list[ChannelSums]]:
    """Sums of each ring of particles beyond the next smaller set, the last of those beyond all."""
    edges = [0, *sizes, len(order)]
    halves = []
    for half in (1, 2):
        rings = []
        for start, stop in pairwise(edges):
            part = order[start:stop]
            own = np.sort(part[half_set[part] == half])
            sums = ChannelSums(grid, 1)
            for batch in batches.batches(grid.radius, own):
                corners = place_samples(batch, batches.images.samples.frequency_xy, grid)
                ones = torch.ones(len(batch.row), 1, device=grid.device)
                sums.insert(batch, corners, ones, ones[..., None])
            rings.append(sums)
        halves.append(rings)
    return halves


def _prior_on(
    grid: StageGrid,
    prior: Float[Tensor, "n n n"] | None,
    rings: list[list[ChannelSums]],
    independence: float,
) -> Float[Tensor, "1 s s s"]:
    """The prior on the grid of the sums; the map of all particles if there is none."""
    if prior is not None:
        spectrum = resize_rfft(volume_rfft(prior[None].float().to(grid.device)), grid.box_size)
        return grid.narrowed(volume_from_rfft(spectrum, grid.box_size)) * grid.sphere
    equations = []
    for half in rings:
        whole = ChannelSums(grid, 1)
        for ring in half:
            whole.numbers += ring.numbers
        equations.append(normal_equations_of(whole, independence))
    free = [_weakly_solved(each, grid) for each in equations]
    power = power_from_halves(shell_correlation(grid, *free), (equations[0], equations[1]))
    both = _added(equations[0], equations[1])
    return solve_volumes(both, VolumePrior(grid, power, grid.sphere[None]), steps=_STEPS)[0]


def _nested(
    rings: list[ChannelSums],
    grid: StageGrid,
    expected: Float[Tensor, "1 s s s"],
    independence: float,
) -> list[NormalEquations]:
    """Equations for the difference from the prior, of each nested set."""
    sums = ChannelSums(grid, 1)
    found = []
    for ring in rings:
        sums.numbers += ring.numbers
        asked = normal_equations_of(sums, independence)
        right = asked.right - asked.operator(expected)
        found.append(NormalEquations(grid, right, asked.kernel, asked.weight))
    return found


def _free_maps(sets: list[NormalEquations], grid: StageGrid) -> Float[Tensor, "set s s s"]:
    return torch.cat([_weakly_solved(each, grid) for each in sets])


def _weakly_solved(equations: NormalEquations, grid: StageGrid) -> Float[Tensor, "1 s s s"]:
    """The map that the images ask for, with next to no prior."""
    power = weak_power(equations.weight)
    prior = VolumePrior(grid, power, grid.sphere[None])
    return solve_volumes(equations, prior, steps=_STEPS)[0]


def _chosen_sets(grid: StageGrid, free: list[Float[Tensor, "set s s s"]]) -> Int[Tensor, " shell"]:
    """Which set predicts the smallest set of the other half best in each shell.

    References:
        Gilles & Singer, PNAS 122 (2025), on cross-validated bandwidths.
    """
    num_sets, num_shells = len(free[0]), grid.radius + 2
    spectra = [torch.fft.rfftn(each, dim=(1, 2, 3)) for each in free]
    error = torch.zeros(num_sets, num_shells, dtype=torch.float64, device=grid.device)
    shell = grid.shell.flatten()
    for own, other in ((0, 1), (1, 0)):
        miss = (spectra[own] - spectra[other][:1]).abs().square().double().flatten(1)
        for number in range(num_sets):
            error[number] += torch.bincount(shell, miss[number], num_shells)
    # neighbouring shells decide together
    padded = torch.nn.functional.pad(error, (2, 2), mode="replicate")
    smooth = padded.unfold(1, 5, 1).sum(2)
    return smooth.argmin(0)


def _together(
    images: PreparedImages,
    grid: StageGrid,
    expected: Float[Tensor, "1 s s s"],
    halves: list[list[NormalEquations]],
    free: list[Float[Tensor, "set s s s"]],
    chosen: Int[Tensor, " shell"],
) -> HalfMaps:
    """Each shell from its set, with the power that the halves agree on."""
    correlation = torch.stack(
        [
            shell_correlation(grid, one[None], other[None])[0]
            for one, other in zip(free[0], free[1], strict=True)
        ]
    )
    solved: list[list[Tensor]] = [[], [], []]
    for number, (first, second) in enumerate(zip(halves[0], halves[1], strict=True)):
        power = power_from_halves(correlation[number : number + 1], (first, second))
        prior = VolumePrior(grid, power, grid.sphere[None])
        both = _added(first, second)
        for place, asked in enumerate((first, second, both)):
            solved[place].append(solve_volumes(asked, prior, steps=_STEPS)[0])
    maps = [_mixed(grid, torch.cat(each), chosen) for each in solved]
    added = [_on_images(grid, _mixed(grid, each, chosen), images) for each in free]
    fsc = fourier_shell_correlation(added[0], added[1], pixel_size=images.pixel_size)
    half_1, half_2, full = (_on_images(grid, expected + each, images) for each in maps)
    return HalfMaps(half_1, half_2, full, fsc, resolution_at(fsc, 0.143))


def _added(first: NormalEquations, second: NormalEquations) -> NormalEquations:
    return NormalEquations(
        first.grid,
        first.right + second.right,
        first.kernel + second.kernel,
        first.weight + second.weight,
    )


def _mixed(
    grid: StageGrid, sets: Float[Tensor, "set s s s"], chosen: Int[Tensor, " shell"]
) -> Float[Tensor, "1 s s s"]:
    """A map that has each shell from the set that was chosen for it."""
    spectra = torch.fft.rfftn(sets, dim=(1, 2, 3))
    which = chosen[grid.shell][None]
    mixed = torch.gather(spectra, 0, which)
    space: Tensor = torch.fft.irfftn(mixed, s=tuple(sets.shape[1:]), dim=(1, 2, 3))
    return space


def _on_images(
    grid: StageGrid, volume: Float[Tensor, "1 s s s"], images: PreparedImages
) -> Float[Tensor, "n n n"]:
    spectrum = resize_rfft(volume_rfft(grid.widened(volume)), images.box_size)
    return volume_from_rfft(spectrum, images.box_size)[0]
