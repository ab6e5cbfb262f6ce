"""Molecules that nobody has to download: compact random chains, arranged by a point group.

They have no counterpart in nature. Each is globular, uneven and chiral, so that a wrong hand or
orientation shows, and is as dense as protein at the resolution of a tomogram.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.simulate.molecules import normalised
from icelens.core.simulate.potential import Points, gaussian_bead, potential
from icelens.core.simulate.specimen import Species

# A bead stands for nine residues, 1 kDa in 1.21 Å^3/Da: a ball of 6.6 Å radius.
_BEAD_SIGMA = 5.0
# Random close packing (0.6) of 1.21e3 Å^3 per bead has neighbours about 10.5 Å apart.
_STEP, _CLOSEST = 11.0, 10.0
# Radius in Å that a compact chain of one bead would fill; grows with the cube root of beads.
_COMPACT = 7.5
_DIRECTIONS = 48
# Lengths tried along a line when copies are pushed apart, in Å.
_PUSH = 2.0


def generated_species(
    symmetries: Sequence[str],
    pixel_size: float,
    generator: torch.Generator,
    *,
    mass_range: tuple[float, float] = (300.0, 2500.0),
) -> list[Species]:
    """Make one molecule for each symmetry, of masses spread evenly in their logarithm.

    Args:
        symmetries: Point groups, the lightest molecule first.
        pixel_size: Of the specimen, in Å/px.
        generator: Source of randomness.
        mass_range: Lightest and heaviest whole molecule, in kDa.
    """
    low, high = mass_range
    steps = max(len(symmetries) - 1, 1)
    species = []
    for index, symmetry in enumerate(symmetries):
        operators = symmetry_operators(symmetry)
        mass = low * (high / low) ** (index / steps)
        beads = assembled(
            chain(max(8, round(mass / len(operators))), generator), operators, generator
        )
        points = Points(beads, gaussian_bead(1.0, _BEAD_SIGMA))
        name = f"chain-{index + 1}-{symmetry}"
        species.append(Species(name, normalised(potential([points], pixel_size)), symmetry))
    return species


def chain(num_beads: int, generator: torch.Generator) -> Float[Tensor, "{num_beads} 3"]:
    """Grow a self-avoiding chain that keeps near two or three centres, its domains.

    Where the end is walled in, growth goes on from a random earlier bead, as a side chain would.
    """
    radius = _COMPACT * num_beads ** (1.0 / 3.0)
    num_domains = 2 + int(torch.randint(2, (1,), generator=generator))
    centres = 0.8 * radius * torch.randn(num_domains, 3, generator=generator)
    beads = centres[:1].clone()
    end = beads[0]
    while len(beads) < num_beads:
        centre = centres[len(beads) * num_domains // num_beads]
        steps = torch.randn(_DIRECTIONS, 3, generator=generator)
        candidates = end + _STEP * torch.nn.functional.normalize(steps, dim=1)
        is_free = torch.cdist(candidates, beads).min(dim=1).values >= _CLOSEST
        if not bool(is_free.any()):
            end = beads[int(torch.randint(len(beads), (1,), generator=generator))]
            continue
        weights = torch.exp(-(((candidates - centre).norm(dim=1) / (0.5 * radius)) ** 2) / 2.0)
        # A floor lets the chain walk over from one domain to the next, however far.
        weights = (weights + 1e-12) * is_free
        end = candidates[int(torch.multinomial(weights, 1, generator=generator))]
        beads = torch.cat([beads, end[None]])
    return beads - beads.mean(dim=0)


def assembled(
    beads: Float[Tensor, "bead 3"],
    operators: Float[Tensor, "operator 3 3"],
    generator: torch.Generator,
) -> Float[Tensor, "all 3"]:
    """Turn a chain at random, push it away from the symmetry's centre until copies just touch."""
    beads = beads @ random_rotations(1, generator)[0].T
    if len(operators) == 1:
        return beads
    # A direction drawn at random lies on no symmetry axis, where copies could never part.
    direction = torch.nn.functional.normalize(torch.rand(3, generator=generator) + 0.1, dim=0)
    others = operators[1:]
    while True:
        copies = torch.einsum("oij,bj->obi", others, beads).flatten(0, 1)
        if float(torch.cdist(beads, copies).min()) >= _CLOSEST:
            break
        beads = beads + _PUSH * direction
    return torch.cat([beads, copies])
