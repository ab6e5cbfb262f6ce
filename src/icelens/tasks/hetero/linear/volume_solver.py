"""From sums over images to the most probable mean and components, all at once.

A volume is `mask * filter(white)` with `white` normal: it lies in the mask and has the power that
is expected in each shell. Images enter through their normal equations, which are a convolution on
twice the support, a matrix of channels at each frequency; conjugate gradients solve them.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.tasks.hetero.linear.posterior import ChannelSums
from icelens.tasks.hetero.linear.stage_grid import StageGrid

_MOST_STEPS = 100
_SMALL = 3e-3
"""Residual over right-hand side at which a solution is good enough."""


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """What images ask of volumes: `operator(volumes) = right`.

    Attributes:
        grid: Of the volumes.
        right: Images put back, in real space.
        kernel: Transform of the convolution for each pair of channels, on twice the support.
        weight: `(channel, shell)` mean of `CTF^2 E[a^2]` over a point of the box's own transform.
    """

    grid: StageGrid
    right: Float[Tensor, "channel s s s"]
    kernel: Float[Tensor, "pair d d d_half"]
    weight: Float[Tensor, "channel shell"]

    @property
    def num_channels(self) -> int:
        """Mean and components."""
        return len(self.right)

    def operator(self, volumes: Float[Tensor, "channel s s s"]) -> Float[Tensor, "channel s s s"]:
        """Images of volumes put back."""
        size, double = self.grid.support_size, 2 * self.grid.support_size
        spectrum = torch.fft.rfftn(volumes, s=(double,) * 3, dim=(1, 2, 3))
        result = torch.zeros_like(spectrum)
        pairs = torch.triu_indices(self.num_channels, self.num_channels)
        for place, (first, second) in enumerate(pairs.T.tolist()):
            result[first].addcmul_(self.kernel[place], spectrum[second])
            if first != second:
                result[second].addcmul_(self.kernel[place], spectrum[first])
        # one axis at a time: only the part that is wanted is worked out
        result = torch.fft.ifft(result, dim=1)[:, :size]
        result = torch.fft.ifft(result, dim=2)[:, :, :size]
        space: Tensor = torch.fft.irfft(result, n=double, dim=3)
        return space[..., :size].contiguous()


def normal_equations_of(sums: ChannelSums, independence: float) -> NormalEquations:
    """Bring sums to the support of the particle and take the interpolation out of them."""
    grid, channels = sums.grid, sums.num_channels
    size, padded = grid.support_size, grid.padded_size
    half = padded // 2 + 1
    numbers = sums.numbers.view(padded, padded, half, -1)
    fade = grid.fade(size)
    right = torch.empty(channels, size, size, size, device=grid.device)
    for channel in range(channels):
        part = numbers[..., 2 * channel : 2 * channel + 2].contiguous()
        right[channel] = _in_space(torch.view_as_complex(part), padded, size) / fade
    pairs = sums.pairs.T.tolist()
    kernel = torch.empty(len(pairs), 2 * size, 2 * size, size + 1, device=grid.device)
    double_fade = grid.fade(2 * size)
    shell = grid.padded_shell.flatten()
    num_shells = grid.radius + 2
    count = torch.bincount(shell, minlength=num_shells).clamp(min=1)
    weight = torch.empty(channels, num_shells, device=grid.device)
    for place, (first, second) in enumerate(pairs):
        part = numbers[..., 2 * channels + place].contiguous()
        if first == second:
            total = torch.bincount(shell, part.flatten().double(), num_shells)
            # eight points of the padded transform for each of the box's own
            weight[first] = (8.0 * total / count).to(weight)
        lags = _in_space(part.to(torch.complex64), padded, 2 * size) / double_fade
        kernel[place] = torch.fft.rfftn(torch.fft.ifftshift(lags), dim=(0, 1, 2)).real
    # half of the samples were added, but where x = 0, mates included
    return NormalEquations(grid, right * independence, kernel * independence, weight * independence)


def _in_space(
    spectrum: Float[Tensor, "m m m_half"], padded: int, size: int
) -> Float[Tensor, "k k k"]:
    """Sum over all frequencies, mates included, in a box about the centre."""
    column = spectrum[:, :, 0]
    spectrum[:, :, 0] = column + column.flip(0, 1).roll((1, 1), (0, 1)).conj()
    index = (torch.arange(size, device=spectrum.device) - size // 2) % padded
    for dim in (0, 1):
        spectrum = torch.fft.ifft(spectrum, dim=dim, norm="forward").index_select(dim, index)
    space: Tensor = torch.fft.irfft(spectrum, n=padded, dim=2, norm="forward")
    return space.index_select(2, index)


@dataclass(frozen=True, eq=False)
class VolumePrior:
    """What is expected of volumes before images are seen.

    Attributes:
        grid: Of the volumes.
        power: `(channel, shell)` expected square of a transform's values in the box.
        mask: `(channel, s, s, s)` amplitude in real space, or one for all.
    """

    grid: StageGrid
    power: Float[Tensor, "channel shell"]
    mask: Float[Tensor, "#channel s s s"]

    def amplitude(self) -> Float[Tensor, "channel s s s_half"]:
        """Factor on the transform of white noise in the support."""
        # white noise of variance 1 has a power of the number of voxels
        root = (self.power / self.grid.box_size**3).clamp(min=0.0).sqrt()
        root = root.clone()
        root[:, -1] = 0.0
        return root[:, self.grid.shell]

    def made(self, white: Float[Tensor, "channel s s s"]) -> Float[Tensor, "channel s s s"]:
        """Volumes of white noise."""
        return self.mask * _filtered(white, self.amplitude())


def solve_volumes(
    equations: NormalEquations,
    prior: VolumePrior,
    start: Float[Tensor, "channel s s s"] | None = None,
    *,
    steps: int = _MOST_STEPS,
    tolerance: float = _SMALL,
) -> tuple[Float[Tensor, "channel s s s"], Float[Tensor, "channel s s s"]]:
    """The most probable volumes, and the white noise they are made of, to start from next time.

    Args:
        equations: What the images ask.
        prior: What is expected without them.
        start: White noise of an earlier solution.
        steps: At most so many of conjugate gradients.
        tolerance: Size of the residual at which they end, over that of the right-hand side.
    """
    amplitude = prior.amplitude()
    mask = prior.mask
    # what images say about white noise where the mask is 1
    told = amplitude.square() * (
        equations.weight[:, equations.grid.shell] * equations.grid.box_size**3
    )
    relaxed = 1.0 / (1.0 + told)
    outside = (1.0 - mask.square()).clamp(min=0.0)

    def made(white: Tensor) -> Tensor:
        return mask * _filtered(white, amplitude)

    def asked(volumes: Tensor) -> Tensor:
        return _filtered(mask * volumes, amplitude)

    def applied(white: Tensor) -> Tensor:
        return white + asked(equations.operator(made(white)))

    def eased(residual: Tensor) -> Tensor:
        return outside * residual + mask * _filtered(mask * residual, relaxed)

    right = asked(equations.right)
    white = torch.zeros_like(right) if start is None else start.clone()
    residual = right if start is None else right - applied(white)
    scale = float((right * eased(right)).sum())
    direction = eased(residual)
    product = float((residual * direction).sum())
    for _ in range(steps):
        if product <= tolerance**2 * scale:
            break
        image = applied(direction)
        step = product / float((direction * image).sum())
        white += step * direction
        residual = residual - step * image
        better = eased(residual)
        following = float((residual * better).sum())
        direction = better + (following / product) * direction
        product = following
    return made(white), white


def _filtered(volumes: Tensor, factor: Tensor) -> Tensor:
    spectrum = torch.fft.rfftn(volumes, dim=(1, 2, 3))
    result: Tensor = torch.fft.irfftn(spectrum * factor, s=volumes.shape[1:], dim=(1, 2, 3))
    return result
