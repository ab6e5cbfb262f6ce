"""Cut subtomograms around picks and write the RELION table that notes what each of them is."""

from collections import Counter
from pathlib import Path

import numpy as np

from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError
from icelens.core.events import Message, Progress, Saved
from icelens.core.io.copick.project import open_project
from icelens.core.io.volumes import write_volume
from icelens.core.volumes.crop import Box, cut_subtomogram, standardised_outside_sphere
from icelens.core.volumes.orient import cut_oriented_subtomogram
from icelens.jobs.run import Run
from icelens.tasks.pick.averages import Averages
from icelens.tasks.pick.exchange_jobs import ExtractConfig
from icelens.tasks.pick.extract_plan import Source, plan
from icelens.tasks.pick.extract_table import Written, write_table
from icelens.tasks.pick.picked import common_pixel_size
from icelens.tasks.pick.subtomogram_weights import weight_volume

# RELION's default radius of the background, as a share of half the box.
BACKGROUND_RADIUS = 0.75


def extract_subtomograms(config: ExtractConfig, run: Run) -> Path:
    """Write boxes, weights and table; returns the table.

    Raises:
        InputFileError: If a tomogram holds voxels that are not finite.
        MetadataError: If there is nothing to cut out, more than 1 % of the picks lie outside their
            tomogram, or the runs differ in voxel size.
    """
    project = open_project(config.project)
    sources = plan(project, config, run)
    pixel_size = common_pixel_size(str(config.project), (each.frame for each in sources))
    total = sum(len(each.picks) for each in sources)
    written, averages = Written(), Averages()
    for source in sources:
        volume = project.open_tomogram(source.run, source.key)
        _check_finite(volume, f"{config.project}: run {source.run}, {source.key}")
        _write_run(config, run, source, volume, written, averages, total)
    star = run.folder / "particles.star"
    write_table(star, config, sources, written, pixel_size)
    run.on_event(Saved(star, "table"))
    run.on_event(Message(f"Cut {total} subtomograms of {config.box_size} voxels"))
    _report(run, sources, averages, pixel_size)
    return star


def _check_finite(volume: Volume, where: str) -> None:
    """Refuse a tomogram whose boxes would be of no use to any program."""
    if not np.isfinite([volume.array.min(), volume.array.max()]).all():
        raise InputFileError(
            f"{where}: holds voxels that are not finite; reconstruct it again or replace them by "
            "the mean"
        )


def cut(config: ExtractConfig, source: Source, volume: Volume, number: int) -> Box:
    """One particle's box, bright and standardised if that is asked for."""
    centre = source.picks.position_zyx[number] / volume.pixel_size
    if config.orient:
        rotation = source.picks.rotation[number]
        box = cut_oriented_subtomogram(volume.array, centre, config.box_size, rotation)
    else:
        box = cut_subtomogram(
            volume.array, centre, config.box_size, between_voxels=config.between_voxels
        )
    if config.invert:
        box = -box
    if config.normalise:
        box = standardised_outside_sphere(box, BACKGROUND_RADIUS * config.box_size / 2)
    return box


def _write_run(
    config: ExtractConfig,
    run: Run,
    source: Source,
    volume: Volume,
    written: Written,
    averages: Averages,
    total: int,
) -> None:
    """Write the boxes of one run, and the weights: one volume, or one for each turned box."""
    has_weights = source.scheme is not None or source.defocus > 0
    folder = run.folder / "subtomograms" / source.run
    shared = run.folder / "weights" / f"{source.run}.mrc"
    if has_weights and not config.orient:
        _write_weights(shared, config, source)
    for number in range(len(source.picks)):
        path = folder / f"{source.run}_{number + 1:06d}.mrc"
        box = cut(config, source, volume, number)
        write_volume(path, Volume(box, source.frame.pixel_size))
        written.images.append(str(path))
        if has_weights and config.orient:
            own = path.with_name(f"{path.stem}_weights.mrc")
            _write_weights(own, config, source, rotation=source.picks.rotation[number].T)
            written.weights.append(str(own))
        elif has_weights:
            written.weights.append(str(shared))
        rotation = np.eye(3) if config.orient else source.picks.rotation[number]
        averages.add(source.picks.species[number], box, rotation)
        run.on_event(Progress("extract", len(written.images), total, "particle"))


def _write_weights(
    path: Path, config: ExtractConfig, source: Source, *, rotation: np.ndarray | None = None
) -> None:
    weights = weight_volume(
        config.box_size,
        source.frame.pixel_size,
        source.scheme,
        source.defocus,
        config,
        rotation=rotation,
    )
    write_volume(path, Volume(weights, source.frame.pixel_size))


def _report(run: Run, sources: list[Source], averages: Averages, pixel_size: float) -> None:
    """Counts and mean boxes, on which a wrong unit, axis or contrast shows at once."""
    from icelens.core.plots.slices import orthogonal_slices

    run.report.section("Subtomograms")
    counts = [
        (each.run, name, number)
        for each in sources
        for name, number in sorted(Counter(each.picks.species).items())
    ]
    run.report.table(["run", "object", "subtomograms"], counts)
    run.report.figure(
        orthogonal_slices(averages.shown(), pixel_size),
        name="averages",
        caption="Middle slices of the mean box of the most frequent objects: as cut out, and "
        "turned by the picks' angles where they have some. A particle stands in the middle, "
        "brighter than its surroundings if contrast was made so; all else is blurred.",
    )
