"""Pictures of landscapes show what they are given."""

import numpy as np
import pytest

from icelens.core.plots.landscape import (
    class_counts,
    classes,
    energy_curve,
    landscape,
    scores,
    scree,
    states_among_particles,
)

RNG = np.random.default_rng(0)


def test_scree_sums_up_to_all():
    axes = scree(np.asarray([0.7, 0.2, 0.1])).axes[0]
    assert [patch.get_height() for patch in axes.patches] == pytest.approx([70, 20, 10])
    assert axes.lines[0].get_ydata() == pytest.approx([70, 90, 100])


def test_landscape_has_counts_energy_and_error():
    count = RNG.integers(0, 9, (6, 5)).astype(float)
    edges = (np.arange(7.0), np.arange(6.0))
    with np.errstate(divide="ignore"):
        energy = np.where(count > 0, -np.log(count / count.max()), np.nan)
    figure = landscape(edges, count, energy, np.ones((6, 5)), labels=("a", "b"))
    titles = [axes.get_title(loc="left") for axes in figure.axes[:3]]
    assert titles == ["particles", "free energy (kT)", "its error (kT)"]
    shown = figure.axes[1].collections[0].get_array()
    assert np.nanmin(shown) == pytest.approx(0)
    assert figure.axes[0].get_xlabel() == "a"


def test_energy_curve_has_bars():
    energy = np.asarray([1.0, 0.0, np.nan])
    figure = energy_curve(
        np.arange(4.0), energy, np.ones(3), np.asarray([2.0, 5.0, 0.0]), label="x"
    )
    assert [patch.get_height() for patch in figure.axes[1].patches] == [2, 5, 0]


@pytest.mark.parametrize("dim", [1, 3])
def test_classes_are_named_at_their_middles(dim):
    points = RNG.normal(size=(50, dim))
    number = np.repeat([1, 2], 25)
    figure = classes([("here", points), ("there", points)], number)
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "2"]


def test_counts_have_their_shares():
    figure = class_counts(np.asarray([30.0, 10.0]))
    assert [text.get_text() for text in figure.axes[0].texts] == ["75.0%", "25.0%"]


@pytest.mark.parametrize(("count", "named"), [(3, 3), (40, 0)])
def test_few_states_are_named_and_each_kind_has_its_colour(count, named):
    flags = (["supported", "sparse", "extrapolated"] * count)[:count]
    states = RNG.normal(size=(count, 2))
    names = [f"v{number}" for number in range(count)]
    axes = states_among_particles(RNG.normal(size=(99, 2)), states, names, flags).axes[0]
    assert len(axes.texts) == named
    assert [text.get_text() for text in axes.get_legend().get_texts()] == flags[:3]


def test_scores_below_nothing_are_cut():
    bars = scores(np.asarray([0.9, -5.0])).axes[0].patches
    assert [bar.get_height() for bar in bars] == pytest.approx([0.9, -0.2])


def test_volumes_of_one_latent_stand_among_counts_of_particles():
    flags = ["supported", "extrapolated"]
    states = np.array([[0.0], [9.0]])
    axes = states_among_particles(RNG.normal(size=(99, 1)), states, ["a", "b"], flags).axes[0]
    assert axes.get_ylabel() == "particles"
    assert axes.get_xlim()[1] >= 9.0
