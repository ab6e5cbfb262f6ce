import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, InputFileError
from icelens.core.simulate.molecules import (
    POTENTIAL_PER_SCATTERING,
    PROTEIN_OVER_ICE,
    SOLVENT_POTENTIAL,
    atom_points,
    read_atoms,
    species_from_map,
    species_from_model,
)
from icelens.core.simulate.potential import (
    Points,
    box_that_holds,
    gaussian_bead,
    potential,
    potential_in_box,
)

# Two carbons and a hydrogen; the assembly turns them by half about z: six atoms.
PDB = """\
REMARK 350 BIOMOLECULE: 1
REMARK 350 APPLY THE FOLLOWING TO CHAINS: A
REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000
REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000
REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000
REMARK 350   BIOMT1   2 -1.000000  0.000000  0.000000        0.00000
REMARK 350   BIOMT2   2  0.000000 -1.000000  0.000000        0.00000
REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000        0.00000
ATOM      1  CA  ALA A   1      20.000   5.000   0.000  1.00  0.00           C
ATOM      2  CB  ALA A   1      30.000   0.000   8.000  1.00  0.00           C
ATOM      3  HA  ALA A   1      21.000   5.000   0.000  1.00  0.00           H
END
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "two carbons.pdb.gz"
    path.write_bytes(gzip.compress(PDB.encode()))
    return path


def test_assembly_of_remark_350_is_applied(model: Path) -> None:
    atoms = read_atoms(model)
    assert {name: len(places) for name, places in atoms.items()} == {"C": 4, "H": 2}
    assert np.allclose(sorted(atoms["C"][:, 0]), [-30.0, -20.0, 20.0, 30.0])


def test_integral_of_the_potential_is_scattering_less_displaced_ice(model: Path) -> None:
    density = species_from_model(model, 4.0).density
    # f_e(0) of C and H in Å (Peng 1996); volumes in Å^3 (Fraser 1978)
    scattering = 4 * 2.5088 + 2 * 0.5288
    ice = SOLVENT_POTENTIAL * (4 * 16.44 + 2 * 5.15)
    expected = (POTENTIAL_PER_SCATTERING * scattering - ice) / PROTEIN_OVER_ICE
    assert float(density.sum() * 4.0**3) == pytest.approx(expected, rel=1e-3)


def test_points_sit_where_they_belong() -> None:
    points = torch.tensor([[40.0, 0.0, 0.0], [-40.0, 0.0, 0.0], [0.0, 0.0, 60.0]])
    density = potential([Points(points, gaussian_bead(1.0, 5.0))], 10.0)
    centre = len(density) // 2
    # the centroid (0, 0, 20) is the centre voxel: the third point is 4 voxels above it
    for z, x in ((-2, 4), (-2, -4), (4, 0)):
        around = density[centre + z - 1 : centre + z + 2, :, centre + x - 1 : centre + x + 2]
        assert float(density[centre + z, centre, centre + x]) == float(around.max())


def test_potential_hardly_depends_on_the_grid() -> None:
    generator = torch.Generator().manual_seed(1)
    points = 25.0 * torch.randn(40, 3, generator=generator)
    whole = potential([Points(points, gaussian_bead(1.0, 5.0))], 8.0)
    moved = potential([Points(points @ torch.eye(3)[[1, 0, 2]], gaussian_bead(1.0, 5.0))], 8.0)
    assert torch.allclose(whole, moved.transpose(1, 2), atol=1e-6)


def test_map_is_scaled_to_protein_and_resampled() -> None:
    axis = torch.arange(32) - 16
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    ball = 70.0 * torch.exp(-(z**2 + y**2 + x**2) / 50.0)
    same = species_from_map("ball", Volume(ball.numpy(), 5.0), 5.0).density
    coarse = species_from_map("ball", Volume(ball.numpy(), 5.0), 10.0).density
    assert same.shape == (32, 32, 32)
    assert coarse.shape == (16, 16, 16)
    assert int(coarse.argmax()) == (8 * 16 + 8) * 16 + 8
    assert float(same[same > 0.2 * same.max()].median()) == pytest.approx(1.0)


def test_map_beside_its_centre_is_moved_there() -> None:
    axis = torch.arange(20)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    ball = 7.0 * torch.exp(-((z - 9.4) ** 2 + (y - 8.3) ** 2 + (x - 12.0) ** 2) / 8.0)
    density = species_from_map("ball", Volume(ball.numpy(), 10.0), 10.0).density
    places = torch.stack(torch.meshgrid(*map(torch.arange, density.shape), indexing="ij"))
    centre = (places * density).sum(dim=(1, 2, 3)) / density.sum()
    # the Gaussian is cut by the box and by the envelope, a little more on one side
    assert centre.tolist() == pytest.approx([n // 2 for n in density.shape], abs=0.05)


@pytest.mark.parametrize("content", [b"", b"not a model\n"])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong.pdb"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"wrong\.pdb: .*expected"):
        read_atoms(path)


def test_missing_model_and_empty_map_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        read_atoms(tmp_path / "absent.cif")
    with pytest.raises(GeometryError, match="positive density"):
        species_from_map("dark", Volume(np.full((4, 4, 4), -1.0, np.float32), 5.0), 5.0)


def test_proteasome_looks_like_its_map(shared_data: Path) -> None:
    density = species_from_model(shared_data / "pdb" / "3j9i.pdb.gz", 10.0).density
    stored = np.fromfile(shared_data / "maps_10A" / "3j9i.mrc", "<f4", offset=1024)
    expected = torch.from_numpy(stored.reshape(58, 58, 58).copy())
    margin = (58 - len(density)) // 2
    ours = torch.nn.functional.pad(density, [margin, 58 - len(density) - margin] * 3)
    shared = torch.fft.irfftn(torch.fft.rfftn(ours) * torch.fft.rfftn(expected).conj(), s=(58,) * 3)
    # best over shifts, as the map's origin is its own; it is a little sharper than ours
    assert float(shared.max() / (ours.norm() * expected.norm())) > 0.97


def test_molecules_in_one_box_keep_their_places_to_each_other() -> None:
    whole = torch.tensor([[30.0, 0.0, 0.0], [-10.0, 0.0, 0.0], [-20.0, 0.0, 0.0]])
    centre = torch.tensor([5.0, 0.0, 0.0])
    side = box_that_holds([whole, whole[:1]], centre, 5.0)
    bead = gaussian_bead(1.0, 5.0)
    maps = [
        potential_in_box([Points(each, bead)], 5.0, centre_xyz=centre, box_size=side)
        for each in (whole, whole[:1], whole[1:])
    ]
    assert torch.allclose(maps[0], maps[1] + maps[2], atol=1e-6)
    assert int(maps[1].argmax()) % side == side // 2 + 5


def test_atoms_carry_hydrogens_only_where_the_model_leaves_them_out() -> None:
    carbon = {"C": np.zeros((1, 3), np.float32)}
    at_zero = torch.zeros(1)
    (alone,) = atom_points(carbon, has_hydrogens=True)
    (carrying,) = atom_points(carbon)
    assert float(carrying.form_factor(at_zero)) != float(alone.form_factor(at_zero))
