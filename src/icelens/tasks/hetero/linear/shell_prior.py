"""How much power is expected in each shell of mean and components, from two half sets."""

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.tasks.hetero.linear.stage_grid import StageGrid
from icelens.tasks.hetero.linear.volume_solver import NormalEquations

_WEAK = 100.0
"""Ratio of signal to noise where it is not known yet."""
_LEAST, _MOST = 1e-3, 0.999
"""Correlations beyond which no ratio of signal to noise is known, as in `core/fourier/wiener`."""


def shell_correlation(
    grid: StageGrid,
    first: Float[Tensor, "channel s s s"],
    second: Float[Tensor, "channel s s s"],
) -> Float[Tensor, "channel shell"]:
    """Correlation of the halves' transforms, a little smoothed along the shells."""
    shell = grid.shell.flatten()
    num_shells = grid.radius + 2
    # the half transform holds one of two mates, but both where x = 0
    count = torch.full(grid.shell.shape, 2.0, dtype=torch.float64, device=grid.device)
    count[..., 0] = 1.0
    count[..., -1] = 1.0
    rows = []
    for one, other in zip(first, second, strict=True):
        a, b = torch.fft.rfftn(one.double()), torch.fft.rfftn(other.double())
        terms = ((a * b.conj()).real, a.abs().square(), b.abs().square())
        sums = [
            _smoothed(torch.bincount(shell, (term * count).flatten(), num_shells)) for term in terms
        ]
        rows.append(sums[0] / (sums[1] * sums[2]).sqrt().clamp(min=1e-300))
    return torch.stack(rows)


def _smoothed(values: Float[Tensor, " shell"]) -> Float[Tensor, " shell"]:
    """Means over three neighbours; the last shell lies beyond the samples."""
    inner = values[:-1]
    padded = torch.cat([inner[:1], inner, inner[-1:]])
    return torch.cat([padded[:-2] + 2.0 * inner + padded[2:], values[-1:]])


def power_from_halves(
    correlation: Float[Tensor, "channel shell"],
    equations: tuple[NormalEquations, NormalEquations],
) -> Float[Tensor, "channel shell"]:
    """Expected power of a transform: what agrees, in units of the noise of a half map.

    References:
        Scheres, J. Mol. Biol. 415 (2012); Gilles & Singer, PNAS 122 (2025) for components.
    """
    known = torch.nan_to_num(correlation, nan=0.0).clamp(_LEAST, _MOST)
    weight = 0.5 * (equations[0].weight + equations[1].weight)
    power = (known / (1.0 - known)).to(weight) / weight.clamp(min=1e-9)
    power[:, -1] = 0.0
    # the zero frequency is not measured
    power[:, 0] = power[:, 1]
    return power


def extended(power: Float[Tensor, "channel shell"], radius: int) -> Float[Tensor, "channel shell"]:
    """Power up to a larger radius, falling beyond the shells that were looked at."""
    last = power[:, -2:-1]
    fall = 0.8 ** torch.arange(1, radius + 2 - power.shape[1] + 1, device=power.device)
    return torch.cat([power[:, :-1], last * fall, torch.zeros_like(last)], dim=1)


def weak_power(weight: Float[Tensor, "channel shell"]) -> Float[Tensor, "channel shell"]:
    """Power far above the noise everywhere: next to no prior, to see what halves agree on."""
    power = _WEAK / weight.clamp(min=1e-3 * float(weight.max()) + 1e-30)
    power[:, -1] = 0.0
    # the zero frequency is not measured, and through the mask it would reach all others
    power[:, 0] = power[:, 1]
    return power
