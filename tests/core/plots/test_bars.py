"""Bars are as high as their values."""

from icelens.core.plots.bars import bars


def test_groups_stand_beside_each_other():
    figure = bars({"a": [1, 2], "b": [3, 4]}, ["1", "2"], xlabel="x", ylabel="y")
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [1, 2, 3, 4]
    figure.canvas.draw()


def test_sum_is_a_line_on_request():
    figure = bars({"each": [0.5, 0.25]}, ["1", "2"], xlabel="x", ylabel="y", cumulative=True)
    assert figure.axes[0].lines[0].get_ydata().tolist() == [0.5, 0.75]
    figure.canvas.draw()


def test_many_things_have_few_labels():
    figure = bars({"each": range(100)}, list(map(str, range(100))), xlabel="x", ylabel="y")
    assert len(figure.axes[0].get_xticks()) == 20
