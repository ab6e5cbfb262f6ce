"""Have latents and volumes come to rest? Kept epochs are compared one with the next."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.evenly import evenly
from icelens.core.data.latents import LatentTable
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Progress
from icelens.core.io.csv_table import write_csv
from icelens.core.latents.convergence import EpochChange, epoch_change
from icelens.core.plots.latent_epochs import correlation_curves, kept_curve, shift_curve
from icelens.jobs.run import Run
from icelens.tasks.hetero.analyze_findings import Findings
from icelens.tasks.hetero.analyze_settings import AnalyzeConfig
from icelens.tasks.hetero.hetero_run import HeteroRun
from icelens.training.device import choose_compute

Floats = npt.NDArray[np.float64]

_MOST_VOLUMES = 10
_BOX_SIZE = 64


def show_convergence(run: Run, source: HeteroRun, found: Findings, config: AnalyzeConfig) -> None:
    """Add a section on the kept epochs to the report, and write convergence.csv.

    Raises:
        MetadataError: If an epoch's latents are of other particles.
        InputFileError: If an epoch's latents cannot be read.
    """
    epochs = source.epochs()
    run.report.section("Convergence")
    if len(epochs) < 2:
        sentence = (
            f"{source.folder}: latents of {len(epochs)} epochs were kept, two are needed to see "
            "whether they have come to rest"
        )
        run.report.text(sentence)
        run.on_event(Message(sentence, level="warning"))
        return
    changes = list(_changes(source, found.table, config.seed, run))
    correlation = _volume_correlations(source, found, config, run) if config.volumes else None
    _write(run, changes, correlation)
    run.report.text(
        "Each kept epoch against the one kept before. Latents have come to rest when neighbours "
        "stay neighbours; moves that all particles share (dashed) do not matter."
    )
    run.report.figure(
        shift_curve(changes),
        name="convergence_shift",
        caption="How far particles move, in units of the latents' spread.",
    )
    run.report.figure(
        kept_curve([each.epoch for each in changes], [each.kept_neighbours for each in changes]),
        name="convergence_neighbours",
        caption="Share of the 20 nearest others that stay the same; two draws from an uncertain "
        "posterior would not agree fully either.",
    )
    if correlation is not None:
        run.report.figure(
            correlation_curves([each.epoch for each in changes], correlation),
            name="convergence_volumes",
            caption=f"Volumes of {correlation.shape[1]} particles, decoded by the final model at "
            "the latents they had: correlation with the epoch before, about their common mean.",
        )


def _changes(source: HeteroRun, table: LatentTable, seed: int, run: Run) -> Iterator[EpochChange]:
    """Compare each epoch with the one before; two are in memory at a time."""
    epochs = source.epochs()
    before = _same_particles(source, table, epochs[0])
    for place, epoch in enumerate(epochs[1:], start=1):
        after = _same_particles(source, table, epoch)
        yield epoch_change(before, after, epoch, seed=seed)
        before = after
        run.on_event(Progress("epochs", place, len(epochs) - 1, "epoch"))


def _same_particles(source: HeteroRun, table: LatentTable, epoch: int) -> Floats:
    found = source.latents(epoch)
    if not np.array_equal(found.particle, table.particle):
        raise MetadataError(
            f"{source.folder}: latents of epoch {epoch} are of {len(found)} other particles than "
            f"the {len(table)} of the run; remove latents/epoch_{epoch:04d}.csv"
        )
    return found.latent


def _volume_correlations(
    source: HeteroRun, found: Findings, config: AnalyzeConfig, run: Run
) -> Floats:
    """Correlation `(epoch, volume)` of volumes at the clusters with those of the epoch before.

    What all have in common is taken off, or every pair would agree.
    """
    device = choose_compute(config.device, "float32", config.threads).device
    model = source.volume_model(device)
    size = min(model.box_size, config.box_size or _BOX_SIZE)
    places = found.clusters.particle
    places = places[evenly(len(places), _MOST_VOLUMES)]
    epochs = source.epochs()
    sets = []
    for done, epoch in enumerate(epochs, start=1):
        latent = _same_particles(source, found.table, epoch)[places]
        state = torch.as_tensor(latent, dtype=torch.float32, device=device)
        sets.append(torch.stack([v.cpu() for v in model.volumes(state, box_size=size)]).flatten(1))
        run.on_event(Progress("volumes of epochs", done, len(epochs), "epoch"))
    mean = torch.stack(sets).mean(dim=(0, 1))
    pairs = [_correlation(first - mean, last - mean) for first, last in pairwise(sets)]
    return np.stack(pairs)


def _correlation(first: torch.Tensor, last: torch.Tensor) -> Floats:
    product = (first * last).sum(dim=1)
    size = first.norm(dim=1) * last.norm(dim=1)
    # volumes without any difference from the mean agree
    value = torch.where(size > 0, product / size.clamp(min=1e-30), torch.ones_like(size))
    return np.asarray(value.double().numpy())


def _write(run: Run, changes: list[EpochChange], correlation: Floats | None) -> None:
    header = ["epoch", "shift_10", "shift_50", "shift_90", "shared_direction", "kept_neighbours"]
    lines = [
        [
            each.epoch,
            *np.percentile(each.shift, (10, 50, 90)).tolist(),
            each.shared_direction,
            each.kept_neighbours,
        ]
        for each in changes
    ]
    if correlation is not None:
        header.append("volume_correlation")
        lines = [[*line, float(v)] for line, v in zip(lines, correlation.mean(axis=1), strict=True)]
    write_csv(run.folder / "convergence.csv", header, lines)
