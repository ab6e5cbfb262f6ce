"""`icelens hetero abinitio` from particle images to poses, maps and latents."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.half_sets import dealt_half_sets
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.io.atomic import make_folder
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.optics.image_source import ImageSource
from icelens.jobs.run import Run
from icelens.jobs.stopwatch import Deadline
from icelens.tasks.hetero.abinitio.finished_run import FinishedRun
from icelens.tasks.hetero.abinitio.found_poses import is_tilt_series, with_found
from icelens.tasks.hetero.abinitio.half_refinement import (
    Reference,
    next_references,
    reconstruct,
    refine_round,
)
from icelens.tasks.hetero.abinitio.march import March, MarchSettings
from icelens.tasks.hetero.abinitio.report import Findings, write_findings, write_states
from icelens.tasks.hetero.abinitio.search_images import SearchImages, without_poses
from icelens.tasks.hetero.abinitio.search_pass import FoundPoses, map_of, search_pass
from icelens.tasks.hetero.abinitio.starts import Start, compare_starts, run_starts
from icelens.tasks.hetero.abinitio.state_files import StateFiles
from icelens.tasks.hetero.abinitio.states import find_states
from icelens.tasks.hetero.abinitio.unposed_images import coarse_grid, prepare_unposed
from icelens.tasks.hetero.abinitio_settings import AbinitioConfig
from icelens.tasks.hetero.first_look import particle_diameter
from icelens.tasks.hetero.hetero_run import RUN_NAME
from icelens.tasks.hetero.image_grid import Grid, choose_grid
from icelens.tasks.hetero.particle_checks import check_half_sets
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import open_cache
from icelens.training.device import choose_compute, keep_freed_memory, use_threads

Integers = npt.NDArray[np.int64]

SEARCH_FOLDER = "search"
_FEWEST = 20
"""Particles; fewer have no two half sets that could agree."""
_FINER_EACH_PASS = 3
"""Shells by which the passes grow."""
_MARGIN = 1.15
"""Of the particle's diameter: what is kept holds its soft edge, too."""


def find_structure(config: AbinitioConfig, run: Run) -> Path:
    """Find poses and structures; return the particle file.

    Raises:
        IcelensError: If settings or particles cannot be used.
        StoppedEarly: If the time limit was reached; the state is kept.
    """
    compute = choose_compute(config.device, threads=config.threads)
    use_threads(compute)
    keep_freed_memory(compute)
    on_event = Deadline(config.time_limit).watch(run.on_event)
    file = _read(config, on_event)
    source = ImageSource(
        file.particles, ImageReader(file.particles, on_event=on_event), compute.device
    )
    grid = choose_grid(file.particles, config.box_size, config.max_resolution, path=file.path)
    (run.folder / RUN_NAME).unlink(missing_ok=True)
    search = _prepared_search(config, run, source, on_event)
    files = StateFiles(run.folder, _fingerprint(config, file, search), run.resume)
    settings = MarchSettings(
        batch_size=config.batch_size,
        iterations=config.iterations,
        max_shift=config.max_shift,
        seed=config.seed,
    )
    starts = run_starts(search, settings, config.starts, files, on_event)
    is_tilted = is_tilt_series(search)
    best, agreement = compare_starts(starts, search, is_hand_known=is_tilted, on_event=on_event)
    poses, halves = _passes(config, search, settings, best, files, on_event)
    is_inverted = search.prepared.facts.is_inverted
    posed = with_found(file.particles, search, poses)
    refined = _refined(
        config, replace(source, particles=posed), search, grid, halves, files, on_event
    )
    final = FinishedRun(config, run.folder, replace(file, particles=refined), grid, is_inverted)
    images, final_halves = final.write(compute.device, on_event)
    if config.latent_dim:
        states = find_states(final, images, final_halves, files, on_event)
        refined, final_halves = states.particles, states.halves
        write_states(run.report, states, grid)
    if not is_tilted:
        on_event(
            Message(
                "images of single particles do not tell the hand: the map may be the mirror image "
                "of the truth (a helix in it decides; tools mirror it)"
            )
        )
    findings = Findings(starts, agreement, best, search, refined, final_halves, grid)
    write_findings(run.report, findings)
    return run.folder / "particles.star"


def _read(config: AbinitioConfig, on_event: OnEvent) -> ParticleFile:
    file = read_particles(
        config.particles,
        stack_root=config.stack_root,
        tomograms=config.tomograms,
        skip_missing=config.skip_missing,
        on_event=on_event,
    )
    count = len(np.unique(file.particles.particle))
    if count < _FEWEST:
        raise MetadataError(
            f"{file.path}: {count} particles, expected {_FEWEST} or more to find a structure "
            "without poses; give more images"
        )
    particles = file.particles
    check_half_sets(file.path, particles, seed=config.seed, on_event=on_event)
    half_set = dealt_half_sets(particles, seed=config.seed)
    used = particle_rows(particles, tilts=config.tilts, seed=config.seed).rows
    # the others get the pose of their particle, but count nothing
    weight = np.zeros(len(particles))
    weight[used] = particles.weight[used]
    return replace(file, particles=replace(particles, half_set=half_set, weight=weight))


