"""Guinier plots show amplitudes over 1/d^2, and the line only where it was fitted."""

import numpy as np

from icelens.core.plots.guinier import guinier_plot

SQUARE = np.linspace(0.0, 0.3, 31) ** 2


def test_line_spans_the_fitted_shells_and_empty_shells_are_left_out() -> None:
    amplitude = 5.0 - 20.0 * SQUARE
    amplitude[25:] = -np.inf
    is_fitted = (SQUARE > 0.01) & (SQUARE < 0.05)
    axes = guinier_plot(
        SQUARE, {"mean": amplitude}, line=5.0 - 20.0 * SQUARE, is_fitted=is_fitted
    ).axes[0]
    curve, line = axes.lines
    assert np.isfinite(curve.get_ydata()).sum() == 24  # not the mean, not the empty ones
    np.testing.assert_array_equal(line.get_xdata(), SQUARE[is_fitted])
    assert axes.get_xlabel() == "1/d² (1/Å²)"
    (top,) = axes.child_axes
    assert top.get_xticklabels()[-1].get_text() == "3.3"


def test_plot_without_a_fit_has_no_line() -> None:
    none = np.zeros(31, bool)
    axes = guinier_plot(SQUARE, {"mean": 1.0 - SQUARE}, line=SQUARE, is_fitted=none).axes[0]
    assert len(axes.lines) == 1
