from pathlib import Path

import numpy as np
import pytest
from chain_models import angled, write_model

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.simulate.atoms import AtomTable, chosen_atoms, read_atom_table


@pytest.fixture
def atoms(tmp_path: Path) -> AtomTable:
    return read_atom_table(write_model(tmp_path / "a model.pdb", angled()))


def test_chains_and_residues_are_kept(atoms: AtomTable) -> None:
    assert len(atoms) == 40
    assert atoms.chain.tolist() == ["A"] * 20 + ["B"] * 20
    assert atoms.residue.tolist() == [*range(1, 21), *range(1, 21)]
    assert np.allclose(atoms.by_element()["C"], np.concatenate(list(angled().values())), atol=1e-3)
    assert not atoms.has_hydrogens


def test_parts_are_chains_or_stretches_of_them(atoms: AtomTable) -> None:
    assert chosen_atoms(atoms, ["A", "B:19-25"], flag="--x").sum() == 22
    assert not chosen_atoms(atoms, [], flag="--x").any()
    left = atoms.take(~chosen_atoms(atoms, ["A"], flag="--x"))
    assert set(left.chain) == {"B"}
    assert np.array_equal(left.moved(left.position_xyz + 1).residue, left.residue)


@pytest.mark.parametrize(
    ("part", "piece"),
    [
        ("Q", "--x: no chain 'Q' in the model, there are A, B"),
        ("B:30-40", "they go from 1 to 20"),
        ("B:first", "expected a stretch such as B:1-228"),
        ("B:-3", "expected a stretch"),
    ],
)
def test_parts_that_are_not_there_are_refused(atoms: AtomTable, part: str, piece: str) -> None:
    with pytest.raises(MetadataError, match=piece) as told:
        chosen_atoms(atoms, [part], flag="--x")
    assert "\n" not in str(told.value)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        read_atom_table(tmp_path / "absent.pdb")
    (tmp_path / "empty.pdb").write_text("END\n")
    with pytest.raises(InputFileError, match="holds no atoms"):
        read_atom_table(tmp_path / "empty.pdb")
