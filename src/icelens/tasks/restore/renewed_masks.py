"""Masks made before training, or anew during it from what the network has learnt so far."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from icelens.core.data.tomograms import TomogramRow
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.io.pairs import tomogram_name
from icelens.core.io.tomogram_star import read_tomograms
from icelens.jobs.run import Run
from icelens.tasks.restore.classical import deconvolve_tomograms, mask_tomograms
from icelens.tasks.restore.crops import CropBatch, Crops
from icelens.tasks.restore.jobs import DeconvolveConfig, MaskConfig
from icelens.tasks.restore.mask import MaskSettings, open_source, write_mask
from icelens.tasks.restore.restorer import Restorer, load_restorer
from icelens.tasks.restore.settings import RefineConfig
from icelens.training.checkpoint import load_checkpoint
from icelens.training.device import Compute
from icelens.training.distributed import is_main_process
from icelens.training.loop import BatchSource

WAIT_SECONDS = 2.0  # between looks for masks that the first process makes


def prepare_rows(config: RefineConfig, rows: list[TomogramRow], run: Run) -> list[TomogramRow]:
    """Deconvolve and mask the rows that lack it, if asked to; the list then names the results."""
    wanted = [row.index for row in rows]

    def read() -> list[TomogramRow]:
        return [row for row in read_tomograms(config.star) if row.index in wanted]

    lacking = [row for row in rows if row.deconvolved is None and row.full is not None]
    if config.with_deconvolution and lacking:
        deconvolution = DeconvolveConfig(
            star=config.star,
            output=run.folder / "deconvolved",
            tomograms=listed(lacking),
            phase_flipped=config.phase_flipped,
            pixel_size_from=config.pixel_size_from,
        )
        deconvolve_tomograms(deconvolution, replace(run, folder=made(deconvolution.output)))
    lacking = [row for row in read() if row.mask is None]
    if config.with_mask and lacking:
        masks = MaskConfig(
            star=config.star,
            output=run.folder / "masks",
            tomograms=listed(lacking),
            contrast=config.contrast,
            pixel_size_from=config.pixel_size_from,
        )
        mask_tomograms(masks, replace(run, folder=made(masks.output)))
    return read()


def listed(rows: Sequence[TomogramRow]) -> str:
    """Rows as `--tomograms` takes them."""
    return ",".join(str(row.index) for row in rows)


def made(folder: Path) -> Path:
    """The folder, which now exists."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class RenewedMasks:
    """A source of batches that makes masks anew at equal intervals of the run.

    The masks of update `k` are made from the checkpoint that the run wrote at that very step, when
    the first batch after it is asked for, and kept as files: a resumed run finds the same masks.
    """

    def __init__(
        self,
        *,
        folder: Path,
        rows: Sequence[TomogramRow],
        update_steps: Sequence[int],
        open_crops: Callable[[Sequence[TomogramRow]], Crops],
        compute: Compute,
        contrast: str,
        on_event: OnEvent,
    ) -> None:
        self.folder, self.rows, self.update_steps = folder, list(rows), list(update_steps)
        self.open_crops, self.compute, self.contrast = open_crops, compute, contrast
        self.on_event = on_event
        self.crops: dict[int, Crops] = {}

    def __call__(self, step: int, items: range) -> CropBatch:
        """The boxes of a step, from the masks that hold at it."""
        version = sum(step >= update for update in self.update_steps)
        if version not in self.crops:
            rows = self.rows if version == 0 else self._masked_rows(version)
            self.crops = {version: self.open_crops(rows)}
        return self.crops[version](step, items).to(self.compute.device)

    def _masked_rows(self, version: int) -> list[TomogramRow]:
        folder = self.folder / f"masks_{version}"
        masks = [folder / f"{name_of(row)}_mask.mrc" for row in self.rows]
        if is_main_process():
            self._make(version, masks)
        while not all(mask.exists() for mask in masks):
            time.sleep(WAIT_SECONDS)
        return [replace(row, mask=mask) for row, mask in zip(self.rows, masks, strict=True)]

    def _make(self, version: int, masks: list[Path]) -> None:
        missing = [
            (row, mask) for row, mask in zip(self.rows, masks, strict=True) if not mask.exists()
        ]
        if not missing:
            return
        checkpoint = load_checkpoint(self.folder / "last.safetensors")
        self.on_event(Message(f"Making masks anew from step {checkpoint.description['step']}"))
        restorer, _ = load_restorer(checkpoint.path, self.compute, plan=None)
        for row, mask in missing:
            mask_from(restorer, row, mask, self.contrast)


def mask_from(restorer: Restorer, row: TomogramRow, mask: Path, contrast: str) -> None:
    """Restore a tomogram and write a mask of what it shows."""
    restored = mask.with_name(f"{mask.stem}_source.mrc")
    restored.parent.mkdir(parents=True, exist_ok=True)
    restorer.restore_to_file(row, restored, on_event=ignore)
    source = open_source(replace(row, corrected=restored), "corrected", contrast=contrast)
    write_mask(mask, source, MaskSettings())
    restored.unlink()


def update_steps(num_updates: int, epochs: int, steps_per_epoch: int) -> list[int]:
    """Ends of epochs that divide the run evenly; never the start nor the end."""
    fractions = [(k + 1) / (num_updates + 1) for k in range(num_updates)]
    ends = {round(fraction * epochs) for fraction in fractions}
    return [end * steps_per_epoch for end in sorted(ends) if 0 < end < epochs]


def name_of(row: TomogramRow) -> str:
    """What the row's files are called, its index first so that no two are alike."""
    path = row.even or row.full or row.deconvolved or row.require("even")
    return f"{row.index:03d}_{tomogram_name(path)}"


def batches(crops: Crops, compute: Compute) -> BatchSource:
    """The boxes of `crops` on the device of the run."""

    def make(step: int, items: range) -> CropBatch:
        return crops(step, items).to(compute.device)

    return make
