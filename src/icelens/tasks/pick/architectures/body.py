"""What an architecture hands over: a module, and how its output and its boxes are sized."""

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Body:
    """A module from (batch, 1, z, y, x) to logits, or to a list of them, the finest first.

    Logits have one channel per class and sides of 1 / `stride`; the sides of the input must be
    multiples of `box_multiple`.
    """

    module: nn.Module
    box_multiple: int
    stride: int = 1
