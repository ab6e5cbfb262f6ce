"""Curves of convergence have a point for each epoch."""

import numpy as np

from icelens.core.latents.convergence import epoch_change
from icelens.core.plots.latent_epochs import correlation_curves, kept_curve, shift_curve


def test_each_epoch_is_a_point():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(50, 2))
    changes = [epoch_change(latent, latent + rng.normal(size=(50, 2)) / n, n) for n in (1, 2, 5)]
    figure = shift_curve(changes)
    assert figure.axes[0].lines[0].get_xdata().tolist() == [1, 2, 5]
    figure.canvas.draw()
    kept_curve([1, 2, 5], [each.kept_neighbours for each in changes]).canvas.draw()
    figure = correlation_curves([1, 2, 5], np.full((3, 4), 0.9))
    assert len(figure.axes[0].lines) == 5
    figure.canvas.draw()
