"""Look at volumes: orthogonal slices side by side, and power spectra that show the wedge."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from icelens.core.plots.style import MUTED, house_style, new_figure

DECADES = 5.0
"""Range of power from black to white; noise-free simulations reach deeper than is worth seeing."""
Array = npt.NDArray[np.floating]
AnyArray = npt.NDArray[np.generic]
CONTRAST_PERCENT = 0.5
"""Share of the voxels at either end that may be black or white, as viewers of tomograms do."""
_LETTER_HEIGHT, _LETTER_WIDTH = 8.0, 4.8
"""Points: of the letters of a scale bar."""
_MARGIN = 0.04
"""Share of a picture's side around a scale bar."""


def orthogonal_slices(
    volumes: Mapping[str, AnyArray], pixel_size: float, *, scale_bar: float = 0.0
) -> Figure:
    """Draw the central xy and xz slices of several volumes, one column for each.

    Each column has its own contrast, by percentiles, because restored and raw grey values have
    different spreads. Grey values are shown as they are: bright is what the array holds as high.

    Args:
        volumes: Name and array `(z, y, x)` of each volume; all of one shape.
        pixel_size: In Å/px.
        scale_bar: Length in Å; 0 picks a round number near a fifth of the width.
    """
    arrays = {name: np.asarray(values) for name, values in volumes.items()}
    num_z, num_y, num_x = next(iter(arrays.values())).shape
    width = min(3.2, 12.0 / len(arrays))
    height = width * (num_y + num_z) / num_x
    with house_style():
        figure = new_figure(width * len(arrays), height + 0.3)
        grid = figure.subplots(
            2, len(arrays), squeeze=False, gridspec_kw={"height_ratios": [num_y, num_z]}
        )
        for column, (name, array) in zip(grid.T, arrays.items(), strict=True):
            planes = (array[num_z // 2], array[:, num_y // 2])
            low, high = contrast(np.concatenate([plane.ravel() for plane in planes]))
            for axes, plane in zip(column, planes, strict=True):
                axes.imshow(plane, vmin=low, vmax=high, origin="lower")
                bare(axes)
            column[0].set_title(name)
        _label_planes(grid[:, 0])
        add_scale_bar(grid[0, 0], num_x, pixel_size, scale_bar)
    return figure


def power_spectra(volumes: Mapping[str, AnyArray], pixel_size: float) -> Figure:
    """Draw the power in the plane of x and z, where a missing wedge is a dark double cone.

    The spectrum is averaged over y, its logarithm shown over `DECADES` below the strongest
    value, and the axes run to the Nyquist frequency.

    Args:
        volumes: Name and array `(z, y, x)` of each volume.
        pixel_size: In Å/px.
    """
    nyquist = 0.5 / pixel_size
    ticks = [float(f"{step * nyquist:.2g}") for step in (-0.5, 0.0, 0.5)]
    labels = [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in ticks]
    width = min(3.2, 12.0 / len(volumes))
    with house_style():
        figure = new_figure(width * len(volumes), width + 0.6)
        row = figure.subplots(1, len(volumes), squeeze=False)[0]
        for axes, (name, values) in zip(row, volumes.items(), strict=True):
            power = xz_power(np.asarray(values))
            # A constant volume has no power at all; any floor keeps its logarithm finite.
            floor = max(float(power.max()) * 10.0**-DECADES, np.finfo(np.float64).tiny)
            axes.imshow(
                np.log10(np.maximum(power, floor)),
                origin="lower",
                extent=(-nyquist, nyquist, -nyquist, nyquist),
                aspect="equal",
            )
            axes.set(xlabel="x (1/Å)", yticks=ticks, yticklabels=[])
            axes.set_xticks(ticks, labels)
            axes.set_title(name)
        row[0].set(ylabel="z, along the beam (1/Å)", yticklabels=labels)
    return figure


def xz_power(volume: AnyArray) -> Array:
    """Mean over y of the power in x and z, zero frequency in the middle `(z, x)`.

    The mean is removed and a Hann window laid over z and x, because the step from one face of a
    volume to the opposite would draw a bright cross over the wedge.
    """
    num_z, _, num_x = volume.shape
    window = np.hanning(num_z + 2)[1:-1, None] * np.hanning(num_x + 2)[None, 1:-1]
    values = np.asarray(volume, dtype=np.float32)
    centred = values - values.mean(dtype=np.float64).astype(np.float32)
    power = np.zeros((num_z, num_x))
    for plane in centred.transpose(1, 0, 2):
        power += np.abs(np.fft.fft2(plane * window)) ** 2
    shifted: Array = np.fft.fftshift(power) / volume.shape[1]
    return shifted


def contrast(values: Array) -> tuple[float, float]:
    """The values to be drawn black and white, by percentiles; never the same."""
    low, high = np.nanpercentile(values, [CONTRAST_PERCENT, 100.0 - CONTRAST_PERCENT])
    return float(low), float(high) if high > low else float(low) + 1.0


def bare(axes: Axes) -> None:
    """Take ticks and frame from a picture."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _label_planes(column: npt.NDArray[np.object_]) -> None:
    for axes, name in zip(column, ("xy, central z", "xz, central y"), strict=True):
        axes.set_ylabel(name, color=MUTED)


def add_scale_bar(axes: Axes, num_x: int, pixel_size: float, length: float) -> None:
    """Draw a white bar with its length, on a dark ground so that it shows on any grey."""
    length = length or round_length(num_x * pixel_size / 5.0)
    bar = length / pixel_size / num_x
    text = f"{length:g} Å" if length < 1000 else f"{length / 10:g} nm"
    side = _side_points(axes)
    # letters keep their size however small the picture is, so that the ground must fit them
    wide = max(bar, _LETTER_WIDTH * len(text) / side) + 2 * _MARGIN
    high = max(0.13, 0.06 + (_LETTER_HEIGHT + 2.0) / side)
    axes.add_patch(
        Rectangle((0.0, 0.0), wide, high, color="black", alpha=0.55, transform=axes.transAxes)
    )
    start = 0.5 * (wide - bar)
    axes.add_patch(Rectangle((start, 0.03), bar, 0.02, color="white", transform=axes.transAxes))
    axes.text(
        0.5 * wide, 0.06, text, color="white", ha="center", fontsize=_LETTER_HEIGHT,
        transform=axes.transAxes,
    )  # fmt: skip


def _side_points(axes: Axes) -> float:
    """Width of a picture on paper, in points, before the layout has its last word."""
    figure = axes.get_figure(root=True)
    if figure is None:
        return 100.0
    return float(72.0 * axes.get_position().width * figure.get_size_inches()[0])


def round_length(length: float) -> float:
    """The greatest of 1, 2, 5 times a power of ten that is not above a length, in its unit."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(step * power for step in (1, 2, 5) if step * power <= length))
