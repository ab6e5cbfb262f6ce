"""Sheets of particle images: sorted, chosen, filtered as asked, each in grey values of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from icelens.apps.web.work.column_kinds import named_column
from icelens.apps.web.work.opened_particles import OpenedParticles, open_images
from icelens.apps.web.worker import Answer
from icelens.core.data.row_filter import filter_rows
from icelens.core.fourier.crop import crop_rfft
from icelens.core.optics.phase_flip import flip_phases

Floats = npt.NDArray[np.float32]

MOST_IMAGES = 400
LARGEST_SIDE = 512
_EDGE = 0.1
"""Width of a low pass's soft edge, as a share of its frequency."""


def montage(
    *,
    file: str,
    roots: Sequence[str],
    first: int = 0,
    count: int = 60,
    side: int = 96,
    sort: str = "",
    is_descending: bool = False,
    where: str = "",
    low_pass: float = 0.0,
    is_flipped: bool = False,
    is_inverted: bool = False,
    contrast: float = 1.0,
) -> Answer:
    """Images of one sheet as grey values, `(image, side, side)` uint8, rows from the top.

    Args:
        file: Particle file.
        roots: Folders below which its stacks must lie.
        first: Place of the first image among those chosen.
        count: Images of the sheet.
        side: Of an image as drawn, in px; never more than its box.
        sort: Column; without it as in the file.
        is_descending: Largest first.
        where: Condition, as in `icelens hetero select --where`.
        low_pass: Resolution in Å; 0 for none.
        is_flipped: Multiply by the sign of the CTF.
        is_inverted: Bright as dark.
        contrast: Percent of the pixels that are drawn black, and white.

    Raises:
        IcelensError: If images cannot be read, or a column or condition is wrong.
    """
    opened, reader = open_images(Path(file), roots)
    rows = sheet_rows(opened, where, sort, is_descending=is_descending)
    shown = rows[first : first + min(count, MOST_IMAGES)]
    particles = opened.file.particles
    if len(shown):  # sheets of one box: others are told and left out
        boxes = particles.box_size()[shown]
        shown = shown[boxes == boxes[0]]
    box = int(particles.box_size()[shown[0]]) if len(shown) else side
    side = max(8, min(side, box, LARGEST_SIDE))
    images = np.empty((0, side, side), np.uint8)
    if len(shown):
        raw = torch.from_numpy(reader.read(shown))
        made = _filtered(raw, opened, shown, side, low_pass, is_flipped=is_flipped)
        images = _grey(made.numpy(), contrast, is_inverted=is_inverted)
    data: dict[str, Any] = {
        "total": len(rows),
        "side": side,
        "box_size": box,
        "pixel_size": float(particles.pixel_size()[shown[0]]) if len(shown) else 0.0,
        "rows": shown.tolist(),
        "captions": _captions(opened, sort, shown),
    }
    return Answer(data, images.tobytes())


def sheet_rows(
    opened: OpenedParticles, where: str, sort: str, *, is_descending: bool
) -> npt.NDArray[np.int64]:
    """Rows of the images that a condition chooses, in order; missing values come last.

    Raises:
        IcelensError: If the condition or the column is wrong.
    """
    rows = np.arange(len(opened.file))
    if where:
        rows = rows[filter_rows(where, opened.columns)]
    if not sort:
        return rows[::-1] if is_descending else rows
    values = named_column(str(opened.file.path), opened, sort)[0][rows]
    if values.dtype.kind not in "iufb":
        values = values.astype(str)
    order = np.argsort(values, kind="stable")
    is_missing = np.isnan(values[order]) if values.dtype.kind == "f" else np.zeros(len(rows), bool)
    known, missing = order[~is_missing], order[is_missing]
    ordered = np.concatenate([known[::-1] if is_descending else known, missing])
    return np.asarray(rows[ordered], np.int64)


def _filtered(
    raw: Tensor,
    opened: OpenedParticles,
    rows: npt.NDArray[np.int64],
    side: int,
    low_pass: float,
    *,
    is_flipped: bool,
) -> Tensor:
    """Images of `side` px, filtered on the way: the transform is there anyway."""
    box = raw.shape[-1]
    pixel_size = float(opened.file.particles.pixel_size()[rows[0]])
    transform = torch.fft.rfft2(raw - raw.mean(dim=(-2, -1), keepdim=True))
    if is_flipped:
        transform = flip_phases(transform, opened.file.particles, rows)
    if low_pass > 0:
        transform = transform * _low_pass(box, pixel_size, low_pass)
    transform = crop_rfft(transform, box, side)
    filtered: Tensor = torch.fft.irfft2(transform, s=(side, side))
    return filtered


def _low_pass(box: int, pixel_size: float, resolution: float) -> Tensor:
    y = torch.fft.fftfreq(box, pixel_size)[:, None]
    x = torch.fft.rfftfreq(box, pixel_size)[None]
    share = torch.sqrt(y**2 + x**2) * resolution
    return 0.5 * (1.0 + torch.cos(torch.pi * ((share - 1.0) / _EDGE + 1.0).clamp(0.0, 1.0)))


def _grey(images: Floats, contrast: float, *, is_inverted: bool) -> npt.NDArray[np.uint8]:
    """Each from black to white by percentiles; rows of an image go up, those of a picture down."""
    low, high = np.percentile(images, [contrast, 100.0 - contrast], axis=(1, 2), keepdims=True)
    share = (images - low) / np.where(high > low, high - low, 1.0)
    share = np.clip(1.0 - share if is_inverted else share, 0.0, 1.0)
    return np.ascontiguousarray((255.0 * share).astype(np.uint8)[:, ::-1])


def _captions(opened: OpenedParticles, sort: str, rows: npt.NDArray[np.int64]) -> list[str]:
    """A line below each image: its row, and the value it was sorted by."""
    if not sort or sort == "row":
        return [str(row) for row in rows]
    values = opened.columns[sort][rows]
    if values.dtype.kind in "iufb":
        return [f"{value:.5g}" for value in values]
    return [str(value)[-24:] for value in values]
