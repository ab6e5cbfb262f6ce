"""Simulated sets of particles in several states, made anew from public models and maps.

`python -m bench.hetero_sets mixture igg --folder hetero_sets` writes each into a folder of its own:
what `icelens simulate states` writes. The ratio of signal to noise is that of variances over the
whole box, CTF included; for `mixture` and `igg` it was chosen so that back-projection reaches what
the issue says of it (see RESULTS.md), since the issue does not say where its 0.1 was taken.
"""

import argparse
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bench.command import CommandError, run_icelens
from icelens.core.data.volume import Volume
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.simulate.atoms import AtomTable
from icelens.core.simulate.molecules import atom_points, species_from_map
from icelens.core.simulate.potential import box_that_holds, potential_in_box

SHARED = Path(os.environ.get("ICELENS_SHARED_DATA", "../shared/data")).resolve()
RIBOSOME = SHARED / "pdb" / "4V5A_assembly1_atoms.npz"
COUNT = 1500

# Half of the images' pixels: nothing is lost below their Nyquist frequency.
_FINE = 5.0
# Chains of the 50S subunit begin with B, those of the 30S with A.
_SMALL, _TRNA = "A", ("AV", "AW", "AX", "AY")
# What assembly intermediates lack, one list more in each; the first lack nothing.
_LACKING = (
    (),
    _TRNA,
    ("AB", "AC", "AD", "AE", "AG", "AI", "AJ", "AM", "AN"),
    (_SMALL,),
    ("BB", "BG", "BS"),
    ("B0", "B5", "B6", "B7", "B8", "BI", "BP"),
    ("BC", "BD", "BE", "BH", "BN", "BO"),
    ("BF", "BQ", "BR", "BT", "BU", "BV", "BW", "BX", "BY", "BZ"),
)


@dataclass(frozen=True)
class SetPlan:
    """A set: flags of `icelens simulate states` for the states, from files made in a folder.

    Attributes:
        states: Writes what the flags name into a folder, and returns them.
        grid: Flags for the images.
        snr: Over the whole box.
        period: Of the coordinate of states, if it lies on a circle.
        floors: What the issue says of back-projection of all images, and by true labels, each
            without and with the mask.
    """

    states: Callable[[Path], str]
    grid: str
    snr: float
    period: float | None = None
    floors: tuple[str, str, str, str] = ("", "", "", "")


def ensure_set(name: str, folder: Path) -> Path:
    """The folder of a set, made if it is not there.

    Raises:
        CommandError: If what it is made from is not at hand, or the command fails.
    """
    path = folder.resolve() / name
    if (path / "particles.star").is_file():
        return path
    if not SHARED.is_dir():
        raise CommandError(f"no {SHARED}; name the folder of examples by ICELENS_SHARED_DATA")
    path.mkdir(parents=True, exist_ok=True)
    plan = SETS[name]
    run_icelens(
        f"simulate states {plan.states(path)} {plan.grid} --count {COUNT} --snr {plan.snr} "
        f"--snr-region box --output {shlex.quote(str(path))}",
        path,
    )
    return path


def write_states(folder: Path, states: dict[str, AtomTable]) -> str:
    """Densities of groups of atoms in one frame, about the centre of the first; returns flags."""
    tables = list(states.values())
    places = [torch.from_numpy(each.position_xyz) for each in tables]
    centre = places[0].mean(dim=0)
    box_size = box_that_holds(places, centre, _FINE)
    paths = []
    for name, table in states.items():
        points = atom_points(table.by_element(), has_hydrogens=table.has_hydrogens)
        density = potential_in_box(points, _FINE, centre_xyz=centre, box_size=box_size)
        paths.append(_written(folder, name, Volume(density.numpy(), _FINE)))
    return _maps_flag(paths)


def ribosome_atoms() -> AtomTable:
    """All atoms of the 70S ribosome 4V5A with the names of their chains."""
    with np.load(RIBOSOME) as stored:
        element = np.array([word.capitalize() for word in stored["element"].tolist()], object)
        chain = np.array(stored["chain"].tolist(), object)
        position = stored["xyz"].astype(np.float32)
    return AtomTable(position, element, chain, np.zeros(len(chain), np.int64))


def _mixture(folder: Path) -> str:
    atoms = ribosome_atoms()
    return write_states(folder, {"70S": atoms, "50S": atoms.take(~_begins(atoms, _SMALL))})


def _assembly(folder: Path) -> str:
    atoms = ribosome_atoms()
    states, lacks = {}, np.zeros(len(atoms), bool)
    for number, chains in enumerate(_LACKING):
        for chain in chains:
            lacks |= _begins(atoms, chain)
        states[f"stage_{number}"] = atoms.take(~lacks)
    shares = ",".join(str(8 - number) for number in range(len(_LACKING)))
    return f"{write_states(folder, states)} --populations {shares}"


def _begins(atoms: AtomTable, chain: str) -> np.ndarray:
    return np.array([name.startswith(chain) for name in atoms.chain.tolist()])


def _igg(folder: Path) -> str:
    # the axis at right angles to the Fab, out of the plane in which it leaves the rest
    return (
        f"--model {shlex.quote(str(SHARED / 'pdb' / '1igy.pdb.gz'))} --hinge-chains A,B:1-228 "
        "--hinge-point 6,-5,32.5 --hinge-axis=-0.153,-0.696,0.701 --hinge-range 0,90 --states 10"
    )


def _groel(folder: Path) -> str:
    model = shlex.quote(str(SHARED / "pdb" / "1aon.pdb.gz"))
    return f'--model {model} --drop-chains ";O,P,Q,R,S,T,U"'


def _species(folder: Path) -> str:
    maps = sorted(path for path in (SHARED / "maps_10A").glob("*.mrc") if "30S" not in path.name)
    paths = []
    for path in maps:
        species = species_from_map(path.stem, open_volume(path), 10.0)
        paths.append(_written(folder, path.stem, Volume(species.density.numpy(), 10.0)))
    return _maps_flag(paths)


def _written(folder: Path, name: str, volume: Volume) -> Path:
    path = folder / "made" / f"{name}.mrc"
    path.parent.mkdir(exist_ok=True)
    write_volume(path, volume)
    return path


def _maps_flag(paths: list[Path]) -> str:
    return f"--maps {','.join(shlex.quote(str(path)) for path in paths)}"


SETS = {
    "mixture": SetPlan(
        _mixture,
        "--box-size 48 --pixel-size 10",
        0.13,
        floors=("0.423", "0.450", "0.433", "0.472"),
    ),
    "igg": SetPlan(
        _igg,
        "--box-size 48 --pixel-size 5",
        0.17,
        floors=("0.358", "0.407", "0.309", "0.385"),
    ),
    "assembly": SetPlan(_assembly, "--box-size 48 --pixel-size 10", 0.1),
    "groel": SetPlan(_groel, "--box-size 48 --pixel-size 6", 0.1),
    "species": SetPlan(_species, "--box-size 64 --pixel-size 10", 0.1),
}


def main() -> None:
    """Make the sets that are named."""
    parser = argparse.ArgumentParser(prog="python -m bench.hetero_sets", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SETS)}; all")
    parser.add_argument("--folder", type=Path, default=Path("hetero_sets"))
    given = parser.parse_args()
    for name in given.names or SETS:
        print(ensure_set(name, given.folder), flush=True)


if __name__ == "__main__":
    main()
