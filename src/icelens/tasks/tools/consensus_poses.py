"""Average the poses on which several files agree, and leave out particles on which they do not."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.geometry.rotation_mean import mean_rotation
from icelens.core.geometry.rotations import rotation_distance
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.metrics.particle_matching import match_particles
from icelens.core.metrics.pose_error import angular_error, nearest_equivalent
from icelens.jobs.run import Run
from icelens.tasks.tools.consensus_jobs import ConsensusPosesConfig
from icelens.tasks.tools.tool_files import require_several

COUNT, SPREAD = "ilConsensusCount", "ilConsensusDegrees"


@dataclass(frozen=True)
class Opinions:
    """Poses of the rows of the first file, by every file; identity where a file has none.

    Attributes:
        rotation: `(file, row, 3, 3)`.
        shift_yx: `(file, row, 2)` in Å.
        is_known: `(file, row)`.
    """

    rotation: Float[Tensor, "file row 3 3"]
    shift_yx: Float[Tensor, "file row 2"]
    is_known: Bool[Tensor, "file row"]


@dataclass(frozen=True)
class Consensus:
    """What the files agree on, for every row.

    Attributes:
        rotation: Mean of those that agree.
        shift_yx: Mean of those that agree, in Å.
        count: How many agree.
        spread: Mean angle to the mean, in degrees.
    """

    rotation: Float[Tensor, "row 3 3"]
    shift_yx: Float[Tensor, "row 2"]
    count: Int[Tensor, " row"]
    spread: Float[Tensor, " row"]


def write_consensus(config: ConsensusPosesConfig, run: Run) -> Path:
    """Write the particles that are agreed on; return the file.

    Raises:
        MetadataError: If files have no poses or particles in common, or nothing is agreed on.
    """
    require_several("--particles", config.particles)
    refuse_overwriting(config.output, config.particles)
    needed = config.at_least or len(config.particles)
    if needed > len(config.particles):
        raise MetadataError(
            f"--at-least is {needed}, expected at most the {len(config.particles)} files given"
        )
    files = [read_particles(each, need_poses=True) for each in config.particles]
    opinions = opinions_of(files, config.coordinate_margin)
    found = consensus(
        opinions,
        symmetry_operators(config.symmetry).double(),
        threshold=config.threshold,
        max_shift_difference=config.max_shift_difference,
    )
    kept = (found.count >= needed).numpy()
    if not kept.any():
        raise MetadataError(
            f"{config.particles[0]}: no particle on which {needed} files agree to "
            f"{config.threshold:g} degrees; raise --threshold, lower --at-least, or align the "
            "frames first (compare-poses --align-frames tells)"
        )
    write_particles(
        config.output,
        files[0],
        rotation=None if config.keep_poses else found.rotation.numpy()[kept],
        shift_yx=None if config.keep_poses else found.shift_yx.numpy()[kept],
        columns={COUNT: found.count.numpy()[kept], SPREAD: found.spread.numpy()[kept]},
        rows=kept,
    )
    run.on_event(
        Message(
            f"{int(kept.sum())} of {len(kept)} particles are agreed on by {needed} or more files, "
            f"to {float(found.spread.numpy()[kept].mean()):.2f} degrees on average"
        )
    )
    run.on_event(Saved(config.output, "particle list"))
    return config.output


def opinions_of(files: list[ParticleFile], coordinate_margin: float) -> Opinions:
    """The poses of every file for the rows of the first.

    Raises:
        MetadataError: If a file has no particle in common with the first.
    """
    count = len(files[0])
    rotation = torch.eye(3, dtype=torch.float64).repeat(len(files), count, 1, 1)
    shift_yx = torch.zeros(len(files), count, 2, dtype=torch.float64)
    is_known = torch.zeros(len(files), count, dtype=torch.bool)
    for number, file in enumerate(files):
        if number == 0:
            rows, same = np.arange(count), np.arange(count)
        else:
            matched = match_particles(files[0], file, coordinate_margin=coordinate_margin)
            rows, same = matched.rows_1, matched.rows_2
        particles = file.particles.take(same)
        rotation[number, rows] = torch.from_numpy(particles.rotation)
        shift_yx[number, rows] = torch.from_numpy(particles.shift_yx)
        is_known[number, rows] = True
    return Opinions(rotation, shift_yx, is_known)


def consensus(
    opinions: Opinions,
    operators: Float[Tensor, "operator 3 3"],
    *,
    threshold: float,
    max_shift_difference: float | None = None,
) -> Consensus:
    """Take for each row the pose with the least sum of angles to the others, and who is near it.

    Angles count up to twice the threshold: a wrong pose is no worse for being far away.

    Args:
        opinions: Of all files.
        operators: Of the point group.
        threshold: In degrees.
        max_shift_difference: In Å; None does not look at shifts.
    """
    num_files = len(opinions.rotation)
    angle = torch.stack(
        [
            torch.stack([angular_error(one, other, operators) for other in opinions.rotation])
            for one in opinions.rotation
        ]
    )
    cost = angle.clamp(max=2.0 * threshold)
    cost = torch.where(opinions.is_known[None], cost, 2.0 * threshold).sum(dim=1)
    middle = torch.where(opinions.is_known, cost, torch.inf).argmin(dim=0)
    rows = torch.arange(len(middle))
    agrees = (threshold >= angle[middle, :, rows].T) & opinions.is_known
    if max_shift_difference is not None:
        apart = (opinions.shift_yx - opinions.shift_yx[middle, rows]).norm(dim=-1)
        agrees &= apart <= max_shift_difference
    reference = opinions.rotation[middle, rows]
    nearest = torch.stack(
        [nearest_equivalent(reference, each, operators) for each in opinions.rotation]
    )
    weight = agrees.double()
    rotation = mean_rotation(nearest.transpose(0, 1), weight.T)
    total = weight.sum(dim=0)
    away = rotation_distance(nearest, rotation.expand(num_files, -1, 3, 3))
    return Consensus(
        rotation=rotation,
        shift_yx=(weight[..., None] * opinions.shift_yx).sum(dim=0) / total[:, None],
        count=agrees.sum(dim=0),
        spread=(weight * away).sum(dim=0) / total,
    )
