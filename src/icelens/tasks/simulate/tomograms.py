"""Simulate tomograms one by one and write each with everything that is known about it."""

from pathlib import Path

import numpy as np
from torch import Tensor

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.events import Message, Saved
from icelens.core.io.atomic import atomic_path
from icelens.core.io.copick.keys import copick_name
from icelens.core.io.copick.object_table import OBJECTS_FILE, write_objects
from icelens.core.io.picks import write_copick
from icelens.core.io.relion_particles import write_relion_particles
from icelens.core.io.tomogram_star import write_tomograms as write_star
from icelens.core.io.volumes import write_volume
from icelens.core.simulate.misalignment import Misalignment
from icelens.core.simulate.specimen import Species, Specimen, radius_px
from icelens.core.simulate.tilt_series import Acquisition, Microscope
from icelens.core.simulate.tomograms import (
    SimulatedTomogram,
    TomogramSettings,
    simulate_tomograms,
)
from icelens.jobs.run import Run
from icelens.tasks.simulate.jobs import TomogramsConfig
from icelens.tasks.simulate.species import collect_species, num_particles


def write_tomograms(config: TomogramsConfig, run: Run) -> Path:
    """Simulate and write; returns the list of tomograms."""
    species = collect_species(config)
    settings = settings_of(config, species)
    run.on_event(
        Message(
            f"{config.count} tomograms, each with {settings.num_particles} molecules of "
            + ", ".join(kind.name for kind in species)
        )
    )
    rows = []
    simulated = simulate_tomograms(
        species, settings, count=config.count, seed=config.seed, on_event=run.on_event
    )
    for index, tomogram in enumerate(simulated, start=1):
        rows.append(_write_one(index, tomogram, species, settings, config, run))
    objects = run.folder / OBJECTS_FILE
    write_objects(objects, objects_of(species, settings.pixel_size))
    run.on_event(Saved(objects, "table"))
    star = run.folder / "tomograms.star"
    write_star(star, TomogramList.from_rows(rows))
    run.on_event(Saved(star, "tomogram list"))
    return star


def objects_of(species: list[Species], pixel_size: float) -> list[PickableObject]:
    """What the picks are of, with radii to the next Å, so that the folder is a project to pick."""
    names = sorted(kind.name for kind in species)
    return [
        PickableObject(
            copick_name(kind.name),
            names.index(kind.name) + 1,
            float(round(radius_px(kind.density) * pixel_size)),
        )
        for kind in species
    ]


def settings_of(config: TomogramsConfig, species: list[Species]) -> TomogramSettings:
    """What the core needs to know, in its own words."""
    recording = config.recording
    low, high = recording.tilt_range
    return TomogramSettings(
        shape=config.shape,
        pixel_size=config.pixel_size,
        num_particles=num_particles(config, species),
        allow_fewer=config.particles is None,
        num_membranes=config.membranes,
        num_gold=config.gold,
        scheme=Acquisition.dose_symmetric(low, high, recording.tilt_step, recording.dose_per_tilt),
        microscope=Microscope(
            voltage=recording.voltage,
            spherical_aberration=recording.spherical_aberration,
            amplitude_contrast=recording.amplitude_contrast,
            defocus=recording.defocus,
            contrast=recording.signal,
        ),
        misalignment=Misalignment(
            recording.shift_error, recording.tilt_error, recording.tilt_axis_error
        ),
        split=recording.split,
    )


def _write_one(
    index: int,
    tomogram: SimulatedTomogram,
    species: list[Species],
    settings: TomogramSettings,
    config: TomogramsConfig,
    run: Run,
) -> TomogramRow:
    """Write all files of one tomogram; returns its row of the list."""
    name, specimen = f"TS_{index:02d}", tomogram.specimen
    run.on_event(
        Message(
            f"{name}: {len(specimen.species)} molecules, {100 * specimen.occupancy:.1f} % of the "
            "volume is not ice"
        )
    )
    sign = -1.0 if config.contrast == "dark" else 1.0
    densities = {
        "even": (f"even/{name}_EVN.mrc", tomogram.even),
        "odd": (f"odd/{name}_ODD.mrc", tomogram.odd),
        "full": (f"full/{name}.mrc", tomogram.full),
        "truth": (f"truth/{name}.mrc", specimen.density),
    }
    for file, density in densities.values():
        _write(run, file, sign * density, settings.pixel_size, np.float32)
    _write(run, f"labels/{name}_classes.mrc", specimen.class_labels, settings.pixel_size, np.int16)
    _write(
        run, f"labels/{name}_instances.mrc", specimen.instance_labels, settings.pixel_size, np.int16
    )
    _write_picks(run.folder / "picks", name, specimen, species, settings)
    tilts = run.folder / "tilts" / f"{name}.tlt"
    with atomic_path(tilts) as temporary:
        temporary.write_text("".join(f"{angle:8.2f}\n" for angle in settings.scheme.tilt_angles))
    microscope = settings.microscope
    paths = {kind: run.folder / file for kind, (file, _) in densities.items()}
    return TomogramRow(
        index=index,
        pixel_size=settings.pixel_size,
        full=paths["full"],
        even=paths["even"],
        odd=paths["odd"],
        ground_truth=paths["truth"],
        defocus=microscope.defocus,
        voltage=microscope.voltage,
        spherical_aberration=microscope.spherical_aberration,
        amplitude_contrast=microscope.amplitude_contrast,
        tilt_min=settings.scheme.tilt_angles[0],
        tilt_max=settings.scheme.tilt_angles[-1],
        num_subtomograms=100,
        tilt_file=tilts,
    )


def _write(run: Run, file: str, values: Tensor, pixel_size: float, dtype: type) -> None:
    path = run.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, Volume(values.numpy(), pixel_size), dtype=dtype)
    run.on_event(Saved(path, "volume"))


def _write_picks(
    folder: Path, name: str, specimen: Specimen, species: list[Species], settings: TomogramSettings
) -> None:
    """Write picks as one RELION STAR, and for copick one file for each species."""
    picks = Picks(
        position_zyx=specimen.position_zyx_px.double().numpy() * settings.pixel_size,
        rotation=specimen.rotation.double().numpy(),
        species=tuple(species[kind].name for kind in specimen.species.tolist()),
        tomogram_id=(name,) * len(specimen.species),
    )
    folder.mkdir(parents=True, exist_ok=True)
    z, y, x = (settings.pixel_size * n for n in settings.shape)
    write_relion_particles(
        folder / f"{name}.star",
        picks,
        extent_zyx=(z, y, x),
        pixel_size=settings.pixel_size,
        voltage=settings.microscope.voltage,
        spherical_aberration=settings.microscope.spherical_aberration,
        amplitude_contrast=settings.microscope.amplitude_contrast,
    )
    for kind in species:
        chosen = picks.select([found == kind.name for found in picks.species])
        write_copick(folder / name / f"{kind.name}.json", chosen)
