import pytest
import torch

from icelens.core.simulate.chains import CLOSEST
from icelens.core.simulate.domains import two_domains


def test_domains_touch_without_overlap_and_share_the_mass() -> None:
    molecule = two_domains(120.0, torch.Generator().manual_seed(3))
    apart = float(torch.cdist(molecule.arm, molecule.body).min())
    assert CLOSEST <= apart < CLOSEST + 1.0
    assert len(molecule.body) + len(molecule.arm) == 120
    assert len(molecule.arm) == 42
    assert float(torch.tensor(molecule.hinge.axis_xyz).norm()) == pytest.approx(1.0)


def test_same_seed_gives_the_same_molecule() -> None:
    first, second = (two_domains(40.0, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first.arm, second.arm)
    assert (first.hinge.axis_xyz == second.hinge.axis_xyz).all()
