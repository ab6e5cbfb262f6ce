"""How far, how finely and at which resolution a refinement looks. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RefinerSettings:
    """How far, how finely and at which resolution to look.

    Attributes:
        angular_range: Radius of the search around each given pose, in degrees.
        angular_step: Distance of the rotations that are tried, in degrees.
        max_shift: How far the shift may move from the given one, in Å.
        max_resolution: Finest detail that is compared, in Å; None for what the pixels hold.
        mask_diameter: Of the sphere of the reference that counts, in Å; None for all of it.
        symmetry: Point group of the reference: equivalent poses are one mode.
        num_seeds: Candidates of each particle that are improved at low resolution.
        num_finalists: Of these, how many are improved at full resolution at least.
        coarse_phase: Finest detail of the search, in displacements of the particle's edge half way
            between two candidates.
    """

    angular_range: float = 6.0
    angular_step: float = 2.0
    max_shift: float = 10.0
    max_resolution: float | None = None
    mask_diameter: float | None = None
    symmetry: str = "C1"
    num_seeds: int = 4
    num_finalists: int = 2
    coarse_phase: float = 11.0
