"""Atoms of a model as a table, so that chains and stretches of residues can be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError, MetadataError

Floats = npt.NDArray[np.float32]
Words = npt.NDArray[np.object_]
Integers = npt.NDArray[np.int64]
Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AtomTable:
    """Atoms, one per line of each array.

    Attributes:
        position_xyz: `(atom, 3)` in Å.
        element: `(atom,)` symbol such as `C` or `Mg`.
        chain: `(atom,)` name of its chain.
        residue: `(atom,)` number of its residue in the chain.
    """

    position_xyz: Floats
    element: Words
    chain: Words
    residue: Integers

    def __len__(self) -> int:
        """Number of atoms."""
        return len(self.position_xyz)

    @property
    def has_hydrogens(self) -> bool:
        """Whether hydrogens are listed, rather than left to be imagined."""
        return bool((self.element == "H").any())

    def take(self, is_chosen: Chosen) -> "AtomTable":
        """These atoms, in their order."""
        return AtomTable(
            self.position_xyz[is_chosen],
            self.element[is_chosen],
            self.chain[is_chosen],
            self.residue[is_chosen],
        )

    def moved(self, position_xyz: Floats) -> "AtomTable":
        """The same atoms at other places."""
        return AtomTable(position_xyz, self.element, self.chain, self.residue)

    def by_element(self) -> dict[str, Floats]:
        """Positions (atom, xyz) by element, in the order in which elements appear."""
        names = list(dict.fromkeys(self.element.tolist()))
        return {name: self.position_xyz[self.element == name] for name in names}


def read_atom_table(path: Path) -> AtomTable:
    """Atoms of the first assembly of a PDB or mmCIF file; no water, one conformation.

    Raises:
        InputFileError: If the file is missing, unreadable or holds no atoms.
    """
    if not path.is_file():
        raise InputFileError(f"{path}: no such file; give a PDB or mmCIF model")
    try:
        structure = gemmi.read_structure(str(path))
    except (RuntimeError, ValueError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise InputFileError(
            f"{path}: not an atomic model ({reason}); expected PDB or mmCIF"
        ) from error
    empty = InputFileError(f"{path}: holds no atoms; expected a PDB or mmCIF model")
    if len(structure) == 0:
        raise empty
    structure.setup_entities()
    structure.remove_waters()
    structure.remove_alternative_conformations()
    model = structure[0]
    if structure.assemblies:
        naming = gemmi.HowToNameCopiedChain.Short
        model = gemmi.make_assembly(structure.assemblies[0], model, naming)
    sites = [
        (site.atom.pos.tolist(), site.atom.element.name, site.chain.name, site.residue.seqid.num)
        for site in model.all()
    ]
    if not sites:
        raise empty
    positions, elements, chains, residues = zip(*sites, strict=True)
    return AtomTable(
        np.array(positions, np.float32),
        np.array(elements, object),
        np.array(chains, object),
        np.array(residues, np.int64),
    )


def chosen_atoms(atoms: AtomTable, parts: Sequence[str], *, flag: str) -> Chosen:
    """Which atoms belong to chains `A`, or to stretches of them `B:1-228`, both ends included.

    Args:
        atoms: To choose from.
        parts: Names of chains, each with or without a stretch of residues.
        flag: Where the parts were named, for messages.

    Raises:
        MetadataError: If a chain is not there, or a part holds no atom or cannot be read.
    """
    is_chosen = np.zeros(len(atoms), bool)
    for part in parts:
        name, _, stretch = part.strip().partition(":")
        is_part = atoms.chain == name
        if not is_part.any():
            known = ", ".join(dict.fromkeys(atoms.chain.tolist()))
            raise MetadataError(f"{flag}: no chain {name!r} in the model, there are {known}")
        if stretch:
            first, last = _ends(part, stretch, flag)
            is_part &= (atoms.residue >= first) & (atoms.residue <= last)
            if not is_part.any():
                there = atoms.residue[atoms.chain == name]
                raise MetadataError(
                    f"{flag}: no residue of chain {name} is in {stretch}, they go from "
                    f"{there.min()} to {there.max()}"
                )
        is_chosen |= is_part
    return is_chosen


def _ends(part: str, stretch: str, flag: str) -> tuple[int, int]:
    first, _, last = stretch.partition("-")
    if not (first.isdigit() and last.isdigit()):
        raise MetadataError(f"{flag}: cannot read {part!r}, expected a stretch such as B:1-228")
    return int(first), int(last)
