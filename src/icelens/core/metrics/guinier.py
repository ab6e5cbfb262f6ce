"""Guinier plot: logarithm of a map's amplitude against 1/d^2, and the B-factor of its slope."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from icelens.core.errors import GeometryError

LEAST_SHELLS = 4
"""A line through fewer points says nothing about how far they scatter."""


@dataclass(frozen=True)
class GuinierFit:
    """The straight line `ln A = intercept + slope / d^2` through part of a Guinier plot.

    Attributes:
        square_frequency: `1/d^2` of each shell, in 1/Å^2.
        log_amplitude: Natural logarithm of each shell's amplitude; minus infinity where it is 0.
        is_fitted: The shells that the line was fitted to.
        slope: In Å^2.
        intercept: Logarithm of the amplitude at zero frequency.
    """

    square_frequency: Float[Tensor, " shell"]
    log_amplitude: Float[Tensor, " shell"]
    is_fitted: Bool[Tensor, " shell"]
    slope: float
    intercept: float

    @property
    def b_factor(self) -> float:
        """B in Å^2 of the filter `exp(-B k^2 / 4)` that makes the line flat; negative sharpens."""
        return 4.0 * self.slope

    def line(self) -> Float[Tensor, " shell"]:
        """Logarithm of the amplitude on the line."""
        return self.intercept + self.slope * self.square_frequency


def fit_guinier(
    amplitude: Float[Tensor, " shell"],
    spatial_frequency: Float[Tensor, " shell"],
    *,
    low_resolution: float,
    high_resolution: float,
) -> GuinierFit:
    """Fit a line to the amplitudes between two resolutions, all shells alike.

    Coarser than about 10 Å the shape of the particle and the solvent rule; finer, the amplitude of
    a protein's atoms is flat on average and what bends it down is the B-factor.

    Args:
        amplitude: Of each shell, corrected for noise by the weight of the FSC.
        spatial_frequency: Of each shell, in 1/Å.
        low_resolution: Coarsest resolution of the fit, in Å.
        high_resolution: Finest resolution of the fit, in Å.

    Raises:
        GeometryError: If fewer than four shells with an amplitude lie between the resolutions.

    References:
        Rosenthal & Henderson, J. Mol. Biol. 333 (2003) 721, fig. 8 and eq. 12.
    """
    slack = 1e-6  # relative: a shell that lies on the bound by design is inside
    is_fitted = (spatial_frequency * low_resolution >= 1.0 - slack) & (amplitude > 0)
    is_fitted &= spatial_frequency * high_resolution <= 1.0 + slack
    if int(is_fitted.sum()) < LEAST_SHELLS:
        raise GeometryError(
            f"only {int(is_fitted.sum())} Fourier shells lie between {low_resolution:g} and "
            f"{high_resolution:.4g} Å, a B-factor needs {LEAST_SHELLS}; begin the fit at a coarser "
            "resolution or give the B-factor"
        )
    square = spatial_frequency.double().square()
    logarithm = amplitude.double().log()
    x, y = square[is_fitted], logarithm[is_fitted]
    x_centred = x - x.mean()
    slope = float((x_centred * y).sum() / x_centred.square().sum())
    intercept = float(y.mean()) - slope * float(x.mean())
    return GuinierFit(square, logarithm, is_fitted, slope, intercept)
