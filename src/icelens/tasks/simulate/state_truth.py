"""The states that are simulated: read, cut out of a model, turned about its hinge, or generated."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.simulate.atoms import AtomTable, chosen_atoms, read_atom_table
from icelens.core.simulate.chains import generated_points
from icelens.core.simulate.domains import two_domains
from icelens.core.simulate.hinge import Hinge, axis_out_of, joint, num_clashes, swung
from icelens.core.simulate.molecules import PROTEIN_OVER_ICE, atom_points
from icelens.core.simulate.potential import Points, box_that_holds, potential_in_box
from icelens.tasks.simulate.particle_truth import (
    ParticleDensity,
    density_of_map,
    drawn_grid,
    fitting_mass,
)
from icelens.tasks.simulate.scene import MakeDensity
from icelens.tasks.simulate.state_jobs import StatesConfig, num_states

Floats = npt.NDArray[np.float64]

_FINER = 2
"""Molecules are sampled so much more finely first, so that nothing is lost below Nyquist."""
_MARGIN = 20.0
"""Å: a generated bead has faded before."""
_SWING = (-30.0, 30.0)
_TURN = 360.0
# Radius of a generated molecule as a share of the box: two domains reach farther than one.
_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class TrueStates:
    """States of one particle, all in one frame.

    Attributes:
        densities: What makes the density of each.
        names: Of each, for people.
        coordinate: `(state,)` place along the motion, in degrees; nan where states have no order.
        read: Files they come from.
    """

    densities: Sequence[MakeDensity]
    names: tuple[str, ...]
    coordinate: Floats = field(default_factory=lambda: np.empty(0))
    read: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        """States without a coordinate have no order."""
        if not self.coordinate.size:
            object.__setattr__(self, "coordinate", np.full(len(self.names), np.nan))


def states_of(config: StatesConfig, on_event: OnEvent) -> TrueStates:
    """The states that the settings name; files are read, densities are not made yet.

    Args:
        config: Exactly one source of states, or none.
        on_event: Hears where a hinge is, and of parts that run into each other.

    Raises:
        InputFileError: If a file is no such map or model.
        MetadataError: If settings contradict each other or a chain is not there.
    """
    _check_sources(config)
    if config.maps:
        return _maps(config)
    if config.models:
        tables = [read_atom_table(path) for path in config.models]
        return TrueStates(_densities(tables), _names(config.models), read=config.models)
    if config.model is None:
        return _generated(config)
    atoms = read_atom_table(config.model)
    if config.drop_chains:
        return _assembly(config, config.model, atoms)
    return _hinged(config, config.model, atoms, on_event)


def _check_sources(config: StatesConfig) -> None:
    sources = {"--maps": config.maps, "--models": config.models, "--model": config.model}
    given = [flag for flag, value in sources.items() if value]
    if len(given) > 1:
        raise MetadataError(f"{given[0]} and {given[1]} both name the states; give one of them")
    ways = [flag for flag, value in _ways(config).items() if value]
    if config.model is not None and len(ways) != 1:
        found = " and ".join(ways) or "nothing"
        raise MetadataError(
            f"{config.model}: {found} says what changes in the model, expected --hinge-chains or "
            "--drop-chains; give one of them"
        )
    if config.model is None and ways:
        raise MetadataError(f"{ways[0]} needs a --model, whose chains it names")
    is_counted = bool(config.maps or config.models or config.drop_chains)
    if is_counted and config.states not in (None, num_states(config)):
        raise MetadataError(
            f"--states is {config.states}, but {num_states(config)} are given; leave it out"
        )


def _ways(config: StatesConfig) -> dict[str, object]:
    return {"--hinge-chains": config.hinge_chains, "--drop-chains": config.drop_chains}


def _maps(config: StatesConfig) -> TrueStates:
    def made(path: Path, pixel_size: float) -> ParticleDensity:
        return density_of_map(path, config.map_pixel_size)

    makers = [partial(made, path) for path in config.maps]
    return TrueStates(makers, _names(config.maps), read=config.maps)


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    return tuple(path.name.split(".")[0] for path in paths)


def _assembly(config: StatesConfig, path: Path, atoms: AtomTable) -> TrueStates:
    """A state for each list of chains that are missing."""
    tables, names = [], []
    for text in config.drop_chains.split(";"):
        parts = [part for part in text.split(",") if part.strip()]
        kept = atoms.take(~chosen_atoms(atoms, parts, flag="--drop-chains"))
        if not len(kept):
            raise MetadataError(f"--drop-chains: nothing of {path} is left without {text}")
        tables.append(kept)
        names.append(f"without {text.strip()}" if parts else "whole")
    has_hydrogens = atoms.has_hydrogens
    return TrueStates(_densities(tables, has_hydrogens=has_hydrogens), tuple(names), read=(path,))


def _hinged(config: StatesConfig, path: Path, atoms: AtomTable, on_event: OnEvent) -> TrueStates:
    """Some chains turned about a hinge by equal steps."""
    is_moving = chosen_atoms(atoms, config.hinge_chains, flag="--hinge-chains")
    if is_moving.all():
        raise MetadataError(f"--hinge-chains names all of {path}; leave out what stays fixed")
    places = atoms.position_xyz
    moving, fixed = places[is_moving], places[~is_moving]
    hinge = _hinge(config, moving, fixed)
    angles = _angles(config.hinge_range or (0.0, _TURN), num_states(config))
    on_event(
        Message(
            f"{path}: the hinge is at x,y,z = {_words(hinge.point_xyz)} Å with the axis "
            f"{_words(hinge.axis_xyz)}"
        )
    )
    tables = []
    for angle in angles:
        turned = places.copy()
        turned[is_moving] = swung(moving, hinge, float(angle))
        tables.append(atoms.moved(turned))
    _warn_of_clashes(path, [table.position_xyz for table in tables], is_moving, on_event)
    names = tuple(f"{angle:g}°" for angle in angles)
    return TrueStates(_densities(tables), names, angles, read=(path,))


def _hinge(
    config: StatesConfig, moving: npt.NDArray[np.float32], fixed: npt.NDArray[np.float32]
) -> Hinge:
    """The hinge as given, or where the parts suggest it."""
    point = _numbers(config.hinge_point, "--hinge-point")
    axis = _numbers(config.hinge_axis, "--hinge-axis")
    if point is None:
        point = joint(moving, fixed)
    if axis is None:
        axis = axis_out_of(fixed, point)
    elif not axis.any():
        raise MetadataError("--hinge-axis is 0,0,0, expected a direction such as 0,0,1, or auto")
    return Hinge(point, axis)


def _numbers(text: str, flag: str) -> Floats | None:
    """Three numbers, or None for `auto`."""
    if text.strip() == "auto":
        return None
    try:
        xyz = np.array([float(word) for word in text.split(",")])
    except ValueError:
        xyz = np.empty(0)
    if xyz.shape != (3,) or not np.isfinite(xyz).all():
        raise MetadataError(f"{flag} is {text!r}, expected auto or three numbers such as 0,0,1")
    return xyz


def _warn_of_clashes(
    path: Path,
    states: Sequence[npt.NDArray[np.float32]],
    is_moving: npt.NDArray[np.bool_],
    on_event: OnEvent,
) -> None:
    """Say how far the moving part runs into the fixed one, beyond what it does in the model."""
    clashes = [num_clashes(places[is_moving], places[~is_moving]) for places in states]
    worst = int(np.argmax(clashes))
    most = max(20, int(0.01 * is_moving.sum()))
    if clashes[worst] > most:
        on_event(
            Message(
                f"{path}: in state {worst + 1} {clashes[worst]} atoms of the moving part run into "
                "the fixed one; change --hinge-axis, --hinge-point or --hinge-range if that "
                "matters",
                level="warning",
            )
        )


def _generated(config: StatesConfig) -> TrueStates:
    """A molecule of two domains, one of which swings or is lost."""
    count = num_states(config)
    generator = torch.Generator().manual_seed(config.seed)
    box_size, pixel_size = drawn_grid(config, None)
    mass = config.mass or fitting_mass(box_size * pixel_size, share=_SHARE)
    molecule = two_domains(mass, generator)
    if config.change == "loss":
        if count != 2:
            raise MetadataError(f"--states is {count}, but --change loss has 2; leave it out")
        beads = [torch.cat([molecule.body, molecule.arm]), molecule.body]
        return TrueStates(
            _molecules([[generated_points(each)] for each in beads]), ("whole", "without arm")
        )
    angles = _angles(config.hinge_range or _SWING, count)
    arms = [swung(molecule.arm.numpy(), molecule.hinge, angle) for angle in angles.tolist()]
    beads = [torch.cat([molecule.body, torch.from_numpy(arm).float()]) for arm in arms]
    return TrueStates(_beads(beads), tuple(f"{angle:g}°" for angle in angles), angles)


def _beads(states: Sequence[torch.Tensor]) -> list[MakeDensity]:
    return _molecules([[generated_points(each)] for each in states])


def _angles(ends: tuple[float, float], count: int) -> Floats:
    """Equal steps from the first angle to the last, which is left out if it is the first again."""
    first, last = ends
    is_full = abs(abs(last - first) - _TURN) < 1e-9
    angles: Floats = np.linspace(first, last, count, endpoint=not is_full)
    return angles


def _densities(
    tables: Sequence[AtomTable], *, has_hydrogens: bool | None = None
) -> list[MakeDensity]:
    return _molecules(
        [atom_points(table.by_element(), has_hydrogens=has_hydrogens) for table in tables],
        unit=PROTEIN_OVER_ICE,
    )


def _molecules(states: Sequence[Sequence[Points]], *, unit: float = 1.0) -> list[MakeDensity]:
    """Densities about the mean place of all atoms of all states, which they share as centre."""
    places = [torch.cat([kind.position_xyz for kind in points]) for points in states]
    centre = torch.cat(places).mean(dim=0)

    def made(points: Sequence[Points], pixel_size: float) -> ParticleDensity:
        fine = pixel_size / _FINER
        box_size = box_that_holds(places, centre, fine, margin=_MARGIN)
        density = potential_in_box(points, fine, centre_xyz=centre, box_size=box_size)
        return ParticleDensity(density / unit, fine)

    return [partial(made, points) for points in states]


def _words(xyz: Floats) -> str:
    return ",".join(f"{value:.4g}" for value in xyz)
