"""Other particles under the model of a run: prepared alike, encoded, compared image by image."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.latents import LatentTable, places_of
from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import GeometryError, IcelensError, MetadataError
from icelens.core.events import Message, OnEvent, Saved
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.latent_table import write_latents
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles
from icelens.core.latents.support import EXTRAPOLATED, Support, support_of
from icelens.core.metrics.rank_shift import RankShift, rank_shift, robust_z
from icelens.core.optics.image_source import ImageSource
from icelens.jobs.run import Run
from icelens.tasks.hetero.evaluate_jobs import EvaluateConfig
from icelens.tasks.hetero.hetero_run import IMPORTED, HeteroRun, VolumeModel, open_hetero_run
from icelens.tasks.hetero.image_grid import Grid
from icelens.tasks.hetero.image_scores import ImageScores, score_images, shared_states
from icelens.tasks.hetero.particle_rows import ParticleRows, particle_rows
from icelens.tasks.hetero.preparation import prepare
from icelens.tasks.hetero.prepared_images import FACTS_NAME, PreparedImages, read_facts
from icelens.training.device import choose_compute, use_threads

_WORSE = 0.6
"""Probability that another particle's loss exceeds a training particle's, from which on it
matters."""
_CERTAIN = 4.0
_MANY_FAR = 0.1
"""Share of particles far from all of training that is worth a warning; 1 % are by definition."""
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was found of other particles.

    Attributes:
        run: The run whose model judged.
        table: Their latents.
        place_of_row: `(row,)` line of the table that each image belongs to; -1 if left out.
        scores: Of each image.
        support: Of each particle's latent among those of training; None without latents.
        training: Scores of images of particles the model was trained on; None if not looked at.
        z_score: `(row,)` loss in robust deviations of theirs.
        shift: How losses lie to theirs; None if not looked at.
    """

    run: HeteroRun
    table: LatentTable
    place_of_row: Integers
    scores: ImageScores
    support: Support | None
    training: ImageScores | None
    z_score: npt.NDArray[np.float64]
    shift: RankShift | None


def evaluate_particles(config: EvaluateConfig, run: Run) -> Path:
    """Write latents, scores and report; return the table of scores."""
    from icelens.tasks.hetero.evaluate_report import report_evaluation, write_scores

    names = [config.output / name for name in ("latents.csv", "scores.csv")]
    refuse_overwriting(names, [*config.particles, config.run / "latents.csv"])
    found = evaluate_images(config, run.on_event)
    write_latents(names[0], found.table)
    write_scores(found, names[1])
    for path in names:
        run.on_event(Saved(path, "table"))
    report_evaluation(found, run)
    for text in _doubts(found):
        run.on_event(Message(text, "warning"))
    return names[1]


def evaluate_images(config: EvaluateConfig, on_event: OnEvent) -> Evaluation:
    """Prepare, encode and compare.

    Raises:
        CheckpointError: If the run cannot be used.
        InputFileError: If particles or their images cannot be read.
        MetadataError: If the images do not fit the run.
        GeometryError: If the model finds no latents of other images.
    """
    hetero = open_hetero_run(config.run)
    if hetero.kind == "autodecoder":
        raise GeometryError(
            f"{config.run}: an autodecoder knows the latents of the particles it was trained on "
            "alone; train a VAE to look at others"
        )
    compute = choose_compute(config.device, "float32", config.threads)
    use_threads(compute)
    file = read_particles(
        list(config.particles),
        stack_root=config.stack_root,
        tomograms=config.tomograms,
        skip_missing=config.skip_missing,
        need_poses=True,
        pixel_size=config.pixel_size,
        on_event=on_event,
    )
    model = hetero.volume_model(compute.device)
    with tempfile.TemporaryDirectory(prefix=".images-", dir=_made(config.output)) as scratch:
        images = prepared_alike(hetero, file, Path(scratch), compute.device, config, on_event)
        table = latents_of(hetero, model, images, on_event)
        rows = particle_rows(images.particles, tilts=hetero.facts.tilts, seed=config.seed)
        trained = training_images(hetero, config, compute.device, on_event)
        return compared(hetero, model, images, rows, table, trained, config, on_event)


