"""Fit the linear model by expectation and maximisation, coarse detail first, in two half sets.

Each half set has mean and components of its own, turned so that they agree; what agrees in a shell
says how much power to expect there. At the end both are put together.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.core.events import OnEvent, Progress
from icelens.tasks.hetero.linear.encode import coefficients_of, of_particles
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.linear.posterior import (
    ChannelSums,
    Coefficients,
    normal_equations,
    place_samples,
    predicted,
)
from icelens.tasks.hetero.linear.shell_prior import (
    extended,
    power_from_halves,
    shell_correlation,
    weak_power,
)
from icelens.tasks.hetero.linear.stage_grid import StageGrid
from icelens.tasks.hetero.linear.subspace import (
    Subspace,
    aligning_turn,
    principal_turn,
    standardised,
)
from icelens.tasks.hetero.linear.volume_solver import (
    NormalEquations,
    VolumePrior,
    normal_equations_of,
    solve_volumes,
)

Integers = npt.NDArray[np.int64]
Pair = tuple[Subspace, Subspace]

_FIRST_RADIUS = 8
"""Shells of the first stage, in which most of the signal is and little of the work."""
_GROWTH = 1.5
_FREE_ROUNDS = 8
"""Rounds before the agreement of the halves is believed: components must have formed."""
_FIRST_ROUNDS = 4
"""Rounds of the first stage after that."""
_LATER_ROUNDS = 2
_STEPS = 8
"""Of conjugate gradients in a round, which starts where the last one ended."""
_LAST_STEPS = 25
_START = 0.05
"""Power of a component at the start, over that of the mean."""
LEAST_AGREEMENT = 0.5
"""Correlation of the halves below which a component is noise. Of random volumes the best
combinations correlate with the root of their number over that of the coarse voxels, twice."""
_SETTLING = 3
"""Times that latents are brought to a variance of 1 at the end."""
_MOST_CONTRAST = 0.3
"""Deviation of the contrast that is believed; more is heterogeneity."""
_PROMISING = 0.4
"""The same while components are still forming."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What came out.

    Attributes:
        whole: The model of all images.
        halves: Mean and components of each half set at the latents of the whole.
        coefficients: Of all particles under the whole model.
        prior: What was expected of mean and components.
        agreement: `(component,)` correlation of all the halves' components that were tried.
        eigenvalues: `(component,)` squared norm of those.
        kept: Places of those that were kept.
    """

    whole: Subspace
    halves: tuple[Subspace, Subspace]
    coefficients: Coefficients
    prior: VolumePrior
    agreement: Float[Tensor, " component"]
    eigenvalues: Float[Tensor, " component"]
    kept: tuple[int, ...]


class LinearFit:
    """Fits a model to batches of images."""

    def __init__(
        self,
        batches: ParticleBatches,
        *,
        contrast_std: float,
        seed: int,
        on_event: OnEvent,
    ) -> None:
        """Take the images."""
        self.batches = batches
        self.facts = batches.images.facts
        self.members = tuple(np.flatnonzero(batches.rows.half_set == h) for h in (1, 2))
        self.contrast_std = contrast_std
        self.seed = seed
        self.on_event = on_event

    def grid(self, radius: int) -> StageGrid:
        """The grid of a stage."""
        width = self.facts.box_size * self.facts.pixel_size
        diameter = min(self.facts.mask_diameter / width, 1.0)
        return StageGrid(self.facts.box_size, radius, diameter, self.batches.images.device)

    def expect(
        self, space: Subspace, particles: Integers | None
    ) -> tuple[ChannelSums, Coefficients]:
        """Coefficients of particles, and the sums that volumes are made of."""
        grid = space.grid
        sums = ChannelSums(grid, len(space.volumes))
        table = grid.table(space.volumes)
        count = self.batches.num_particles
        channels = len(space.volumes)
        mean = torch.zeros(count, channels, dtype=torch.float64, device=grid.device)
        covariance = torch.zeros(count, channels, channels, dtype=torch.float64, device=grid.device)
        for batch in self.batches.batches(grid.radius, particles):
            corners = place_samples(batch, self.batches.images.samples.frequency_xy, grid)
            terms = normal_equations(predicted(table, batch, corners), batch)
            own, found = of_particles(space, terms, batch.owner, self.batches)
            mean[own], covariance[own] = found.mean, found.covariance
            owner = batch.owner
            moments = covariance[owner] + mean[owner, :, None] * mean[owner, None, :]
            sums.insert(batch, corners, mean[owner], moments)
        return sums, Coefficients(mean, covariance)

    def run(self, num_components: int) -> Fit:
        """Fit mean and components, leave out what does not agree between the halves."""
        radii = stage_radii(self.facts.radius)
        pair, power = self._start(self.grid(radii[0]), num_components)
        num_rounds = _FREE_ROUNDS + _FIRST_ROUNDS + _LATER_ROUNDS * (len(radii) - 1) + 2
        done = 0

        def turn(*, is_measured: bool) -> None:
            nonlocal pair, power, done
            pair, power = self._round(pair, power, is_measured=is_measured)
            done += 1
            self.on_event(Progress("components", done, num_rounds, "round"))

        for _ in range(_FREE_ROUNDS):
            turn(is_measured=False)
        tried, eigenvalues = agreement(*pair), _eigenvalues(*pair)
        kept = _kept(tried >= _PROMISING)
        pair, power = _chosen(pair, power, kept)
        for _ in range(_FIRST_ROUNDS):
            turn(is_measured=True)
        # without the others what is left has come clear
        tried[kept] = agreement(*pair)
        places = _kept(tried[kept] >= LEAST_AGREEMENT)
        pair, power = _chosen(pair, power, places)
        kept = kept[places]
        for radius in radii[1:]:
            grid = self.grid(radius)
            power = extended(power, radius)
            pair = (_on_grid(pair[0], grid), _on_grid(pair[1], grid))
            for _ in range(_LATER_ROUNDS):
                turn(is_measured=True)
        whole, halves, coefficients, prior = self._together(pair, power)
        self.on_event(Progress("components", num_rounds, num_rounds, "round"))
        return Fit(whole, halves, coefficients, prior, tried, eigenvalues, tuple(kept.tolist()))

    def _equations(self, sums: ChannelSums) -> NormalEquations:
        return normal_equations_of(sums, self.facts.independence)

    def _start(self, grid: StageGrid, num_components: int) -> tuple[Pair, Tensor]:
        """A mean of each half and random components."""
        empty = torch.zeros(1, *(grid.support_size,) * 3, device=grid.device)
        nothing = Subspace(grid, empty, empty, 0.0)
        equations = tuple(self._equations(self.expect(nothing, m)[0]) for m in self.members)
        # next to no prior tells how far the halves agree
        weak = weak_power(equations[0].weight)
        free = VolumePrior(grid, weak, grid.sphere[None])
        rough = [solve_volumes(each, free, steps=_LAST_STEPS)[0] for each in equations]
        power = power_from_halves(shell_correlation(grid, *rough), (equations[0], equations[1]))
        prior = VolumePrior(grid, power, grid.sphere[None])
        first, second = (solve_volumes(each, prior, steps=_LAST_STEPS) for each in equations)
        power = torch.cat([power, (_START * power).expand(num_components, -1)])
        pair = []
        for half, (volumes, white) in enumerate((first, second)):
            # each half begins with its own: what is left of a common start would agree
            generator = torch.Generator().manual_seed(2 * self.seed + half)
            shape = (num_components, *white.shape[1:])
            drawn = torch.randn(shape, generator=generator).to(grid.device)
            random = VolumePrior(grid, power[1:], grid.sphere[None]).made(drawn)
            channels = torch.cat([volumes, random])
            pair.append(Subspace(grid, channels, torch.cat([white, drawn]), self.contrast_std))
        return (pair[0], pair[1]), power

    def _round(
        self, pair: Pair, power: Float[Tensor, "channel shell"], *, is_measured: bool
    ) -> tuple[Pair, Float[Tensor, "channel shell"]]:
        """Expectation and maximisation in each half, then turn the halves to each other."""
        found, equations = [], []
        for space, members in zip(pair, self.members, strict=True):
            sums, coefficients = self.expect(space, members)
            asked = self._equations(sums)
            equations.append(asked)
            prior = VolumePrior(space.grid, power, space.grid.sphere[None])
            volumes, white = solve_volumes(asked, prior, space.white, steps=_STEPS)
            fitted = replace(space, volumes=volumes, white=white)
            found.append(self._standardised(fitted, coefficients, members))
        first, second = found
        second = second.turned(aligning_turn(first.products(second)))
        both = first.products(second)
        both = both + both.T + first.products(first) + second.products(second)
        turn = principal_turn(both)
        first, second = first.turned(turn), second.turned(turn)
        if is_measured:
            correlation = shell_correlation(first.grid, first.volumes, second.volumes)
            power = power_from_halves(correlation, (equations[0], equations[1]))
        return (first, second), power

    def _standardised(
        self, space: Subspace, coefficients: Coefficients, members: Integers
    ) -> Subspace:
        mean = coefficients.mean[members].mean(0)
        result = standardised(space, mean, coefficients.second_moment[members].mean(0))
        if self.contrast_std > 0:
            return replace(result, contrast_std=min(result.contrast_std, _MOST_CONTRAST))
        return replace(result, contrast_std=0.0)

    def _together(
        self, pair: Pair, power: Float[Tensor, "channel shell"]
    ) -> tuple[Subspace, Pair, Coefficients, VolumePrior]:
        """The model of all images, and both halves at its latents."""
        grid = pair[0].grid
        prior = VolumePrior(grid, power, grid.sphere[None])
        everyone = np.arange(self.batches.num_particles)
        start = 0.5 * (pair[0].white + pair[1].white)
        whole = pair[0]
        for spaces, steps in ((pair, _STEPS), (None, _LAST_STEPS)):
            models = spaces or (whole, whole)
            parts = [self.expect(s, m) for s, m in zip(models, self.members, strict=True)]
            coefficients = _joined(parts[0][1], parts[1][1])
            halves = [self._equations(sums) for sums, _ in parts] if spaces is None else []
            parts[0][0].numbers += parts[1][0].numbers
            asked = self._equations(parts[0][0])
            volumes, white = solve_volumes(asked, prior, start, steps=steps)
            whole = replace(models[0], volumes=volumes, white=white)
            if spaces is not None:
                whole = self._standardised(whole, coefficients, everyone)
            start = whole.white
        solved = [solve_volumes(each, prior, start, steps=_LAST_STEPS) for each in halves]
        first, second = (replace(whole, volumes=v, white=w) for v, w in solved)
        # expected power makes components smaller, and the latents that fit to them larger
        for _ in range(_SETTLING):
            whole, first, second = (
                _principal(each, whole, coefficients) for each in (whole, first, second)
            )
            coefficients = coefficients_of(whole, self.batches)
        return whole, (first, second), coefficients, prior


def stage_radii(last: int) -> list[int]:
    """Radii of the stages."""
    radii = [min(_FIRST_RADIUS, last)]
    while radii[-1] < last:
        following = round(radii[-1] * _GROWTH)
        radii.append(last if following * 1.2 > last else following)
    return radii


def agreement(first: Subspace, second: Subspace) -> Float[Tensor, " component"]:
    """Correlation of each component between the halves."""
    norms = first.products(first).diagonal() * second.products(second).diagonal()
    return first.products(second).diagonal() / norms.clamp(min=1e-300).sqrt()


def _eigenvalues(first: Subspace, second: Subspace) -> Float[Tensor, " component"]:
    return 0.5 * (first.products(first).diagonal() + second.products(second).diagonal())


def _kept(is_kept: Tensor) -> Int[Tensor, " place"]:
    """Places of components; the first if there are none, since a model has one at least."""
    places: Tensor = is_kept.nonzero()[:, 0]
    return places if len(places) else torch.zeros(1, dtype=torch.int64)


def _chosen(pair: Pair, power: Tensor, places: Tensor) -> tuple[Pair, Tensor]:
    """The mean and these components."""
    channels = torch.cat([torch.zeros_like(places[:1]), 1 + places]).to(power.device)
    first, second = (
        replace(each, volumes=each.volumes[channels], white=each.white[channels]) for each in pair
    )
    return (first, second), power[channels]


def _on_grid(space: Subspace, grid: StageGrid) -> Subspace:
    volumes = grid.taken_from(space.grid, space.volumes)
    # noise of another sampling makes other volumes: the solution starts anew
    return replace(space, grid=grid, volumes=volumes, white=torch.zeros_like(volumes))


def _joined(first: Coefficients, second: Coefficients) -> Coefficients:
    """Of two sets of particles, each zero where the other is not."""
    return Coefficients(first.mean + second.mean, first.covariance + second.covariance)


def _principal(space: Subspace, whole: Subspace, coefficients: Coefficients) -> Subspace:
    """Standardised and turned as the whole model has to be to get orthogonal components."""
    mean = coefficients.mean.mean(0)
    second_moment = coefficients.second_moment.mean(0)
    model = standardised(whole, mean, second_moment)
    turned = standardised(space, mean, second_moment)
    turned = turned.turned(principal_turn(model.products(model)))
    return replace(turned, contrast_std=whole.contrast_std)
