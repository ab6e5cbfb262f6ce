"""How volumes of a run are made, checked and finished before they are written. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VolumeOptions:
    """What is done to each volume, in the order of these lines.

    Attributes:
        box_size: Side in px of a coarser grid of the same width; None keeps the model's.
        low_pass: In Å; the soft edge ends there.
        is_normalised: Bring the mean inside the mask (or sphere) to 0 and the deviation to 1.
        mask: Volume file that volumes are multiplied by, from 0 to 1.
        is_inverted: Multiply by -1.
        is_hand_flipped: Mirror along z about the centre voxel, which stays.
        crop_box: Side in px of the middle that is kept; the header's origin moves along.
        with_halves: Write two independent volumes of each state, too.
        with_uncertainty: Write half of the absolute difference of those, too.
        is_checked: Compare with maps of the images that lie nearest.
        num_particles: Particles that such a map is made of.
        device: Where to compute.
    """

    box_size: int | None = None
    low_pass: float | None = None
    is_normalised: bool = False
    mask: Path | None = None
    is_inverted: bool = False
    is_hand_flipped: bool = False
    crop_box: int | None = None
    with_halves: bool = False
    with_uncertainty: bool = False
    is_checked: bool = True
    num_particles: int = 1000
    device: str = "cpu"

    @property
    def needs_halves(self) -> bool:
        """Whether files are wanted that only two independent volumes can give."""
        return self.with_halves or self.with_uncertainty
