"""What every encoder is: a module from images to features on rings, which knows its own shape."""

from torch import nn

NUM_CHANNELS = 2
"""Of the images: raw and phase-flipped."""


class Encoder(nn.Module):
    """Images `(b, 2, y, x)` to features `(b, out_channels, num_radii, num_angles)`.

    Ring r of the features is a circle about the centre pixel `n // 2`, larger for larger r; angle a
    lies `2 pi a / num_angles` from x towards y. Turning the image then moves features along the
    last axis, exactly or about, as the encoder keeps it.
    """

    out_channels: int
    num_radii: int
    num_angles: int


def ring_shape(box_size: int, step: int, min_angles: int) -> tuple[int, int]:
    """Radii and angles that suit features a step apart on an image.

    Args:
        box_size: Side of the image in px, a multiple of 16.
        step: Px of the image between features along the outermost ring, about a third of it.
        min_angles: At least so many angles are given, a multiple of 4: a right angle is then a
            whole number of them.
    """
    angles = max(2 * box_size // step, min_angles)
    return box_size // 8 * 2, -(-angles // 4) * 4


def group_norm(channels: int, group: int = 8) -> nn.GroupNorm:
    """Normalise groups of that many channels, of all of them if the groups do not come out even."""
    return nn.GroupNorm(channels // group if channels % group == 0 else 1, channels)
