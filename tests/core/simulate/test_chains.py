import pytest
import torch

from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.simulate.chains import assembled, chain, generated_species
from icelens.core.simulate.specimen import envelope
from icelens.core.simulate.turning import prepared, rotated

CLOSEST = 9.0


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def nearest(points: torch.Tensor) -> torch.Tensor:
    distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    return (distance + 1e6 * torch.eye(len(points))).min(dim=1).values


def test_chain_avoids_itself_and_stays_compact() -> None:
    beads = chain(300, generator())
    assert beads.shape == (300, 3)
    assert float(nearest(beads).min()) >= CLOSEST - 1e-2  # float32 distances of some 100 Å
    # a straight chain would be 2850 Å long; a ball of 300 kDa has a radius of 44 Å
    assert float(beads.norm(dim=1).max()) < 130.0


@pytest.mark.parametrize("symmetry", ["C7", "D2", "T", "O", "I2"])
def test_assembly_has_its_symmetry_and_no_clash(symmetry: str) -> None:
    operators = symmetry_operators(symmetry)
    beads = assembled(chain(12, generator()), operators, generator(2))
    assert len(beads) == 12 * len(operators)
    assert float(nearest(beads).min()) >= CLOSEST - 1e-2
    for operator in operators[1:4]:
        turned = beads @ operator.T
        distance = torch.cdist(turned, beads, compute_mode="donot_use_mm_for_euclid_dist")
        assert float(distance.min(dim=1).values.max()) < 0.01


def test_density_has_the_symmetry_of_its_name() -> None:
    species = generated_species(["D2"], 10.0, generator(), mass_range=(200.0, 200.0))[0]
    fine = prepared(species.density)
    plain = rotated(fine, torch.eye(3), torch.zeros(3))
    for operator in symmetry_operators("D2"):
        turned = rotated(fine, operator, torch.zeros(3))
        assert float((turned * plain).sum() / (turned.norm() * plain.norm())) > 0.99


def test_molecules_are_chiral() -> None:
    density = generated_species(["C1"], 10.0, generator(), mass_range=(400.0, 400.0))[0].density
    plain, mirror = prepared(density), prepared(density.flip(2).roll(1, 2))
    still = torch.zeros(3)
    reference = rotated(plain, torch.eye(3), still)
    best = 0.0
    # a mirror image, in the best of many orientations, stays below the molecule itself
    for turn in random_rotations(150, generator(3)):
        mirrored = rotated(mirror, turn, still)
        best = max(best, float((mirrored * reference).sum() / reference.norm() / mirrored.norm()))
    assert best < 0.95


def test_masses_grow_and_density_is_that_of_protein() -> None:
    species = generated_species(["C1", "D2"], 10.0, generator(), mass_range=(100.0, 400.0))
    sizes = [int(envelope(kind.density).sum()) for kind in species]
    assert sizes[0] < sizes[1]
    for kind in species:
        assert float(kind.density[envelope(kind.density)].median()) == pytest.approx(1.0)


def test_same_generator_same_molecules() -> None:
    first, second = (generated_species(["C1"], 10.0, generator(5))[0].density for _ in range(2))
    assert torch.equal(first, second)
