"""Collect the molecules of a simulation from maps, models or the generator."""

from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import torch

from icelens.core.errors import InputFileError
from icelens.core.io.volumes import open_volume
from icelens.core.simulate.chains import generated_species
from icelens.core.simulate.molecules import species_from_map, species_from_model
from icelens.core.simulate.specimen import Species, envelope
from icelens.tasks.simulate.jobs import TomogramsConfig

_MAPS = (".mrc", ".map", ".mrc.gz", ".map.gz", ".ccp4")
_MODELS = (".pdb", ".ent", ".cif", ".mmcif", ".pdb.gz", ".ent.gz", ".cif.gz", ".mmcif.gz")


def collect_species(config: TomogramsConfig) -> list[Species]:
    """Molecules of the settings; generated ones if no file is given.

    Raises:
        InputFileError: If a file or folder is missing or of the wrong kind.
    """
    species = [
        species_from_map(path.name.split(".")[0], open_volume(path), config.pixel_size)
        for path in listed(config.maps, _MAPS, "--maps")
    ]
    species += [
        species_from_model(path, config.pixel_size)
        for path in listed(config.models, _MODELS, "--models")
    ]
    if species:
        return species
    symmetries = list(islice(cycle(config.symmetries), config.species))
    generator = torch.Generator().manual_seed(config.seed)
    return generated_species(symmetries, config.pixel_size, generator, mass_range=config.mass_range)


def num_particles(config: TomogramsConfig, species: Sequence[Species]) -> int:
    """The number asked for, or as many as fill the occupancy with equal numbers of each species."""
    if config.particles is not None:
        return config.particles
    num_voxels = sum(int(envelope(kind.density).sum()) for kind in species) / len(species)
    z, y, x = config.shape
    return max(1, round(config.occupancy * z * y * x / num_voxels))


def listed(paths: Sequence[Path], suffixes: Sequence[str], flag: str) -> list[Path]:
    """Files as given, and those of the folders given, in the order of their names.

    Raises:
        InputFileError: If one does not exist, or a folder holds no such file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.name.lower().endswith(tuple(suffixes)))
            if not inside:
                raise InputFileError(
                    f"{path}: holds no file for {flag}, expected names in {', '.join(suffixes)}"
                )
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise InputFileError(f"{path}: no such file or folder; correct {flag}")
    return found
