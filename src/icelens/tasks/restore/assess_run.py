"""Assess the listed tomograms: run the three questions, draw and tabulate the answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from icelens.core.data.tomograms import TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.errors import CheckpointError
from icelens.core.events import Message, Saved
from icelens.core.io.csv_table import write_csv
from icelens.core.io.pairs import tomogram_name
from icelens.core.io.tomogram_star import read_tomograms
from icelens.core.io.volumes import new_volume, open_volume
from icelens.core.metrics.fsc import ShellCorrelation, fourier_shell_correlation
from icelens.core.optics.missing_wedge import measured_mask
from icelens.core.plots.curves import fsc_curves
from icelens.core.plots.middle import middle_of
from icelens.core.plots.slices import orthogonal_slices
from icelens.jobs.run import Run
from icelens.jobs.stopwatch import Deadline
from icelens.tasks.restore.assess import (
    Array,
    Assessment,
    assess_hidden_wedge,
    central_block,
    check_block,
    hidden_tilts,
    verdict,
    write_disagreement,
)
from icelens.tasks.restore.crops import Standardised
from icelens.tasks.restore.inputs import tilt_scheme
from icelens.tasks.restore.predict import TURNS, TurnedCopies
from icelens.tasks.restore.restorer import Restorer, check_pixel_size, load_restorer
from icelens.tasks.restore.settings import SAME_SCALE, AssessConfig
from icelens.training.device import choose_compute, keep_freed_memory, use_threads


def assess(config: AssessConfig, run: Run) -> list[Assessment]:
    """Assess every listed tomogram and write figures, curves and maps of disagreement."""
    compute = choose_compute(config.device, config.precision, config.threads)
    use_threads(compute)
    keep_freed_memory(compute)
    rows = list(read_tomograms(config.star).select(config.tomograms))
    restorer, known = load_restorer(
        config.checkpoint,
        compute,
        plan=None,
        contrast=config.contrast,
        pixel_size_from=config.pixel_size_from,
    )
    if not restorer.fills_wedge:
        raise CheckpointError(
            f"{config.checkpoint}: holds a denoiser, which fills no wedge to assess; give the "
            "folder of `icelens restore refine`, or compare halves with `icelens tools fsc`"
        )
    check_pixel_size(rows, known, config.checkpoint, SAME_SCALE)
    deadline = Deadline(config.time_limit)
    run.on_event = deadline.watch(run.on_event)
    assessments = []
    for row in rows:
        assessment = assess_tomogram(config, run, restorer, row)
        assessments.append(assessment)
        run.on_event(Message(f"Tomogram {row.index}: {verdict(assessment)}"))
    return assessments


def assess_tomogram(
    config: AssessConfig, run: Run, restorer: Restorer, row: TomogramRow
) -> Assessment:
    """All answers for one tomogram, with its section in the report."""
    densities, paths = restorer.open(row)
    name = tomogram_name(paths[0])
    shape = densities[0].volume.shape
    check_block(shape, row)
    tilts = hidden_tilts(tilt_scheme(row, use_tilt_files=False), config.hidden_wedge)
    block = central_block(shape, config.max_voxels)
    answers = restore_apart(run, restorer, row, densities, name)
    spread = float(np.std(np.asarray(answers[0].array[block], np.float32)))
    path = write_disagreement(
        run.folder / f"{name}_disagreement.mrc", answers[0], answers[1], relative_to=spread
    )
    run.on_event(Saved(path, "volume"))
    boxes = [inside(density, block) for density in densities]
    hidden = assess_hidden_wedge(restorer, row, boxes, tilts, run.on_event)
    pair = [torch.from_numpy(np.array(a.array[block], np.float32)) for a in answers]
    measured = measured_mask(boxes[0].shape, tilt_scheme(row, use_tilt_files=False))
    regions = {"measured": measured, "missing": 1.0 - measured}
    p = row.pixel_size
    halves = truth = dict.fromkeys(regions)
    if len(densities) == 2:
        halves = {
            key: fourier_shell_correlation(*pair, pixel_size=p, region=region)
            for key, region in regions.items()
        }
    if row.ground_truth is not None:
        known = restorer.reading.open(row.require("ground_truth"), p)
        reference = torch.from_numpy(inside(known, block))
        sign = restorer_sign(restorer)
        mean = sign * (pair[0] + pair[1])
        truth = {
            key: fourier_shell_correlation(mean, reference, pixel_size=p, region=region)
            for key, region in regions.items()
        }
    assessment = Assessment(
        hidden, halves["measured"], halves["missing"], truth["measured"], truth["missing"], path
    )
    report(run, name, assessment, answers[0], p)
    return assessment


def restorer_sign(restorer: Restorer) -> float:
    """Files keep their contrast; inside, density is positive."""
    return -1.0 if restorer.reading.contrast == "dark" else 1.0


def inside(density: Standardised, block: tuple[slice, slice, slice]) -> Array:
    """The standardised values of a block."""
    starts = [part.start for part in block]
    z, y, x = (part.stop - part.start for part in block)
    return density.cut(starts, (z, y, x))


def restore_apart(
    run: Run,
    restorer: Restorer,
    row: TomogramRow,
    densities: tuple[Standardised, ...],
    name: str,
) -> tuple[Volume, Volume]:
    """Restorations that can disagree: of the halves, or of a single map and its turned copy."""
    if len(densities) == 2:
        runs = [("even", restorer, densities[0]), ("odd", restorer, densities[1])]
    else:
        turned = replace(restorer, network=TurnedCopies(restorer.network, TURNS[1:2]))
        runs = [("as_is", restorer, densities[0]), ("turned", turned, densities[0])]
    written = []
    for label, used, density in runs:
        path = run.folder / f"{name}_{label}.mrc"
        volume = density.volume
        with new_volume(
            path, shape=volume.shape, pixel_size=volume.pixel_size, origin_xyz=volume.origin_xyz
        ) as result:

            def write(start: int, slab: Array) -> None:
                result[start : start + len(slab)] = slab

            used.restore(row, (density,), write, on_event=run.on_event, stage=label)
        run.on_event(Saved(path, "volume"))
        written.append(open_volume(path))
    return written[0], written[1]


def report(
    run: Run, name: str, assessment: Assessment, restored: Volume, pixel_size: float
) -> None:
    """Sentences, table, curves and pictures of one tomogram."""
    run.report.section(name)
    run.report.text(verdict(assessment))
    curves = named_curves(assessment)
    frequency = next(iter(curves.values())).spatial_frequency.numpy()
    run.report.figure(
        fsc_curves(
            # A shell in which a region has no sample is left out, not drawn as a correlation of 0.
            {
                key: torch.where(curve.count > 0, curve.correlation, torch.nan).numpy()
                for key, curve in curves.items()
            },
            frequency,
            thresholds={"0.143": 0.143, "0.5": 0.5},
        ),
        name=f"{name}_correlations",
        caption="Correlations by resolution: with data that were hidden, between restorations of "
        "the halves in the measured and the missing region, and with the truth where it is known.",
    )
    disagreement = open_volume(assessment.disagreement)
    run.report.figure(
        orthogonal_slices(
            {"restored": middle_of(restored.array), "disagreement": middle_of(disagreement.array)},
            pixel_size,
        ),
        name=f"{name}_disagreement",
        caption="What was restored, and where its two versions differ (bright: do not trust).",
    )
    write_curves(run.folder / f"{name}_correlations.csv", curves)
    run.on_event(Saved(run.folder / f"{name}_correlations.csv", "table"))


def named_curves(assessment: Assessment) -> dict[str, ShellCorrelation]:
    """The curves there are, by what they are called in figure and table."""
    candidates = {
        "hidden tilts, predicted": assessment.hidden.predicted,
        "hidden tilts, data with data": assessment.hidden.data,
        "halves, measured region": assessment.halves_measured,
        "halves, missing region": assessment.halves_missing,
        "truth, measured region": assessment.truth_measured,
        "truth, missing region": assessment.truth_missing,
    }
    return {key: curve for key, curve in candidates.items() if curve is not None}


def write_curves(path: Path, curves: dict[str, ShellCorrelation]) -> None:
    """A CSV with one row for each shell."""
    frequency = next(iter(curves.values())).spatial_frequency.tolist()
    columns = [curve.correlation.tolist() for curve in curves.values()]
    write_csv(path, ["spatial_frequency", *curves], zip(frequency, *columns, strict=True))
