"""One part of an inference: network, refinement and sums for some rows of one half set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particles import Particles
from icelens.core.events import OnEvent, Progress
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import insert_particles, of_one_optics_group
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.pose_table import PoseTable
from icelens.core.refinement.refiner import Refiner
from icelens.core.refinement.refiner_settings import RefinerSettings
from icelens.tasks.pose.found_poses import FoundPoses, NetworkPoses
from icelens.tasks.pose.infer_settings import PosingConfig
from icelens.tasks.pose.model import PoseModel
from icelens.tasks.pose.predict import predict
from icelens.tasks.pose.refine_reference import read_reference
from icelens.tasks.pose.refiners import refiners_for
from icelens.tasks.pose.zscores import zscores_of
from icelens.training.device import Compute

Integers = npt.NDArray[np.int64]

_REFINED_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class Part:
    """What is needed to find the poses of some rows.

    Attributes:
        name: Said with its progress.
        config: How.
        models: Whose networks answer; the first one's reference is used.
        reader: Of all images.
        particles: All particles.
        rows: The rows of this part.
        box_size: Of the map, in px.
        pixel_size: Of the map, in Å/px.
        compute: Where.
    """

    name: str
    config: PosingConfig
    models: Sequence[PoseModel]
    reader: ImageReader
    particles: Particles
    rows: Integers
    box_size: int
    pixel_size: float
    compute: Compute


def infer_part(part: Part, on_event: OnEvent) -> tuple[FoundPoses, SliceSums | None]:
    """Find the poses of a part, and its sums if a map is wanted."""
    config, rows = part.config, part.rows
    answers = predict(
        part.models,
        part.particles,
        rows,
        reader=part.reader,
        compute=part.compute,
        top_k=max(config.top_k, config.top_k_network),
        on_done=_teller(f"{part.name}: network", len(rows), on_event),
    )
    zscore = zscores_of(part.models, answers)
    is_kept = ~np.isin(rows, list(part.reader.bad_rows))
    if config.min_zscore is not None:
        is_kept &= ~(zscore < config.min_zscore)
    table = _unrefined(answers, config.top_k)
    if config.refine and is_kept.any():
        _refine(part, answers, np.flatnonzero(is_kept), table, on_event)
    found = FoundPoses(rows, answers, zscore, is_kept, table)
    return found, _summed(part, found, on_event) if config.reconstruct else None


def _unrefined(answers: NetworkPoses, top_k: int) -> PoseTable:
    """The network's poses as the final ones."""
    count = len(answers)
    return PoseTable(
        answers.rotation[:, :top_k].copy(),
        np.repeat(answers.shift_yx[:, None], top_k, axis=1),
        np.zeros((count, top_k)),
        answers.probability[:, :top_k].copy(),
        answers.width[:, :top_k].copy(),
        np.zeros(count),
    )


def _refine(
    part: Part, answers: NetworkPoses, kept: Integers, table: PoseTable, on_event: OnEvent
) -> None:
    """Refine each particle from the network's best few poses; `kept` are places in the part."""
    config, particles, rows = part.config, part.particles, part.rows
    source = _source(part, rows, table)
    refiners = _refiners(part, source, rows[kept], on_event)
    place_of = np.full(len(particles), -1, np.int64)
    place_of[rows] = np.arange(len(rows))
    tell = _teller(f"{part.name}: refine", len(kept), on_event)
    done = 0
    for chosen in of_one_optics_group(particles, rows[kept], _REFINED_AT_ONCE):
        places = place_of[chosen]
        refiner = refiners[int(particles.optics_index[chosen[0]])]
        spectrum, transfer = source.read(chosen)
        device = part.compute.device
        rotation = torch.from_numpy(answers.rotation[places][:, : config.top_k_network])
        shift_px = torch.from_numpy(answers.shift_yx[places] / refiner.pixel_size)
        shift_px = shift_px[:, None].expand(-1, rotation.shape[1], -1)
        refined = refiner.refine(
            spectrum,
            transfer,
            rotation.float().to(device),
            shift_px.float().to(device),
            config.top_k,
        )
        table.fill(places, refined, refiner.pixel_size)
        done += len(places)
        tell(done)


def _refiners(
    part: Part, source: ImageSource, rows: Integers, on_event: OnEvent
) -> dict[int, Refiner]:
    config, model = part.config, part.models[0]
    reference = read_reference(config.map or model.reference, None, part.particles, on_event)
    settings = RefinerSettings(
        angular_range=config.angular_range,
        angular_step=config.angular_step,
        max_shift=config.max_shift,
        max_resolution=config.max_resolution,
        mask_diameter=config.mask_diameter or 2.0 * model.shape.mask_radius,
        symmetry=model.symmetry,
    )
    return refiners_for(reference, source, rows, settings)


def _summed(part: Part, found: FoundPoses, on_event: OnEvent) -> SliceSums:
    sums = SliceSums(part.box_size, device=part.compute.device)
    rows = found.rows[found.is_kept]
    insert_particles(
        sums,
        _source(part, found.rows, found.table),
        rows,
        pixel_size=part.pixel_size,
        on_done=_teller(f"{part.name}: reconstruct", len(rows), on_event),
    )
    return sums


def _source(part: Part, rows: Integers, table: PoseTable) -> ImageSource:
    """All images, with the poses of the table in its rows."""
    rotation, shift_yx = part.particles.rotation.copy(), part.particles.shift_yx.copy()
    rotation[rows], shift_yx[rows] = table.rotation[:, 0], table.shift_yx[:, 0]
    posed = part.particles.with_poses(rotation, shift_yx)
    return ImageSource(posed, part.reader, part.compute.device)


def _teller(stage: str, total: int, on_event: OnEvent) -> Callable[[int], None]:
    def tell(done: int) -> None:
        on_event(Progress(stage, done, total, "image"))

    return tell
