"""Particle images from their stacks, through memory maps of which few are open at a time."""

import re
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, InputFileError, MissingStackError
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.io.mrc import open_mrc, read_mrc_stack_header
from icelens.core.io.volume_header import CONTRADICTION, VolumeHeader

Images = npt.NDArray[np.float32]

MAX_BAD_FRACTION = 0.01
# As WarpTools and M write it into names: TS_1_12.00A_000001.mrcs, it09_bin8_1.82A.mrcs
_NAMED_SIZE = re.compile(r"_(\d+\.\d+)A(?=[_.])")


class ImageReader:
    """Images of particles by row.

    Images with values that are not finite are given as zeros, reported once each, and an error as
    soon as they are more than 1 % of all. `bad_rows` holds those met so far. Several threads may
    read at a time.
    """

    def __init__(
        self, particles: Particles, *, max_open: int = 64, on_event: OnEvent = ignore
    ) -> None:
        """Look at all stacks, so that what is missing is known before anything is computed.

        Args:
            particles: Whose images are read.
            max_open: Stacks that are open at a time, 1 or more.
            on_event: Hears of bad images and of pixel sizes that contradict the particles'.

        Raises:
            InputFileError: If stacks are missing, or hold fewer or other images than they should.
        """
        self.bad_rows: set[int] = set()
        self._particles = particles
        self._max_open = max(1, max_open)
        self._on_event = on_event
        self._maps: OrderedDict[int, npt.NDArray[np.generic]] = OrderedDict()
        self._lock = threading.Lock()
        check_stacks(particles, on_event)

    def read(self, rows: npt.ArrayLike) -> Images:
        """Images of these rows, `(row, y, x)`, in that order; the rows must share one box size.

        Raises:
            GeometryError: If boxes differ.
            InputFileError: If more than 1 % of all images are not finite.
        """
        wanted = np.atleast_1d(np.asarray(rows))
        if wanted.dtype == bool:
            wanted = np.flatnonzero(wanted)
        wanted = wanted.astype(np.int64)
        boxes = np.unique(self._particles.box_size()[wanted])
        if len(boxes) > 1:
            raise GeometryError(
                f"particles: boxes of {', '.join(map(str, boxes))} px in one batch, expected one "
                "size; run them apart"
            )
        side = int(boxes[0]) if len(boxes) else 0
        images = np.empty((len(wanted), side, side), np.float32)
        stacks = self._particles.stack[wanted]
        slices = self._particles.slice_index[wanted]
        order = np.lexsort((slices, stacks))
        starts = np.flatnonzero(np.diff(stacks[order], prepend=-1))
        for places in np.split(order, starts[1:]) if len(order) else []:
            images[places] = self._stack(int(stacks[places[0]]))[slices[places]]
        self._blank_bad(wanted, images)
        return images

    def _stack(self, stack: int) -> npt.NDArray[np.generic]:
        """The map of a stack; the one that was not used for longest is closed."""
        with self._lock:
            if stack not in self._maps:
                while len(self._maps) >= self._max_open:
                    self._maps.popitem(last=False)
                self._maps[stack] = open_mrc(self._particles.stacks[stack], is_stack=True)[1]
            self._maps.move_to_end(stack)
            return self._maps[stack]

    def _blank_bad(self, rows: npt.NDArray[np.int64], images: Images) -> None:
        # One infinite value makes the sum infinite or NaN: a pass without a mask of all pixels.
        with np.errstate(invalid="ignore"):
            sums = images.sum(axis=(1, 2), dtype=np.float64)
        bad = np.flatnonzero(~np.isfinite(sums))
        if not len(bad):
            return
        images[bad] = 0.0
        with self._lock:
            new = sorted({int(row) for row in rows[bad]} - self.bad_rows)
            self.bad_rows.update(new)
        if not new:
            return
        first = self._particles.stacks[self._particles.stack[new[0]]]
        found = (
            f"{first}: image {self._particles.slice_index[new[0]] + 1} holds values that are not "
            f"finite; {len(self.bad_rows)} of {len(self._particles)} images do so far"
        )
        if len(self.bad_rows) > MAX_BAD_FRACTION * len(self._particles):
            raise InputFileError(
                f"{found}, expected at most {MAX_BAD_FRACTION:.0%}; extract them again or leave "
                "them out"
            )
        self._on_event(Message(f"{found}; they are skipped", level="warning"))


def check_stacks(particles: Particles, on_event: OnEvent = ignore) -> None:
    """Make sure that each stack exists and holds the images that are asked of it.

    Raises:
        InputFileError: If not; the first and the number of all are named.
    """
    used, first, counts = np.unique(particles.stack, return_index=True, return_counts=True)
    _refuse_missing(particles, used, counts)
    headers = [read_mrc_stack_header(particles.stacks[stack]) for stack in used]
    last = np.zeros(len(particles.stacks), np.int64)
    last[used] = [header.shape[0] for header in headers]
    beyond = np.flatnonzero(particles.slice_index >= last[particles.stack])
    if len(beyond):
        row = beyond[0]
        stack = particles.stack[row]
        raise InputFileError(
            f"{particles.stacks[stack]}: image {particles.slice_index[row] + 1} is asked for, but "
            f"there are {last[stack]} ({len(beyond)} of {len(particles)} images lie beyond their "
            "stack); give the stacks that belong to the particles"
        )
    boxes = particles.box_size()
    for stack, row, header in zip(used, first, headers, strict=True):
        if header.shape[1:] != (boxes[row], boxes[row]):
            y, x = header.shape[1:]
            raise InputFileError(
                f"{particles.stacks[stack]}: images of {x} x {y} px, expected {boxes[row]} x "
                f"{boxes[row]} as in the particles' optics; correct rlnImageSize or the stack"
            )
    _report_pixel_sizes(particles, used, first, headers, on_event)


def _refuse_missing(
    particles: Particles, used: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> None:
    is_missing = np.asarray([not particles.stacks[stack].is_file() for stack in used], bool)
    if is_missing.any():
        first = particles.stacks[used[is_missing][0]]
        raise MissingStackError(
            f"{first}: no such stack of images ({is_missing.sum()} of {len(used)} stacks with "
            f"{counts[is_missing].sum()} of {len(particles)} images are missing); give the folder "
            "of the stacks (--stack-root)"
        )


def _report_pixel_sizes(
    particles: Particles,
    used: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    headers: list[VolumeHeader],
    on_event: OnEvent,
) -> None:
    """Say once which header or name contradicts the particles, whose word counts."""
    sizes = particles.pixel_size()[first]
    for what, claims in (
        ("the header", [header.pixel_size for header in headers]),
        ("its name", [_named_pixel_size(particles.stacks[stack]) for stack in used]),
    ):
        wrong = [
            (particles.stacks[stack], claim, size)
            for stack, claim, size in zip(used, claims, sizes, strict=True)
            if claim is not None and abs(claim - size) > CONTRADICTION * size
        ]
        if wrong:
            path, claim, size = wrong[0]
            others = f" (and {len(wrong) - 1} other stacks)" if len(wrong) > 1 else ""
            on_event(
                Message(
                    f"{path}: {what} says {claim:g} Å/px{others}, the particles' table {size:g}; "
                    "the table is believed",
                    level="warning",
                )
            )


def _named_pixel_size(path: Path) -> float | None:
    found = _NAMED_SIZE.search(path.name)
    return float(found[1]) if found else None
