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
# Neighbours this close leave 1.2e3 Å^3 for each bead at the density of a loose random packing.
_STEP, CLOSEST = 9.5, 9.0
"""Å between beads that follow each other, and at least between any two."""
# Radius in Å that a compact chain of one bead would fill; grows with the cube root of beads.
_COMPACT = 7.5
_DIRECTIONS = 48
# Copies are pushed apart in steps of so many Å, in so many random ways.
_PUSH, _TRIALS = 2.0, 6


def generated_species(
    symmetries: Sequence[str],
    pixel_size: float,
    generator: torch.Generator,
    *,
    mass_range: tuple[float, float] = (300.0, 2600.0),
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
        density = potential([generated_points(beads)], pixel_size)
        name = f"chain-{index + 1}-{symmetry}"
        species.append(Species(name, normalised(density), symmetry))
    return species


def generated_points(beads: Float[Tensor, "bead 3"]) -> Points:
    """Beads of a generated molecule with what each contributes."""
    return Points(beads, gaussian_bead(1.0, _BEAD_SIGMA))


def chain(num_beads: int, generator: torch.Generator) -> Float[Tensor, "{num_beads} 3"]:
    """Grow a self-avoiding chain that keeps near two or three centres, its domains.

    Where the end is walled in, growth goes on from a random earlier bead, as a side chain would.
    """
    radius = _COMPACT * num_beads ** (1.0 / 3.0)
    num_domains = 2 + int(torch.randint(2, (1,), generator=generator))
    directions = torch.randn(num_domains, 3, generator=generator)
    centres = 0.6 * radius * torch.nn.functional.normalize(directions, dim=1)
    beads = centres[:1].clone()
    end = beads[0]
    while len(beads) < num_beads:
        centre = centres[len(beads) * num_domains // num_beads]
        steps = torch.randn(_DIRECTIONS, 3, generator=generator)
        candidates = end + _STEP * torch.nn.functional.normalize(steps, dim=1)
        is_free = torch.cdist(candidates, beads).min(dim=1).values >= CLOSEST
        if not bool(is_free.any()):
            end = beads[int(torch.randint(len(beads), (1,), generator=generator))]
            continue
        weights = torch.exp(-(((candidates - centre).norm(dim=1) / (0.5 * radius)) ** 2) / 2.0)
        # A floor lets the chain walk over from one domain to the next, however far.
        weights = (weights + 1e-12) * is_free
        end = candidates[int(torch.multinomial(weights, 1, generator=generator))]
        beads = torch.cat([beads, end[None]])
    centred: Tensor = beads - beads.mean(dim=0)
    return centred


def assembled(
    beads: Float[Tensor, "bead 3"],
    operators: Float[Tensor, "operator 3 3"],
    generator: torch.Generator,
) -> Float[Tensor, "all 3"]:
    """Arrange copies of a chain round the centre so that they just touch.

    The chain is turned and pushed outwards in several random ways; the most compact result is kept.
    """
    trials = 1 if len(operators) == 1 else _TRIALS
    rotations = random_rotations(trials, generator)
    directions = torch.randn(trials, 3, generator=generator)
    results = [
        _pushed_apart(beads @ rotation.T, operators, torch.nn.functional.normalize(way, dim=0))
        for rotation, way in zip(rotations, directions, strict=True)
    ]
    return min(results, key=lambda points: float(points.norm(dim=1).max()))


def _pushed_apart(
    beads: Float[Tensor, "bead 3"],
    operators: Float[Tensor, "operator 3 3"],
    direction: Float[Tensor, "3"],
) -> Float[Tensor, "all 3"]:
    """Move a chain away from the centre until it keeps its distance from all its copies.

    A random direction lies on no symmetry axis, hence every copy is left behind in the end.
    """
    reach = 2.0 * float(beads.norm(dim=1).max()) + CLOSEST
    for distance in torch.arange(0.0, 100.0 * reach, _PUSH):
        moved = beads + distance * direction
        copies = torch.einsum("oij,bj->obi", operators[1:], moved).flatten(0, 1)
        if len(copies) == 0 or float(torch.cdist(moved, copies).min()) >= CLOSEST:
            break
    return torch.cat([moved, copies])
