"""Whether components are more than noise: what those of one half set say of images of the other.

Images are likelier under components that are there than under the mean alone, and less likely under
those that were fitted to the noise of other images. Contrast and small errors of poses make
components, too, which are no structure: the mean may turn, move and fade in both comparisons. So do
the errors of other components, which is why these are tested half's own.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.transforms import volume_from_rfft, volume_rfft
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.linear.posterior import normal_equations, place_samples, predicted
from icelens.tasks.hetero.linear.stage_grid import StageGrid
from icelens.tasks.hetero.linear.subspace import Subspace

Integers = npt.NDArray[np.int64]

LEAST_SCORE = 3.0
"""Standard errors by which a component has to raise the likelihood. Components of noise lower it,
mostly by many."""
_MOST_PARTICLES = 50_000
"""Of a half set: more would cost memory and tell the same."""
_VARIANCE = 0.5
"""Of latents on other images. It is 1 on those that a component was made of, whose noise is in
it."""
_ERRORS = (0.1**2, *3 * (0.03**2,), *3 * (0.3**2,))
"""Variances of contrast, turns in radians and moves in px to begin with."""
_ROUNDS = 20
"""In which they are measured."""


@dataclass(frozen=True, eq=False)
class Products:
    """Products of channels' images with one another and with the images, for each particle.

    Attributes:
        gram: With one another, in units of independent noise.
        product: With the images.
    """

    gram: Float[Tensor, "particle channel channel"]
    product: Float[Tensor, "particle channel"]

    def of(self, channels: list[int]) -> "Products":
        """Those of some channels, the mean first."""
        index = torch.tensor(channels, device=self.gram.device)
        return Products(self.gram[:, index][:, :, index], self.product[:, index])


def held_out_gains(
    tested: Subspace,
    components: Float[Tensor, "component s s s"],
    batches: ParticleBatches,
    particles: Integers,
) -> Float[Tensor, "particle component"]:
    """What each component adds to the log likelihood of particles, after those before it.

    Args:
        tested: The model of these particles, for its mean.
        components: Made of other particles.
        batches: Images.
        particles: Places of those to look at.

    Returns:
        In nats.
    """
    trial = _Trial.of(tested, components, batches, particles)
    places = list(range(trial.num_errors, trial.num_errors + len(components)))
    found = [trial.evidence(places[:count]) for count in range(len(places) + 1)]
    return torch.stack(found, dim=1).diff(dim=1)


def gains_beside_own(
    tested: Subspace,
    components: Float[Tensor, "component s s s"],
    batches: ParticleBatches,
    particles: Integers,
) -> Float[Tensor, "particle component"]:
    """What the first so many components add to one component fewer of the particles' own model.

    If that many are there, one direction is left that their own model lacks. Components that only
    mend the errors of others of their half set are worth nothing here.

    Args:
        tested: The model of these particles, components in the order in which they are tested.
        components: Made of other particles, in that order.
        batches: Images.
        particles: Places of those to look at.

    Returns:
        In nats.
    """
    own, count = tested.components, len(components)
    new = torch.stack([_lacking(own[:k], components[: k + 1]) for k in range(count)])
    trial = _Trial.of(tested, torch.cat([own[: count - 1], new]), batches, particles)
    first = trial.num_errors
    places = list(range(first, first + count - 1))
    found = []
    for k in range(count):
        before = places[:k]
        with_new = trial.evidence([*before, first + count - 1 + k], own=k)
        found.append(with_new - trial.evidence(before, own=k))
    return torch.stack(found, dim=1)


def _lacking(
    own: Float[Tensor, "component s s s"], components: Float[Tensor, "other s s s"]
) -> Float[Tensor, "s s s"]:
    """The combination of components that is orthogonal to one fewer of others."""
    if not len(own):
        return components[0]
    products = own.flatten(1).double() @ components.flatten(1).double().T
    mixture = torch.linalg.svd(products)[2][-1]
    return torch.einsum("k,kzyx->zyx", mixture.to(components), components)


@dataclass(frozen=True, eq=False)
class _Trial:
    """Products of all channels, and the variances of what mean and poses may do by themselves."""

    products: Products
    errors: Float[Tensor, " error"]

    @staticmethod
    def of(
        tested: Subspace, channels: Tensor, batches: ParticleBatches, particles: Integers
    ) -> "_Trial":
        """Look at the images of particles, a sample of them if they are many."""
        if len(particles) > _MOST_PARTICLES:
            spread = np.linspace(0, len(particles) - 1, _MOST_PARTICLES).astype(np.int64)
            particles = particles[spread]
        mean = tested.volumes[:1]
        volumes = torch.cat([mean, pose_errors(tested.grid, mean[0]), channels])
        products = _products(volumes, tested.grid, batches, particles)
        return _Trial(products, _error_variances(products.of(list(range(len(_ERRORS))))))

    @property
    def num_errors(self) -> int:
        """Channels of mean and poses, which come first."""
        return len(_ERRORS)

    def evidence(self, channels: list[int], *, own: int = 0) -> Float[Tensor, " particle"]:
        """Log of the marginal likelihood with these channels, some of them the tested ones."""
        variance = self.errors.new_full((len(channels),), _VARIANCE)
        variance[:own] = 1.0
        chosen = self.products.of([*range(self.num_errors), *channels])
        return evidence(chosen, torch.cat([self.errors, variance]))


def scores(gains: Float[Tensor, "particle component"]) -> Float[Tensor, " component"]:
    """Means of gains over their standard errors; 0 where nothing was gained or lost."""
    if len(gains) < 2:
        return gains.new_zeros(gains.shape[1])
    error = gains.std(0) / len(gains) ** 0.5
    return torch.where(error > 0, gains.mean(0) / error.clamp(min=1e-300), 0.0)


def pose_errors(grid: StageGrid, mean: Float[Tensor, "s s s"]) -> Float[Tensor, "error s s s"]:
    """How a volume changes as it turns about x, y and z (by 1 rad) and moves along them (1 px)."""
    size = grid.support_size
    spectrum = volume_rfft(mean)
    full = torch.fft.fftfreq(size, device=grid.device)
    half = torch.fft.rfftfreq(size, device=grid.device)
    # the phase of the Nyquist frequency is not known
    full[size // 2], half[-1] = 0.0, 0.0
    axes = (full[:, None, None], full[:, None], half)
    slopes = [volume_from_rfft(2j * torch.pi * each * spectrum, size) for each in axes]
    along_z, along_y, along_x = slopes
    line = torch.arange(size, device=grid.device).float() - size // 2
    z, y, x = line[:, None, None], line[:, None], line
    turns = [y * along_z - z * along_y, z * along_x - x * along_z, x * along_y - y * along_x]
    # a density that moves up an axis falls where it rises along it
    return -torch.stack([*turns, along_x, along_y, along_z])


def evidence(products: Products, variance: Float[Tensor, " channel"]) -> Float[Tensor, " particle"]:
    """Log of the marginal likelihood of each particle over that of the mean, in nats.

    Args:
        products: The mean's first.
        variance: Of the channels' coefficients; that of the mean lies about 1, the others about 0.
    """
    left, factor = _whitened(products, variance)
    solved = torch.cholesky_solve(left[..., None], factor)[..., 0]
    log_det = 2.0 * factor.diagonal(dim1=1, dim2=2).log().sum(1)
    return 0.5 * ((left * solved).sum(1) - log_det)


def _whitened(products: Products, variance: Tensor) -> tuple[Tensor, Tensor]:
    """What is left of the images beside the mean, and the root of the posterior's precision."""
    root = variance.sqrt()
    left = root * (products.product - products.gram[:, :, 0])
    precision = root[:, None] * products.gram * root + torch.eye(len(root)).to(root)
    return left, torch.linalg.cholesky(precision)


