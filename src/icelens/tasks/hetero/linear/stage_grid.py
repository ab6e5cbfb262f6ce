"""The grids of one stage of the fit: coarse as long as only coarse detail is looked at.

Volumes are kept in the smallest box that holds the particle. Their transform is that of the full
box at the same frequencies, whatever the sampling: grey values of a coarse stage are larger.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.core.fourier.crop import resize_rfft
from icelens.core.fourier.transforms import volume_from_rfft, volume_rfft
from icelens.core.volumes.masks import sphere_mask

_FIRST_RADIUS = 8
"""Shells of the first stage, in which most of the signal is and little of the work."""
_GROWTH = 1.5
_EDGE_PX = 3.0
"""Of the sphere that holds the particle; narrower ones ring."""
_PADDING = 2


def stage_radii(last: int) -> list[int]:
    """Radii of the stages, the finest shell of each, up to the last."""
    radii = [min(_FIRST_RADIUS, last)]
    while radii[-1] < last:
        following = round(radii[-1] * _GROWTH)
        radii.append(last if following * 1.2 > last else following)
    return radii


def quick_size(least: int) -> int:
    """The next even number that Fourier transforms are fast for."""
    size = least + least % 2
    while _largest_factor(size) > 7:
        size += 2
    return size


def _largest_factor(number: int) -> int:
    factor = 2
    while factor * factor <= number:
        if number % factor:
            factor += 1
        else:
            number //= factor
    return number


@dataclass(frozen=True)
class StageGrid:
    """Sampling up to a radius.

    Attributes:
        full_size: Side of the images' box, in px.
        radius: Of the finest shell that is looked at, in cycles per box.
        diameter: Of the sphere that holds the particle, as a share of the box.
        device: Where volumes lie.
    """

    full_size: int
    radius: int
    diameter: float
    device: torch.device

    @cached_property
    def box_size(self) -> int:
        """Side in px of the box of the same width that just holds the frequencies."""
        return min(self.full_size, quick_size(2 * self.radius + 2))

    @cached_property
    def support_size(self) -> int:
        """Side of the part of the box that holds the particle."""
        wanted = quick_size(int(self.diameter * self.box_size + 2 * _EDGE_PX) + 1)
        return min(self.box_size, wanted)

    @property
    def padded_size(self) -> int:
        """Side of the box in whose transform slices are cut."""
        return _PADDING * self.box_size

    @property
    def num_points(self) -> int:
        """Points of the half transform of the padded box."""
        return self.padded_size**2 * (self.padded_size // 2 + 1)

    @cached_property
    def sphere(self) -> Float[Tensor, "s s s"]:
        """1 where the particle may be, falling to 0."""
        return sphere_mask(
            (self.support_size,) * 3,
            pixel_size=1.0,
            radius=0.5 * self.diameter * self.box_size,
            edge=_EDGE_PX,
            device=self.device,
        )

    @cached_property
    def shell(self) -> Int[Tensor, "s s s_half"]:
        """Shell of the full box nearest to each point of the support's transform."""
        size = self.support_size
        full = torch.fft.fftfreq(size, device=self.device).square()
        half = torch.fft.rfftfreq(size, device=self.device).square()
        distance = (full[:, None, None] + full[:, None] + half).sqrt() * self.box_size
        shell: Tensor = (distance + 0.5).long().clamp(max=self.radius + 1)
        return shell

    @cached_property
    def padded_shell(self) -> Int[Tensor, "m m m_half"]:
        """Shell of each point of the padded transform; one after the last beyond."""
        size = self.padded_size
        full = torch.fft.fftfreq(size, d=1.0 / size, device=self.device).square()
        half = torch.fft.rfftfreq(size, d=1.0 / size, device=self.device).square()
        distance = (full[:, None, None] + full[:, None] + half).sqrt() / _PADDING
        shell: Tensor = (distance + 0.5).long().clamp(max=self.radius + 1)
        return shell

    def fade(self, size: int) -> Float[Tensor, "k k k"]:
        """What linear interpolation of the padded transform leaves of a box about the centre."""
        line: Tensor = torch.sinc(
            (torch.arange(size, device=self.device) - size // 2).float() / self.padded_size
        ).square()
        cube: Tensor = line[:, None, None] * line[:, None] * line
        return cube

    def table(self, volumes: Float[Tensor, "channel s s s"]) -> Float[Tensor, "point number"]:
        """Padded transforms, real and imaginary parts of all channels at each point."""
        before = self.box_size - self.support_size // 2
        after = self.padded_size - self.support_size - before
        flat = volumes / self.fade(self.support_size)
        numbers = torch.empty(self.num_points, 2 * len(volumes), device=self.device)
        for channel, volume in enumerate(flat):
            spectrum = volume_rfft(torch.nn.functional.pad(volume, (before, after) * 3))
            numbers[:, 2 * channel : 2 * channel + 2] = torch.view_as_real(spectrum).view(-1, 2)
        return numbers

    def widened(self, volumes: Float[Tensor, "channel s s s"]) -> Float[Tensor, "channel n n n"]:
        """The same in the whole box."""
        before = self.box_size // 2 - self.support_size // 2
        after = self.box_size - self.support_size - before
        wide: Tensor = torch.nn.functional.pad(volumes, (before, after) * 3)
        return wide

    def narrowed(self, volumes: Float[Tensor, "channel n n n"]) -> Float[Tensor, "channel s s s"]:
        """The middle of the whole box."""
        first = volumes.shape[-1] // 2 - self.support_size // 2
        part = slice(first, first + self.support_size)
        return volumes[..., part, part, part].contiguous()

    def resampled(self, volumes: Float[Tensor, "channel n n n"]) -> Float[Tensor, "channel m m m"]:
        """Volumes of the images' box on the sampling of this grid, their transform unchanged."""
        if self.box_size == self.full_size:
            return volumes
        spectrum = resize_rfft(volume_rfft(volumes), self.box_size)
        resampled: Tensor = volume_from_rfft(spectrum, self.box_size)
        return resampled

    def taken_from(
        self, other: "StageGrid", volumes: Float[Tensor, "channel t t t"]
    ) -> Float[Tensor, "channel s s s"]:
        """Volumes of another stage with their transform cut or filled up with zeros."""
        spectrum = volume_rfft(other.widened(volumes))
        return self.narrowed(volume_from_rfft(resize_rfft(spectrum, self.box_size), self.box_size))
