"""Restore the listed tomograms with a checkpoint and enter the results into the list."""

from pathlib import Path

from icelens.core.data.tomograms import TomogramRow
from icelens.core.events import Message, Progress, Saved
from icelens.core.io.pairs import tomogram_name
from icelens.core.io.tomogram_star import read_tomograms, update_tomograms
from icelens.core.io.volumes import open_volume
from icelens.core.plots.middle import middle_of
from icelens.core.plots.slices import orthogonal_slices, power_spectra
from icelens.jobs.run import Run
from icelens.jobs.stopwatch import Deadline
from icelens.tasks.restore.output_names import told_apart
from icelens.tasks.restore.predict import MARGIN, RAMP, TilePlan
from icelens.tasks.restore.restorer import Restorer, check_pixel_size, load_restorer
from icelens.tasks.restore.settings import PredictConfig
from icelens.training.checkpoint import load_checkpoint
from icelens.training.device import choose_compute, keep_freed_memory, use_threads


def predict(config: PredictConfig, run: Run) -> list[Path]:
    """Restore each listed tomogram into `config.output`; return the files."""
    compute = choose_compute(config.device, config.precision, config.threads)
    use_threads(compute)
    keep_freed_memory(compute)
    run.on_event(Message(f"Computing on {compute.reason}"))
    rows = list(read_tomograms(config.star).select(config.tomograms))
    restorer, known = load_restorer(
        config.checkpoint,
        compute,
        plan=tile_plan(config),
        contrast=config.contrast,
        pixel_size_from=config.pixel_size_from,
        input_column=config.input_column,
        apply_wedge=config.apply_wedge,
        phase_flipped=config.phase_flipped,
        turned_copies=config.turned_copies,
        halves=config.halves,
    )
    check_pixel_size(rows, known, config.checkpoint, config.pixel_size_tolerance)
    for row in rows:  # a missing file is found before hours of work, not after
        restorer.open(row)
    column = "corrected" if restorer.fills_wedge else "denoised"
    update_tomograms(config.star, column, {})  # a list that cannot be written is found here, too
    names = told_apart({row.index: tomogram_name(restorer.files(row)[0]) for row in rows})
    deadline = Deadline(config.time_limit)
    written = []
    for number, row in enumerate(rows):
        target = run.folder / f"{config.prefix}{names[row.index]}.mrc"
        written.append(target)
        if run.resume and is_done(getattr(row, column), target, config.checkpoint):
            run.on_event(Message(f"{target}: restored before, kept"))
            continue
        restorer.restore_to_file(row, target, on_event=deadline.watch(run.on_event))
        update_tomograms(config.star, column, {row.index: target})
        run.on_event(Saved(target, "volume"))
        run.on_event(Progress("tomograms", number + 1, len(rows), "tomogram"))
        if number == 0:
            show(run, restorer, row, target)
    run.on_event(Saved(config.star, "tomogram list"))
    run.on_event(Message(f"Restored {len(rows)} tomograms; {config.star} lists them as {column}"))
    return written


def is_done(listed: Path | None, target: Path, checkpoint: Path) -> bool:
    """Whether a resumed run has this tomogram already: whole, listed, and of these weights.

    Files appear under their name only when complete, and are listed after that.
    """
    if listed is None or not target.exists() or listed.resolve() != target.resolve():
        return False
    return target.stat().st_mtime > load_checkpoint(checkpoint).path.stat().st_mtime


def tile_plan(config: PredictConfig) -> TilePlan | None:
    """Tiles as asked for; None leaves the choice to the restorer."""
    if config.tile_size == 0 and config.padding_factor == 0:
        return None
    tile_size = config.tile_size or 96
    if config.padding_factor == 0:
        return TilePlan(tile_size, MARGIN, RAMP)
    kept = int(tile_size / max(config.padding_factor, 1.0))
    return TilePlan(tile_size, max(0, (tile_size - kept - RAMP) // 2), min(RAMP, kept - 1))


def show(run: Run, restorer: Restorer, row: TomogramRow, target: Path) -> None:
    """Slices and power spectra of the first tomogram, before and after, in the report."""
    before = restorer.files(row)[0]
    volumes = {
        "before": middle_of(
            open_volume(before, pixel_size=row.pixel_size, pixel_size_from="metadata").array
        ),
        "restored": middle_of(open_volume(target).array),
    }
    run.report.section(f"Tomogram {row.index}")
    run.report.figure(
        orthogonal_slices(volumes, row.pixel_size),
        name=f"{target.stem}_slices",
        caption=f"Central slices of {before.name} and of what the network made of it.",
    )
    run.report.figure(
        power_spectra(volumes, row.pixel_size),
        name=f"{target.stem}_power",
        caption="Power in the plane of x and z: the missing wedge is dark before and filled after.",
    )
