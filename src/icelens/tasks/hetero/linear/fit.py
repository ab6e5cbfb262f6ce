"""Fit the linear model by expectation and maximisation, coarse detail first, in two half sets.

Each half set has mean and components of its own, which know nothing of the other until it has been
tested which of them are more than noise. Those are turned so that they agree; what agrees in a
shell says how much power to expect there. At the end both are put together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.events import OnEvent, Progress
from icelens.tasks.hetero.linear.encode import coefficients_of, of_particles
from icelens.tasks.hetero.linear.half_pair import (
    Pair,
    joined,
    on_grid,
    principal,
    squared_norms,
    with_common_axes,
    with_components,
    with_own_axes,
)
from icelens.tasks.hetero.linear.held_out import (
    LEAST_SCORE,
    gains_beside_own,
    held_out_gains,
    scores,
)
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
from icelens.tasks.hetero.linear.stage_grid import StageGrid, stage_radii
from icelens.tasks.hetero.linear.subspace import Subspace, standardised
from icelens.tasks.hetero.linear.volume_solver import (
    NormalEquations,
    VolumePrior,
    normal_equations_of,
    solve_volumes,
)

Integers = npt.NDArray[np.int64]
GainsOf = Callable[[Subspace, Tensor, ParticleBatches, Integers], Tensor]

_FREE_ROUNDS = 8
"""Rounds in which the halves know nothing of each other, until components have formed."""
_FIRST_ROUNDS = 4
"""Rounds of the first stage after that."""
_LATER_ROUNDS = 2
_STEPS = 8
"""Of conjugate gradients in a round, which starts where the last one ended."""
_LAST_STEPS = 25
_START = 0.05
"""Power of a component at the start, over that of the mean."""
_SETTLING = 3
"""Times that latents are brought to a variance of 1 at the end."""
_MOST_CONTRAST = 0.3
"""Deviation of the contrast that is believed; more is heterogeneity."""


@dataclass(frozen=True, eq=False)
class Tried:
    """The components of the half sets, fitted apart; both sets' likeliest first.

    Attributes:
        gain: What each adds to the log likelihood of a particle of the other half set, in nats.
        score: That over its standard error.
        eigenvalues: Squared norms, in coarse detail.
    """

    gain: Float[Tensor, " component"]
    score: Float[Tensor, " component"]
    eigenvalues: Float[Tensor, " component"]

    @property
    def num_significant(self) -> int:
        """How many are more than noise, before the first that is not."""
        return int((self.score >= LEAST_SCORE).long().cumprod(0).sum())


@dataclass(frozen=True, eq=False)
class Fit:
    """What came out.

    Attributes:
        whole: The model of all images.
        halves: Mean and components of each half set at the latents of the whole.
        coefficients: Of all particles under the whole model.
        prior: What was expected of mean and components.
        tried: All components, and which are more than noise. The model has as many components as
            are, but one if none is.
    """

    whole: Subspace
    halves: tuple[Subspace, Subspace]
    coefficients: Coefficients
    prior: VolumePrior
    tried: Tried


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
        """Fit mean and components, leave out what is no more than noise."""
        radii = stage_radii(self.facts.radius)
        pair, power = self._start(self.grid(radii[0]), num_components)
        num_rounds = _FREE_ROUNDS + _FIRST_ROUNDS + _LATER_ROUNDS * (len(radii) - 1) + 2
        for done in range(_FREE_ROUNDS):
            first, second = self._refitted(pair, power)[0]
            pair = (with_own_axes(first), with_own_axes(second))
            self.on_event(Progress("components", done + 1, num_rounds, "round"))
        tried, pair = self._tested(pair)
        kept = max(1, tried.num_significant)
        pair = with_common_axes(*(with_components(each, torch.arange(kept)) for each in pair))
        power = power[: kept + 1]
        done = _FREE_ROUNDS
        for number, radius in enumerate(radii):
            if number:
                power = extended(power, radius)
                pair = (on_grid(pair[0], self.grid(radius)), on_grid(pair[1], self.grid(radius)))
            for _ in range(_LATER_ROUNDS if number else _FIRST_ROUNDS):
                pair, power = self._round(pair, power)
                done += 1
                self.on_event(Progress("components", done, num_rounds, "round"))
        whole, halves, coefficients, prior = self._together(pair, power)
        self.on_event(Progress("components", num_rounds, num_rounds, "round"))
        return Fit(whole, halves, coefficients, prior, tried)

    def _tested(self, pair: Pair) -> tuple[Tried, Pair]:
        """What components of each half are worth in the other, and the halves in that order."""
        gains = self._cross_gains(held_out_gains, pair, len(pair[0].components))
        order = [scores(each).argsort(descending=True) for each in gains]
        first, second = (with_components(s, o) for s, o in zip(pair, order, strict=True))
        gains = [each[:, o] for each, o in zip(gains, order, strict=True)]
        promising = int((_both(gains) >= LEAST_SCORE).sum())
        if promising:
            # those may be errors of others of their half set
            surer = self._cross_gains(gains_beside_own, (first, second), promising)
            for each, better in zip(gains, surer, strict=True):
                each[:, :promising] = better
        gain = torch.stack([each.mean(0) for each in gains]).mean(0)
        return Tried(gain, _both(gains), squared_norms((first, second)).mean(0)), (first, second)

    def _cross_gains(self, gains_of: GainsOf, pair: Pair, count: int) -> list[Tensor]:
        """Gains of the first components of each half in the other."""
        found = []
        for own, other, members in ((0, 1, self.members[1]), (1, 0, self.members[0])):
            found.append(gains_of(pair[other], pair[own].components[:count], self.batches, members))
        return found

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

    def _refitted(
        self, pair: Pair, power: Float[Tensor, "channel shell"]
    ) -> tuple[Pair, tuple[NormalEquations, NormalEquations]]:
        """Expectation and maximisation in each half by itself, and what its images ask for."""
        found, equations = [], []
        for space, members in zip(pair, self.members, strict=True):
            sums, coefficients = self.expect(space, members)
            asked = self._equations(sums)
            equations.append(asked)
            prior = VolumePrior(space.grid, power, space.grid.sphere[None])
            volumes, white = solve_volumes(asked, prior, space.white, steps=_STEPS)
            fitted = replace(space, volumes=volumes, white=white)
            found.append(self._standardised(fitted, coefficients, members))
        return (found[0], found[1]), (equations[0], equations[1])

    def _round(
        self, pair: Pair, power: Float[Tensor, "channel shell"]
    ) -> tuple[Pair, Float[Tensor, "channel shell"]]:
        """Fit the halves, turn them to each other, and expect the power that they agree on."""
        apart, equations = self._refitted(pair, power)
        first, second = with_common_axes(*apart)
        correlation = shell_correlation(first.grid, first.volumes, second.volumes)
        return (first, second), power_from_halves(correlation, equations)

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
            coefficients = joined(parts[0][1], parts[1][1])
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
                principal(each, whole, coefficients) for each in (whole, first, second)
            )
            coefficients = coefficients_of(whole, self.batches)
        return whole, (first, second), coefficients, prior


def _both(gains: list[Float[Tensor, "particle component"]]) -> Float[Tensor, " component"]:
    """Scores of both halves together: their sum has a variance of 2."""
    together: Tensor = (scores(gains[0]) + scores(gains[1])) / 2**0.5
    return together