def _error_variances(products: Products) -> Float[Tensor, " error"]:
    """Variances of contrast, turns and moves that make particles likeliest."""
    variance = torch.tensor(_ERRORS).to(products.gram)
    for _ in range(_ROUNDS):
        left, factor = _whitened(products, variance)
        mean = torch.cholesky_solve(left[..., None], factor)[..., 0]
        covariance = torch.cholesky_inverse(factor).diagonal(dim1=1, dim2=2)
        moment = variance * (mean.square() + covariance).mean(0)
        # no axis is special
        variance = torch.cat([moment[:1], moment[1:].view(2, 3).mean(1).repeat_interleave(3)])
    return variance


def _products(
    volumes: Float[Tensor, "channel s s s"],
    grid: StageGrid,
    batches: ParticleBatches,
    particles: Integers,
) -> Products:
    table, count = grid.table(volumes), len(volumes)
    place = torch.full((batches.num_particles,), -1, dtype=torch.int64, device=grid.device)
    place[torch.from_numpy(particles).to(grid.device)] = torch.arange(
        len(particles), device=grid.device
    )
    gram = torch.zeros(len(particles), count, count, dtype=torch.float64, device=grid.device)
    product = torch.zeros(len(particles), count, dtype=torch.float64, device=grid.device)
    for batch in batches.batches(grid.radius, particles):
        corners = place_samples(batch, batches.images.samples.frequency_xy, grid)
        own_gram, own_product = normal_equations(predicted(table, batch, corners), batch)
        gram.index_add_(0, place[batch.owner], own_gram.double())
        product.index_add_(0, place[batch.owner], own_product.double())
    # each sample stands for its Friedel mate as well, as in `solve_coefficients`
    factor = 2.0 * batches.images.facts.independence
    return Products(factor * gram, factor * product)
