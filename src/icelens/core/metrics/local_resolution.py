"""Resolution at every place of a map: Fourier shell correlation of two half maps in soft windows.

References:
    Cardone, Heymann & Steven, J. Struct. Biol. 184 (2013) 226.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from scipy import ndimage
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.fourier.filters import apply_filter, low_pass
from icelens.core.fourier.frequencies import Shape, frequency_radius, num_shells
from icelens.core.fourier.shells import column_weights
from icelens.core.volumes.masks import soft_edge

LEAST_WINDOW_PX = 12
"""A narrower window has too few shells to see where a curve falls."""
WINDOWS_OF_RESOLUTION = 8.0
"""Default width of a window in units of the map's resolution: as narrow as the scatter allows."""
_SAMPLES_AT_ONCE = 1 << 21
_FLAT = 0.5  # share of the window's radius that keeps its full weight
_FILTERS = 16


@dataclass(frozen=True)
class LocalWindows:
    """How a map is looked at piece by piece.

    Attributes:
        size: Side of a window in px, even; its soft sphere touches the faces.
        step: Distance of neighbouring windows in px.
    """

    size: int
    step: int


def plan_windows(
    shape: Shape, *, pixel_size: float, resolution: float, window: float | None = None
) -> LocalWindows:
    """Choose windows: `window` Å wide, or eight times the resolution, a sixth of that apart.

    Raises:
        GeometryError: If a window is narrower than 12 px, or the map is.
    """
    most = min(shape) - min(shape) % 2
    size = 2 * round((window or WINDOWS_OF_RESOLUTION * resolution) / pixel_size / 2)
    if window is None:
        size = max(LEAST_WINDOW_PX, min(size, most))
    if not LEAST_WINDOW_PX <= size <= most:
        raise GeometryError(
            f"a window of {size} px ({size * pixel_size:g} Å) for local resolution; expected "
            f"{LEAST_WINDOW_PX} to {most} px ({LEAST_WINDOW_PX * pixel_size:g} to "
            f"{most * pixel_size:g} Å) in a map of (z, y, x) = {shape}"
        )
    return LocalWindows(size, max(1, size // 6))


def local_resolution(
    half_1: Float[Tensor, "z y x"],
    half_2: Float[Tensor, "z y x"],
    windows: LocalWindows,
    *,
    pixel_size: float,
    mask: Float[Tensor, "z y x"] | None = None,
    threshold: float = 0.5,
    on_event: OnEvent = ignore,
) -> Float[Tensor, "z y x"]:
    """Resolution in Å at each voxel, where the correlation in a window about it falls.

    Windows lie on a coarse grid wherever the mask is above 0; between them spatial frequency is
    linear, beyond them that of the nearest. The answer lies between twice the pixel size and half
    the window's width: coarser than that a window cannot tell.

    Args:
        half_1: One half map.
        half_2: The other, on the same grid.
        windows: From `plan_windows`.
        pixel_size: In Å/px.
        mask: Where to look; everywhere if left out. It is not multiplied to the maps.
        threshold: Height at which a curve's crossing counts.
        on_event: Told of progress.

    Raises:
        GeometryError: If the mask keeps nothing.
    """
    size, step = windows.size, windows.step
    # the grid has voxel 0 and is measured where the mask is, or a neighbour that it interpolates
    wanted = torch.ones(half_1.shape) if mask is None else mask.cpu().float()
    near = torch.nn.functional.max_pool3d(wanted[None, None], 2 * step + 1, step, padding=step)
    is_measured = near[0, 0] > 0
    if not bool(is_measured.any()):
        raise GeometryError("the mask keeps nothing; no place is left to measure the resolution at")
    grid_point = is_measured.nonzero()
    frequency = torch.zeros(is_measured.shape, dtype=torch.float64)
    frequency[is_measured] = _crossings(
        half_1, half_2, grid_point * step, size, threshold=threshold, on_event=on_event
    )
    if not bool(is_measured.all()):
        nearest = ndimage.distance_transform_edt(
            ~is_measured.numpy(), return_distances=False, return_indices=True
        )
        frequency = torch.from_numpy(frequency.numpy()[tuple(nearest)])
    return pixel_size / _between(frequency, step, half_1.shape)


def filter_locally(
    volume: Float[Tensor, "z y x"], resolution: Float[Tensor, "z y x"], *, pixel_size: float
) -> Float[Tensor, "z y x"]:
    """Low-pass each place of a map at its own resolution in Å.

    Sixteen filtered maps, evenly spaced in spatial frequency, are blended linearly.
    """
    z, y, x = volume.shape
    radius = frequency_radius((z, y, x), pixel_size=pixel_size, device=volume.device)
    frequency = 1.0 / resolution
    low, high = float(frequency.min()), float(frequency.max())
    spacing = (high - low) / (_FILTERS - 1)
    if spacing <= 1e-6 * high:
        return apply_filter(volume, low_pass(radius, 1.0 / low))
    place = (frequency - low) / spacing
    result = torch.zeros_like(volume)
    for number in range(_FILTERS):
        share = (1.0 - (place - number).abs()).clamp(min=0.0)
        filtered = apply_filter(volume, low_pass(radius, 1.0 / (low + number * spacing)))
        result += share * filtered
    return result


def _crossings(
    half_1: Float[Tensor, "z y x"],
    half_2: Float[Tensor, "z y x"],
    centre_zyx: Int[Tensor, "point 3"],
    size: int,
    *,
    threshold: float,
    on_event: OnEvent,
) -> Float[Tensor, " point"]:
    """Frequency in cycles/px at which the correlation about each centre first falls."""
    weight = _window(size).to(half_1)
    shells = _shell_matrix(size).to(half_1)
    views = [_all_windows(half, size) for half in (half_1, half_2)]
    found = []
    done = 0
    for points in _chunks(centre_zyx, size):
        spectra = []
        for view in views:
            box = view[points[:, 0], points[:, 1], points[:, 2]]
            mean = (box * weight).sum((1, 2, 3), keepdim=True) / weight.sum()
            spectra.append(torch.fft.rfftn((box - mean) * weight, dim=(1, 2, 3)).flatten(1))
        curves = _correlations(spectra[0], spectra[1], shells)
        found.append(_first_fall(curves, size, threshold).cpu())
        done += len(points)
        on_event(Progress("local resolution", done, len(centre_zyx), "window"))
    return torch.cat(found)


def _all_windows(half: Float[Tensor, "z y x"], size: int) -> Float[Tensor, "z y x d h w"]:
    """A view of the cube about each voxel; the map goes on periodically, as its transform does."""
    before, after = size // 2, size - size // 2 - 1
    padded = half
    for axis in range(3):
        side = half.shape[axis]
        index = torch.arange(-before, side + after, device=half.device) % side
        padded = padded.index_select(axis, index)
    return padded.unfold(0, size, 1).unfold(1, size, 1).unfold(2, size, 1)


def _chunks(centre_zyx: Int[Tensor, "point 3"], size: int) -> Iterator[Int[Tensor, "some 3"]]:
    at_once = max(1, _SAMPLES_AT_ONCE // size**3)
    for start in range(0, len(centre_zyx), at_once):
        yield centre_zyx[start : start + at_once]


def _window(size: int) -> Float[Tensor, "size size size"]:
    """A soft sphere about voxel `size // 2`, flat in the middle, 0 at the faces."""
    steps = (torch.arange(size) - size // 2).float()
    radius = (steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2).sqrt()
    half = size / 2
    return soft_edge(radius - _FLAT * half, (1.0 - _FLAT) * half)


def _shell_matrix(size: int) -> Float[Tensor, "sample shell"]:
    """Adds the samples of a half transform up to shells; Friedel mates count."""
    radius = frequency_radius((size, size, size)) * size
    shell = (radius + 0.5).long()
    number = num_shells((size, size, size))
    weight = column_weights(size).expand(shell.shape).clone()
    weight[shell >= number] = 0.0
    matrix = torch.nn.functional.one_hot(shell.clamp(max=number - 1), number).float()
    return (matrix * weight[..., None]).reshape(-1, number)


def _correlations(
    spectrum_1: Tensor, spectrum_2: Tensor, shells: Float[Tensor, "sample shell"]
) -> Float[Tensor, "point shell"]:
    """Correlation of each shell about each point; 0 where a map is empty."""
    a, b = torch.view_as_real(spectrum_1), torch.view_as_real(spectrum_2)
    cross = (a * b).sum(-1) @ shells
    scale = ((a.square().sum(-1) @ shells) * (b.square().sum(-1) @ shells)).sqrt()
    return torch.where(scale > 0, cross / scale.clamp(min=torch.finfo(scale.dtype).tiny), 0.0)


def _first_fall(
    correlation: Float[Tensor, "point shell"], size: int, threshold: float
) -> Float[Tensor, " point"]:
    """Frequency in cycles/px of the first crossing, linear between shells, from shell 2 on.

    Curves are smoothed over three shells first: a shell of a window holds few independent samples.
    """
    curve = correlation.double()
    curve[:, 0] = curve[:, 1]  # the mean was removed
    ends = torch.cat([curve[:, :1], curve, curve[:, -1:]], dim=1)
    curve = 0.25 * ends[:, :-2] + 0.5 * ends[:, 1:-1] + 0.25 * ends[:, 2:]
    is_below = curve[:, 3:] < threshold
    after = torch.where(is_below.any(1), 3 + is_below.float().argmax(1), curve.shape[1] - 1)
    rows = torch.arange(len(curve), device=curve.device)
    c0, c1 = curve[rows, after - 1], curve[rows, after]
    # where even shell 2 is below, the quotient is negative; where none is, it exceeds 1
    part = ((c0 - threshold) / (c0 - c1).clamp(min=1e-12)).clamp(0.0, 1.0)
    part = torch.where(is_below.any(1), part, 1.0)
    return (after - 1 + part) / size


def _between(
    values: Float[Tensor, "a b c"], step: int, shape: Sequence[int]
) -> Float[Tensor, "z y x"]:
    """Trilinear between grid points `step` voxels apart, the first at voxel 0; flat beyond."""
    for axis, side in enumerate(shape):
        place = (torch.arange(side) / step).clamp(max=values.shape[axis] - 1)
        base = place.long().clamp(max=max(0, values.shape[axis] - 2))
        part = (place - base).reshape([-1] + [1] * (2 - axis)).to(values)
        lower = values.index_select(axis, base)
        upper = values.index_select(axis, (base + 1).clamp(max=values.shape[axis] - 1))
        values = lower + (upper - lower) * part
    return values.float()
