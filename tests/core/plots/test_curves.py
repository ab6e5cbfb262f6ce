"""Curves carry their numbers, units and names."""

import numpy as np

from icelens.core.plots.curves import fsc_curves, loss_curve
from icelens.core.plots.style import COLOURS

FREQUENCY = np.linspace(0.0, 0.05, 11)


def test_fsc_is_labelled_in_angstrom_without_its_mean() -> None:
    figure = fsc_curves({"half": np.linspace(1, 0, 11)}, FREQUENCY, thresholds={"0.143": 0.143})
    axes = figure.axes[0]
    assert axes.get_xlabel() == "resolution (Å)"
    assert axes.get_xticklabels()[0].get_text() == "20"
    curve = next(line for line in axes.lines if line.get_label() == "half")
    assert len(curve.get_xdata()) == 10
    assert "0.143" in [text.get_text() for text in axes.texts]


def test_few_lines_are_named_beside_their_ends() -> None:
    apart = {"measured": np.full(11, 0.9), "missing": np.full(11, 0.1)}
    axes = fsc_curves(apart, FREQUENCY).axes[0]
    assert {"measured", "missing"} <= {text.get_text() for text in axes.texts}
    assert axes.get_legend() is None


def test_names_that_would_overlap_go_to_a_legend() -> None:
    together = {"measured": np.full(11, 0.50), "missing": np.full(11, 0.501)}
    assert fsc_curves(together, FREQUENCY).axes[0].get_legend() is not None


def test_loss_is_logarithmic_only_when_it_spans_decades() -> None:
    steps = list(range(50))
    wide = loss_curve({"loss": (steps, list(np.geomspace(100, 0.1, 50)))})
    narrow = loss_curve({"loss": (steps, list(np.linspace(1.0, 0.5, 50)))})
    assert wide.axes[0].get_yscale() == "log"
    assert narrow.axes[0].get_yscale() == "linear"


def test_colours_are_readable_on_white() -> None:
    def luminance(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    values = sorted(luminance(colour) for colour in COLOURS)
    # All stay readable on white, which has luminance 1.
    assert max(values) < 0.7
