import numpy as np

from icelens.core.plots.spectrum import component_spectrum


def test_bars_of_noise_are_grey_and_scores_lie_above_them() -> None:
    scores = [9.0, 4.0, -2.0, -5.0]
    kept = np.array([True, True, False, False])
    figure = component_spectrum([4.0, 2.0, 0.5, 0.25], scores, threshold=3.0, is_kept=kept)
    upper, lower = figure.axes
    np.testing.assert_allclose(upper.lines[0].get_ydata(), scores)
    np.testing.assert_allclose(upper.lines[1].get_ydata(), [3.0, 3.0])
    heights = [bar.get_height() for bar in lower.patches]
    np.testing.assert_allclose(heights, [4.0, 2.0, 0.5, 0.25])
    colours = [bar.get_facecolor() for bar in lower.patches]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert [each.get_text() for each in lower.texts] == ["noise"]
    figure.canvas.draw()


def test_one_component_without_noise_is_drawn() -> None:
    figure = component_spectrum([1.0], [12.0], threshold=3.0, is_kept=np.array([True]))
    assert not figure.axes[1].texts
    figure.canvas.draw()