def _prepared_search(
    config: AbinitioConfig, run: Run, source: ImageSource, on_event: OnEvent
) -> SearchImages:
    """Coarse images in a folder of their own; taken over from a run that is resumed."""
    particles = source.particles
    rows = particle_rows(particles, tilts=config.tilts, seed=config.seed)
    plain = without_poses(particles, rows)
    folder = run.folder / SEARCH_FOLDER
    make_folder(folder)
    grid = coarse_grid(plain, config.search_resolution)
    cached = open_cache(folder, plain, device=source.device) if run.resume else None
    if cached is None:
        cached = prepare_unposed(
            replace(source, particles=plain),
            grid,
            mask_diameter=config.mask_diameter,
            contrast=config.contrast,
            folder=folder,
            on_event=on_event,
        )
    return SearchImages(cached, rows)


def _fingerprint(
    config: AbinitioConfig, file: ParticleFile, search: SearchImages
) -> dict[str, str | int | float | None]:
    """What the state depends on; --starts may grow."""
    return {
        "images": len(file),
        "search box": search.grid.box_size,
        "seed": config.seed,
        "batch_size": config.batch_size,
        "iterations": config.iterations,
        "max_shift": config.max_shift,
        "mask_diameter": config.mask_diameter,
        "contrast": config.contrast,
    }


def _passes(
    config: AbinitioConfig,
    search: SearchImages,
    settings: MarchSettings,
    best: Start,
    files: StateFiles,
    on_event: OnEvent,
) -> tuple[FoundPoses, HalfMaps]:
    """All particles on all rotations, several times and each time finer."""
    march = March(search, settings, start=best.number)
    everyone = np.arange(len(search))
    density, first = best.density, 1
    known = files.load("passes")
    if known is not None and known[1]["start"] == best.number:
        # the last pass is made again: its sums are not kept
        density = known[0]["density"].to(search.device)
        first = int(known[1]["pass"])
    result = None
    for number in range(first, max(config.passes, first) + 1):
        files.save("passes", {"density": density}, {"pass": number, "start": best.number})
        size = search.grid.box_size
        sums = (SliceSums(size, device=search.device), SliceSums(size, device=search.device))
        finest = march.last_radius + _FINER_EACH_PASS * number - 1
        poses = search_pass(
            search,
            density,
            everyone,
            march.grid,
            first_radius=march.last_radius,
            last_radius=min(finest, search.grid.radius),
            max_shift=settings.max_shift,
            sums=sums,
            on_done=_teller(on_event, f"pass {number} over all", len(everyone), "particle"),
        )
        halves = map_of(search, sums)
        density = halves.full * search.mask
        result = poses, halves
        on_event(
            Message(f"pass {number}: the half sets agree to {halves.resolution:.1f} Å (one map)")
        )
    if result is None:
        raise MetadataError("--passes: expected 1 or more")
    return result


def _refined(
    config: AbinitioConfig,
    source: ImageSource,
    search: SearchImages,
    grid: Grid,
    halves: HalfMaps,
    files: StateFiles,
    on_event: OnEvent,
) -> Particles:
    """Poses refined in two half sets, which begin from one map of few shells."""
    is_inverted = search.prepared.facts.is_inverted
    diameter = config.mask_diameter
    if diameter is None:
        diameter = min(_MARGIN * particle_diameter(halves, search.grid), search.diameter)
    # images are read with their own sign here
    shared = Reference(
        (halves.full * search.mask) * (-1.0 if is_inverted else 1.0),
        search.grid.pixel_size,
        search.extent / March(search, MarchSettings(), start=0).last_radius,
    )
    particles = source.particles
    used = particles.weight > 0
    sets = {half: np.flatnonzero((particles.half_set == half) & used) for half in (1, 2)}
    references, first = {1: shared, 2: shared}, 0
    known = files.load("refined")
    if known is not None:
        first = int(known[1]["rounds"])
        particles = particles.with_poses(known[0]["rotation"].numpy(), known[0]["shift"].numpy())
    total = sum(map(len, sets.values()))
    if config.rounds == 0:
        on_event(
            Message(
                "without --rounds both half sets keep poses against one map, so that their maps "
                "agree better than they deserve",
                "warning",
            )
        )
    for number in range(first, config.rounds):
        if number:
            tell = _teller(on_event, f"map {number}", total, "image")
            source = replace(source, particles=particles)
            made = reconstruct(source, sets, grid, diameter, tell)
            references = next_references(made, grid.pixel_size)
        particles = refine_round(
            references,
            replace(source, particles=particles),
            sets,
            number=number,
            mask_diameter=diameter,
            max_resolution=config.max_resolution,
            on_done=_teller(on_event, f"refine {number + 1}", total, "image"),
        )
        found = {
            "rotation": torch.from_numpy(particles.rotation),
            "shift": torch.from_numpy(particles.shift_yx),
        }
        files.save("refined", found, {"rounds": number + 1})
    return particles


def _teller(on_event: OnEvent, stage: str, total: int, unit: str) -> Callable[[int], None]:
    def tell(done: int) -> None:
        on_event(Progress(stage, done, total, unit))

    tell(0)
    return tell