def prepared_alike(
    run: HeteroRun,
    file: ParticleFile,
    folder: Path,
    device: torch.device,
    config: EvaluateConfig,
    on_event: OnEvent,
) -> PreparedImages:
    """Other images on the grid, in the disc and with the contrast of the run's own.

    Raises:
        MetadataError: If they have fewer pixels than the run's grid.
    """
    if run.kind == IMPORTED and not (run.folder / FACTS_NAME).is_file():
        # what its images are like is found now
        run.images(device=device, on_event=on_event)
    facts = read_facts(run.folder)
    smallest = int(file.particles.box_size().min())
    if smallest < facts.box_size:
        raise MetadataError(
            f"{file.path}: images of {smallest} px, expected {facts.box_size} or more as the run's "
            "grid has; extract them with a larger box or finer pixels"
        )
    reader = ImageReader(file.particles, on_event=on_event)
    try:
        return prepare(
            ImageSource(file.particles, reader, device),
            Grid(facts.box_size, facts.pixel_size, facts.radius),
            mask_diameter=facts.mask_diameter,
            contrast="invert" if facts.is_inverted else "keep",
            folder=folder,
            seed=config.seed,
            on_event=on_event,
        )[0]
    except GeometryError as error:
        raise MetadataError(f"{file.path}: {error}") from error


def latents_of(
    run: HeteroRun, model: VolumeModel, images: PreparedImages, on_event: OnEvent
) -> LatentTable:
    """Latents of the particles that images show.

    Raises:
        GeometryError: If the model cannot tell.
    """
    if run.latent_dim == 0:
        rows = particle_rows(images.particles, tilts=run.facts.tilts, seed=0)
        return LatentTable(
            latent=np.zeros((len(rows), 0)),
            particle=rows.particle,
            row=rows.first,
            half_set=rows.half_set,
        )
    try:
        return model.encode(images, on_event)
    except GeometryError as error:
        raise GeometryError(f"{run.folder}: {error}") from error


def training_images(
    run: HeteroRun, config: EvaluateConfig, device: torch.device, on_event: OnEvent
) -> tuple[PreparedImages, LatentTable] | None:
    """Images of the run, and latents of a sample of its particles; None where they are gone."""
    if not config.training_sample:
        return None
    try:
        images = run.images(device=device, on_event=on_event)
    except IcelensError as error:
        on_event(
            Message(
                f"{run.folder}: scores are not compared with those of training, whose images "
                f"cannot be read ({error})",
                "warning",
            )
        )
        return None
    if run.latent_dim == 0:
        table = latents_of(run, run.volume_model(device), images, on_event)
    else:
        table = run.latents()
    order = np.random.default_rng(config.seed).permutation(len(table))
    return images, table.take(np.sort(order[: config.training_sample]))


def compared(
    run: HeteroRun,
    model: VolumeModel,
    images: PreparedImages,
    rows: ParticleRows,
    table: LatentTable,
    trained: tuple[PreparedImages, LatentTable] | None,
    config: EvaluateConfig,
    on_event: OnEvent,
) -> Evaluation:
    """Scores of the images, and of those of training against the same volumes."""
    own = np.full(len(images), -1, np.int64)
    shown, owner = rows.of(np.arange(len(rows)))
    own[shown] = owner
    latents = [table.latent] if trained is None else [table.latent, trained[1].latent]
    states, nearest = shared_states(np.concatenate(latents), config.volumes, seed=config.seed)
    state = np.where(own >= 0, nearest[own], -1)
    scores = score_images(model, images, states, state, stage="compare", on_event=on_event)
    reference, shift = None, None
    z_score = np.full(len(images), np.nan)
    if trained is not None:
        place = places_of(trained[0].particles.particle, trained[1].particle)
        of_training = np.where(place >= 0, nearest[len(table) + place], -1)
        known = score_images(
            model, trained[0], states, of_training, stage="training", on_event=on_event
        )
        reference = known.take(np.flatnonzero(np.isfinite(known.loss)))
        found = scores.loss[np.isfinite(scores.loss)]
        if not len(found) or not len(reference.loss):
            whose = "the images" if len(reference.loss) else f"images of training in {run.folder}"
            raise MetadataError(
                f"{config.run}: no loss of {whose} is a finite number; train again, or leave out "
                "the comparison (--training-sample 0)"
            )
        z_score = robust_z(scores.loss, reference.loss)
        shift = rank_shift(found, reference.loss)
    support = support_of(table.latent, run.latents()) if run.latent_dim else None
    return Evaluation(run, table, own, scores, support, reference, z_score, shift)


def _doubts(found: Evaluation) -> list[str]:
    """What a user should be warned of."""
    texts = []
    shift = found.shift
    if (
        shift is not None
        and shift.probability > _WORSE
        and shift.probability - 0.5 > _CERTAIN * shift.error
    ):
        texts.append(
            f"these particles are explained worse than those of training: in "
            f"{100 * shift.probability:.0f}% of pairs their loss is the larger (50% if alike); the "
            "sample, the microscope or the poses differ, or training learnt noise by heart"
        )
    if found.support is not None:
        far = np.mean([flag == EXTRAPOLATED for flag in found.support.flag])
        if far > _MANY_FAR:
            texts.append(
                f"{100 * far:.0f}% of the particles have latents where no particle of training "
                "lies; their volumes are extrapolated"
            )
    return texts


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
