"""Several marches from different random beginnings, judged on the same particles."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.evenly import evenly
from icelens.core.events import Message, Metrics, OnEvent, Progress
from icelens.tasks.hetero.abinitio.agreement import Agreement, compare_structures
from icelens.tasks.hetero.abinitio.march import March, MarchSettings, MarchState
from icelens.tasks.hetero.abinitio.search_images import SearchImages
from icelens.tasks.hetero.abinitio.search_pass import FoundPoses, search_pass
from icelens.tasks.hetero.abinitio.state_files import StateFiles
from icelens.training.contract import JSON

Integers = npt.NDArray[np.int64]

_SAMPLE = 1000
"""Particles on which the starts are judged and compared."""
_FINER = 2
"""Shells beyond the grid's that the judgement looks at."""
_SAVE_EVERY = 10


@dataclass(frozen=True, eq=False)
class Start:
    """What a start found.

    Attributes:
        number: From 1.
        density: Its map.
        poses: Of the particles that all starts are judged by.
        score: Mean logarithm of the likelihood of these.
        shells: `(step,)` shell up to which images were compared in each step.
    """

    number: int
    density: Float[Tensor, "n n n"]
    poses: FoundPoses
    score: float
    shells: tuple[int, ...]


def run_starts(
    images: SearchImages,
    settings: MarchSettings,
    count: int,
    files: StateFiles,
    on_event: OnEvent,
) -> list[Start]:
    """All starts, one after the other; those that are stored are taken up."""
    return [_run_start(images, settings, number, files, on_event) for number in range(1, count + 1)]


def _run_start(
    images: SearchImages,
    settings: MarchSettings,
    number: int,
    files: StateFiles,
    on_event: OnEvent,
) -> Start:
    name = f"start_{number}"
    known = files.load(name)
    if known is not None and known[1]["is_done"]:
        tensors, numbers = known
        poses = FoundPoses(
            *(tensors[key].to(images.device) for key in ("rotation", "shift", "score"))
        )
        return Start(
            number,
            tensors["density"].to(images.device),
            poses,
            float(poses.score.mean()),
            tuple(numbers["shells"]),
        )
    march = March(images, settings, start=number)
    if known is None:
        state, shells = march.begin(), []
    else:
        shells = known[1].pop("shells")
        known[1].pop("is_done")
        state = march.again(*known)
    stage = f"start {number}"
    while state.iteration < settings.iterations:
        on_event(Progress(stage, state.iteration, settings.iterations, "step"))
        state, halves = march.step(state)
        shells.append(state.radius)
        on_event(
            Metrics(
                state.iteration,
                {
                    "resolution": images.extent / state.radius,
                    "agreement": float(halves.fsc.correlation[state.radius]),
                },
                part=stage,
            )
        )
        if state.iteration % _SAVE_EVERY == 0:
            _save_march(files, name, state, shells)
    return _judged(images, march, state, shells, files, on_event)


def _save_march(files: StateFiles, name: str, state: MarchState, shells: list[int]) -> None:
    numbers: dict[str, JSON] = {**state.numbers(), "shells": list(shells), "is_done": False}
    files.save(name, state.tensors(), numbers)


def _judged(
    images: SearchImages,
    march: March,
    state: MarchState,
    shells: list[int],
    files: StateFiles,
    on_event: OnEvent,
) -> Start:
    stage = f"judge start {march.start}"
    chosen = judged_particles(images)
    poses = search_pass(
        images,
        state.density,
        chosen,
        march.grid,
        first_radius=march.last_radius,
        last_radius=min(march.last_radius + _FINER, images.grid.radius),
        max_shift=march.settings.max_shift,
        sums=None,
        on_done=lambda done: on_event(Progress(stage, done, len(chosen), "particle")),
    )
    tensors = {
        "density": state.density,
        "rotation": poses.rotation,
        "shift": poses.shift_xyz,
        "score": poses.score,
    }
    files.save(f"start_{march.start}", tensors, {"shells": list(shells), "is_done": True})
    score = float(poses.score.mean())
    on_event(
        Message(
            f"start {march.start}: reached {images.extent / state.radius:.0f} Å, mean "
            f"log-likelihood {score:.1f}"
        )
    )
    return Start(march.start, state.density, poses, score, tuple(shells))


def judged_particles(images: SearchImages) -> Integers:
    """The particles that every start is judged by, evenly spread."""
    return evenly(len(images), _SAMPLE)


def compare_starts(
    starts: list[Start], images: SearchImages, *, is_hand_known: bool, on_event: OnEvent
) -> tuple[Start, dict[int, Agreement]]:
    """The likeliest start, and how the others agree with it; says what that means."""
    best = max(starts, key=lambda start: start.score)
    agreement = {
        other.number: compare_structures(
            best.poses,
            best.density,
            other.poses,
            other.density,
            pixel_size=images.grid.pixel_size,
            is_hand_known=is_hand_known,
        )
        for other in starts
        if other is not best
    }
    if not agreement:
        on_event(
            Message(
                "there was one start: nothing tells whether another would find the same structure "
                "(--starts 3 compares)",
                "warning",
            )
        )
        return best, agreement
    same = sum(each.is_same for each in agreement.values())
    told = f"{same} of {len(agreement)} other starts found the structure of start {best.number}"
    if same == len(agreement):
        on_event(Message(told))
    elif same:
        on_event(Message(f"{told}, the likeliest; the rest got stuck", "warning"))
    else:
        on_event(
            Message(
                "NO TWO STARTS AGREE: these images do not determine the structure, and the map is "
                "one of several that fit; use more or better particles, more --starts or "
                "--iterations, or a --mask-diameter that fits the particle",
                "warning",
            )
        )
    return best, agreement
