"""The Fourier samples of an image that a refinement looks at, sorted by resolution."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from icelens.core.errors import GeometryError


@dataclass(frozen=True, eq=False)
class DiscSamples:
    """Half of the samples within a radius, coarse resolution first; each stands for two.

    The zero frequency, which holds the grey offset, and the Nyquist frequency, whose phase is not
    known, are left out.

    Attributes:
        box_size: Side of the images, in px.
        radius: Of the finest samples, in samples from the zero frequency.
        index: Place in the flattened half transform.
        frequency_xy: Frequency in samples (cycles per box).
        shell: Nearest whole radius.
    """

    box_size: int
    radius: int
    index: Int[Tensor, " sample"]
    frequency_xy: Float[Tensor, "2 sample"]
    shell: Int[Tensor, " sample"]

    def count(self, radius: int) -> int:
        """How many of the first samples lie within a smaller radius."""
        return int((self.shell <= radius).sum())

    def of(self, image_rfft: Num[Tensor, "*batch y x_half"]) -> Num[Tensor, "*batch sample"]:
        """The samples of half transforms, or of real weights on them."""
        return image_rfft.flatten(-2).index_select(-1, self.index)


def disc_samples(box_size: int, radius: int, *, device: torch.device | str = "cpu") -> DiscSamples:
    """Choose the samples whose nearest shell is at most `radius`.

    Raises:
        GeometryError: If the box has no such sample.
    """
    y = torch.fft.fftfreq(box_size, d=1.0 / box_size)
    x = torch.fft.rfftfreq(box_size, d=1.0 / box_size)
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    distance = torch.hypot(grid_y, grid_x)
    shell = (distance + 0.5).long()
    # the column x = 0 holds both a frequency and its Friedel mate
    is_wanted = (grid_x > 0) | (grid_y > 0)
    is_wanted &= (shell <= radius) & (distance < box_size / 2 - 0.25)
    chosen = is_wanted.flatten().nonzero().squeeze(-1)
    if not len(chosen):
        raise GeometryError(
            f"a box of {box_size} px has no Fourier samples up to shell {radius}; "
            "choose a finer --max-resolution or a larger box"
        )
    chosen = chosen[torch.argsort(distance.flatten()[chosen], stable=True)]
    frequency_xy = torch.stack([grid_x.flatten()[chosen], grid_y.flatten()[chosen]])
    return DiscSamples(
        box_size,
        int(shell.flatten()[chosen].max()),
        chosen.to(device),
        frequency_xy.to(device),
        shell.flatten()[chosen].to(device),
    )
