"""Sum the images of a reconstruction in pieces that any number of processes share.

The pieces do not depend on how many processes there are, and sums are added in the order of their
numbers, so that results differ by nothing but the rounding of sums.
"""

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particles import Particles
from icelens.core.errors import InputFileError
from icelens.core.events import Event, OnEvent, Progress
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import insert_particles
from icelens.core.io.image_stacks import MAX_BAD_FRACTION, ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.core.processes import run_in_processes
from icelens.tasks.tools.reconstruct_plan import Plan

Rows = npt.NDArray[np.int64]

_PIXELS_IN_PIECE = 1 << 21
_STAGE = "insert"


@dataclass(frozen=True, eq=False)
class Share:
    """What one process does.

    Attributes:
        plan: The whole reconstruction.
        number: Of the process, from 0.
        count: Of processes.
        folder: Where it leaves its sums.
    """

    plan: Plan
    number: int
    count: int
    folder: Path


def sums_of(plan: Plan, workers: int, scratch: Path, on_event: OnEvent) -> list[SliceSums]:
    """Sums over each set of a plan.

    Args:
        plan: What to sum.
        workers: Processes to share it.
        scratch: Folder with room for the sums of all of them.
        on_event: Hears of progress and of images that are not finite.

    Raises:
        IcelensError: If images cannot be read, or a process ends.
    """
    # what is missing is said before anything is started
    reader = ImageReader(plan.particles, on_event=on_event)
    num_pieces = sum(len(pieces(plan.particles, rows)) for rows in plan.sets)
    count = min(workers, num_pieces)
    total = sum(map(len, plan.sets))
    if count <= 1:
        torch.set_num_threads(plan.threads or torch.get_num_threads())
        return sum_share(plan, 0, 1, reader, _counted(total, on_event))
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".sums.") as folder:
        shares = [Share(plan, number, count, Path(folder)) for number in range(count)]
        run_in_processes(leave_sums, shares, _counted(total, on_event))
        _refuse_bad(plan, shares)
        return _added(plan, shares)


def pieces(particles: Particles, rows: Rows) -> list[Rows]:
    """Rows in pieces of one optics group each and of about the same number of pixels."""
    parts = []
    for group in np.unique(particles.optics_index[rows]):
        of_group = rows[particles.optics_index[rows] == group]
        count = max(1, _PIXELS_IN_PIECE // particles.optics[group].box_size ** 2)
        parts += np.array_split(of_group, math.ceil(len(of_group) / count))
    return parts


def sum_share(
    plan: Plan, number: int, count: int, reader: ImageReader, on_event: OnEvent
) -> list[SliceSums]:
    """Sums over every `count`-th piece, from `number` on."""
    device = torch.device(plan.device)
    source = ImageSource(plan.particles, reader, device)
    sums = []
    num_before = 0
    for rows in plan.sets:
        part = SliceSums(
            plan.box_size, padding=plan.padding, max_radius=plan.max_radius, device=device
        )
        all_pieces = pieces(plan.particles, rows)
        mine = all_pieces[(number - num_before) % count :: count]
        num_before += len(all_pieces)
        for piece in mine:
            insert_particles(
                part,
                source,
                piece,
                pixel_size=plan.pixel_size,
                on_done=lambda done: None,
                is_ctf_used=plan.is_ctf_used,
            )
            on_event(Progress(_STAGE, len(piece), len(piece), "particle image"))
        sums.append(part)
    return sums


def leave_sums(share: Share, on_event: OnEvent) -> None:
    """What a process does: sum its share and leave the sums in files."""
    plan = share.plan
    torch.set_num_threads(plan.threads or max(1, torch.get_num_threads() // share.count))
    reader = ImageReader(plan.particles, on_event=on_event)
    sums = sum_share(plan, share.number, share.count, reader, on_event)
    for place, part in enumerate(sums):
        np.save(share.folder / f"{share.number}_{place}.npy", part.values.cpu().numpy())
    bad = np.asarray(sorted(reader.bad_rows), np.int64)
    np.save(share.folder / f"{share.number}_bad.npy", bad)


def _added(plan: Plan, shares: Sequence[Share]) -> list[SliceSums]:
    sums = []
    for place in range(len(plan.sets)):
        whole = SliceSums(plan.box_size, padding=plan.padding, max_radius=plan.max_radius)
        values = whole.values.numpy()
        for share in shares:
            path = share.folder / f"{share.number}_{place}.npy"
            np.add(values, np.load(path, mmap_mode="r", allow_pickle=False), out=values)
            path.unlink()
        sums.append(whole)
    return sums


def _refuse_bad(plan: Plan, shares: Sequence[Share]) -> None:
    """Each process saw few bad images; together they may be too many."""
    files = [share.folder / f"{share.number}_bad.npy" for share in shares]
    bad = np.concatenate([np.load(path, allow_pickle=False) for path in files])
    if len(bad) > MAX_BAD_FRACTION * len(plan.particles):
        first = plan.particles.stacks[plan.particles.stack[bad[0]]]
        raise InputFileError(
            f"{first}: {len(bad)} of {len(plan.particles)} images hold values that are not finite, "
            f"expected at most {MAX_BAD_FRACTION:.0%}; extract them again or leave them out"
        )


def _counted(total: int, on_event: OnEvent) -> Callable[[Event], None]:
    """Turn the progress of single pieces, from whichever process, into that of the whole."""
    done = 0

    def tell(event: Event) -> None:
        nonlocal done
        if isinstance(event, Progress):
            done += event.done
            event = Progress(_STAGE, done, total, event.unit)
        on_event(event)

    return tell
