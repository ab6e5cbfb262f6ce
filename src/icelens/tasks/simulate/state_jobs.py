"""Job of simulate for particles in several states: its name, its settings and what it costs."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, Degrees
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run
from icelens.tasks.simulate.image_settings import DEFAULT_BOX, DEFAULT_COUNT, ImageSettings
from icelens.tasks.simulate.particle_jobs import SECONDS_PER_PIXEL

Share = Annotated[float, Field(gt=0)]

# Measured on one core: a state's maps, their transforms and the measurement of its signal.
_SECONDS_PER_VOXEL = 4e-6
HINGE_STATES, GENERATED_STATES = 100, 2


class StatesConfig(ImageSettings):
    """Settings of `icelens simulate states`."""

    output: Path = Path("simulated_states")
    """Folder to write into."""

    maps: tuple[Path, ...] = ()
    """A density of each state, protein bright, with the centre voxels at the same place; without
    maps and models a molecule of two domains is generated."""

    models: tuple[Path, ...] = ()
    """An atomic model of each state, PDB or mmCIF, superposed on each other."""

    model: Path | None = None
    """One atomic model, with --hinge-chains or --drop-chains."""

    hinge_chains: tuple[str, ...] = ()
    """Chains of the model that turn about a hinge, such as A,B or, where only residues 1 to 228 of
    B do, A,B:1-228."""

    drop_chains: str = ""
    """Chains that each state of the model lacks, states parted by semicolons: ";A;A,B" is all of
    it, without A, and without A and B."""

    states: int | None = Field(default=None, ge=1, le=10_000)
    """States of a hinge: 100, or 2 of a generated molecule; else as many as are given."""

    tilts: int | None = Field(default=None, ge=2)
    """Images of each particle, as a tilt series that M exported, with its dose weights; none takes
    one image of each."""

    populations: tuple[Share, ...] = Field(default=(), json_schema_extra=EXPERT)
    """Share of the particles in each state; equal if left out."""

    hinge_axis: str = Field(default="auto", json_schema_extra=EXPERT)
    """Axis x,y,z of the hinge, of any length; auto is the line from the centre of the fixed part
    through the hinge, about which the other can go round."""

    hinge_point: str = Field(default="auto", json_schema_extra=EXPERT | {"unit": "Å"})
    """Place x,y,z of the hinge in the model's frame; auto is where both parts touch."""

    hinge_range: tuple[Degrees, Degrees] | None = Field(default=None, json_schema_extra=EXPERT)
    """First and last angle, in equal steps: 0,360 for a model, where the last would be the first
    and is left out, and -30,30 for a generated molecule."""

    change: Literal["swing", "loss"] = Field(default="swing", json_schema_extra=EXPERT)
    """What a domain of a generated molecule does: it swings about a hinge, or half the particles
    have lost it."""

    tilt_step: Degrees = Field(default=3.0, gt=0, json_schema_extra=EXPERT)
    """Angle between neighbouring tilts; they are taken from 0 outwards, on both sides in turn."""

    dose_per_tilt: float = Field(default=3.0, gt=0, json_schema_extra=EXPERT | {"unit": "e/Å²"})
    """Electrons for each tilt."""


def estimate_states(config: StatesConfig) -> Estimate:
    """Time from the number of pixels and the states, memory from their maps."""
    box_size = config.box_size
    if box_size is None and config.maps and config.particles_star is None:
        from icelens.core.io.volumes import read_header

        box_size = max(read_header(config.maps[0]).shape)
    box_size = box_size or DEFAULT_BOX
    states = num_states(config)
    pixels = (config.count or DEFAULT_COUNT) * (config.tilts or 1) * box_size**2
    note = "for the default number and size of images: --particles-star is not read for it"
    return Estimate(
        seconds=SECONDS_PER_PIXEL * pixels + _SECONDS_PER_VOXEL * states * box_size**3,
        memory_bytes=(150 + 8 * states) * box_size**3 + 400_000_000,
        disk_bytes=4 * pixels + 4 * states * box_size**3,
        notes=(note,) if config.particles_star is not None else (),
    )


def num_states(config: StatesConfig) -> int:
    """How many states the settings name, before any file is read."""
    if config.maps or config.models:
        return len(config.maps) + len(config.models)
    if config.drop_chains:
        return config.drop_chains.count(";") + 1
    if config.states is not None:
        return config.states
    return GENERATED_STATES if config.model is None else HINGE_STATES


@job("simulate.states", cites=("rohou2015ctffind4",), estimate=estimate_states)
def states(config: StatesConfig, run: Run) -> Path:
    """Simulate images of a particle in several states, from maps, models, a hinge or nothing.

    Writes particles.star with the true poses, random half sets and the state as class number (from
    1), states.csv (row, particle, state from 0, coordinate), image stacks, and maps/state_001.mrc
    and so on: the truth at the images' sampling, all in one frame and on the images' grey scale, in
    which noise has a standard deviation of 1.
    """
    from icelens.tasks.simulate.states import write_state_images

    return write_state_images(config, run)


JOBS = (states,)
