"""Compare the poses of two particle files: pair rows, align frames, measure, and show."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.geometry.frame_alignment import align_frames, origin_offset, without_offset
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.io.atomic import atomic_path
from icelens.core.io.csv_table import write_csv
from icelens.core.io.particle_files import read_particles
from icelens.core.metrics.particle_matching import MatchedParticles, match_particles
from icelens.core.metrics.pose_error import PoseErrors, nearest_equivalent, pose_errors
from icelens.core.plots.histograms import stacked_histograms
from icelens.jobs.run import Run
from icelens.tasks.tools.compare_jobs import ComparePosesConfig

SHARES = (5.0, 10.0)
_ALIGNED = 1e-3


@dataclass(frozen=True)
class Frame:
    """Where the second reference lies in relation to the first.

    Attributes:
        rotation: Takes the first frame to the second, `(3, 3)`.
        offset_xyz: Of the second map's origin, in Å, in the second frame.
    """

    rotation: Float[Tensor, "3 3"]
    offset_xyz: Float[Tensor, "3"]


def write_comparison(config: ComparePosesConfig, run: Run) -> Path:
    """Write table, pictures and report; return the table.

    Raises:
        MetadataError: If a file has no poses, or nothing is common to both.
    """
    files = [
        read_particles(path, need_poses=True, on_event=run.on_event)
        for path in (config.particles_1, config.particles_2)
    ]
    matched = match_particles(*files, coordinate_margin=config.coordinate_margin)
    only = [len(files[0]) - len(matched), len(files[1]) - len(matched)]
    run.on_event(
        Message(
            f"{len(matched)} particles are in both files, recognised by {matched.found_by}; "
            f"{only[0]} only in the first, {only[1]} only in the second"
        )
    )
    first = files[0].particles.take(matched.rows_1)
    second = files[1].particles.take(matched.rows_2)
    operators = symmetry_operators(config.symmetry).double()
    frame = _frame(config, first, second, operators, run)
    errors = errors_in_frame(first, second, operators, frame)
    path = run.folder / "poses.csv"
    _write_table(path, first, matched, errors)
    run.on_event(Saved(path, "table"))
    _report(errors, matched, only, frame, run)
    return path


def errors_in_frame(
    first: Particles, second: Particles, operators: Tensor, frame: Frame
) -> PoseErrors:
    """Errors of the second poses after they were brought into the first frame."""
    rotation_1, rotation_2 = (torch.from_numpy(each.rotation) for each in (first, second))
    shift_1, shift_2 = (torch.from_numpy(each.shift_yx) for each in (first, second))
    return pose_errors(
        rotation_1,
        rotation_2 @ frame.rotation,
        shift_yx_1=shift_1,
        shift_yx_2=without_offset(shift_2, rotation_2, frame.offset_xyz),
        operators=operators,
    )


def _frame(
    config: ComparePosesConfig, first: Particles, second: Particles, operators: Tensor, run: Run
) -> Frame:
    """The frame of a file, the one found, or none."""
    if config.frame is not None:
        return read_frame(config.frame)
    if not config.align_frames:
        return Frame(torch.eye(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64))
    rotation_1, rotation_2 = (torch.from_numpy(each.rotation) for each in (first, second))
    generator = torch.Generator().manual_seed(config.seed)
    turn = align_frames(rotation_1, rotation_2, operators, generator)
    difference = torch.from_numpy(second.shift_yx - first.shift_yx)
    # equivalent poses see the offset from another side: it is told from those that were right
    nearest = nearest_equivalent(rotation_1, rotation_2 @ turn.rotation, operators)
    is_near = (nearest - rotation_1).flatten(1).norm(dim=1) < 0.5
    frame = Frame(turn.rotation, origin_offset(rotation_2[is_near], difference[is_near]))
    angle = _angle(frame.rotation)
    run.on_event(
        Message(
            f"Frames differ by a turn of {angle:.2f} degrees and a shift of "
            f"{float(frame.offset_xyz.norm()):.2f} Å; {turn.inliers:.0%} of the poses agree to 10 "
            "degrees after the turn"
        )
    )
    path = run.folder / "frame.json"
    write_frame(path, frame)
    run.on_event(Saved(path, "table"))
    return frame


def write_frame(path: Path, frame: Frame) -> None:
    """Write turn and offset as JSON."""
    content = {"rotation": frame.rotation.tolist(), "offset_xyz": frame.offset_xyz.tolist()}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_frame(path: Path) -> Frame:
    """Read what `write_frame` wrote.

    Raises:
        InputFileError: If the file is missing or no such JSON.
        MetadataError: If the matrix is no rotation.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rotation = torch.tensor(content["rotation"], dtype=torch.float64).reshape(3, 3)
        offset_xyz = torch.tensor(content["offset_xyz"], dtype=torch.float64).reshape(3)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise InputFileError(
            f"{path}: not a frame.json ({type(error).__name__}); give the file that compare-poses "
            "--align-frames wrote"
        ) from error
    eye = torch.eye(3, dtype=torch.float64)
    if float((rotation @ rotation.mT - eye).abs().max()) > _ALIGNED or torch.det(rotation) < 0:
        raise MetadataError(f"{path}: the matrix is no rotation; write the file again")
    return Frame(rotation, offset_xyz)


def summary(values: npt.NDArray[np.float64]) -> list[float]:
    """Mean, standard deviation, median, and the two quartiles."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return [float(values.mean()), float(values.std()), float(middle), float(low), float(high)]


def _angle(rotation: Tensor) -> float:
    cosine = 0.5 * (float(rotation.trace()) - 1.0)
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _write_table(
    path: Path, first: Particles, matched: MatchedParticles, errors: PoseErrors
) -> None:
    values = torch.stack([errors.angle, errors.view, errors.in_plane, errors.shift], dim=1)
    names = [path.name for path in first.stacks]
    rows = (
        [row_1 + 1, row_2 + 1, f"{number + 1}@{names[stack]}", *line]
        for row_1, row_2, number, stack, line in zip(
            matched.rows_1.tolist(),
            matched.rows_2.tolist(),
            first.slice_index.tolist(),
            first.stack.tolist(),
            values.tolist(),
            strict=True,
        )
    )
    header = ["row_1", "row_2", "image", "angle", "view", "in_plane", "shift"]
    write_csv(path, header, rows)


def _report(
    errors: PoseErrors, matched: MatchedParticles, only: list[int], frame: Frame, run: Run
) -> None:
    angles = {
        "angle": errors.angle.numpy(),
        "viewing direction": errors.view.numpy(),
        "in-plane angle": errors.in_plane.numpy(),
    }
    shift = {"shift": errors.shift.numpy()}
    report = run.report
    report.section("Poses")
    report.text(
        f"{len(matched)} particles are in both files, recognised by {matched.found_by}; {only[0]} "
        f"are only in the first and {only[1]} only in the second."
    )
    header = ["error", "mean", "std", "median", "quartile 1", "quartile 3"]
    units = {"shift": "Å"}
    report.table(
        header,
        [
            [f"{name} ({units.get(name, 'degrees')})", *summary(values)]
            for name, values in (angles | shift).items()
        ],
    )
    angle = angles["angle"]
    below = [float((angle < limit).mean()) for limit in SHARES]
    report.table(
        [f"below {limit:g} degrees (%)" for limit in SHARES], [[100.0 * share for share in below]]
    )
    if _angle(frame.rotation) > 0 or bool(frame.offset_xyz.any()):
        report.text("The frames were aligned first, by this turn and this shift (x, y, z) in Å:")
        report.table(["x", "y", "z"], [*frame.rotation.tolist(), frame.offset_xyz.tolist()])
    for name, groups, label in (("angles", angles, "degrees"), ("shifts", shift, "Å")):
        reach = max(float(np.percentile(values, 99)) for values in groups.values())
        report.figure(
            stacked_histograms(groups, label=f"error ({label})", limits=(0.0, max(reach, 1e-3))),
            name=name,
            caption=f"Errors in {label}; the last bin holds what lies beyond the 99th percentile.",
        )
    run.on_event(
        Message(
            f"Angles differ by {np.median(angle):.3g} degrees (median) and {angle.mean():.3g} "
            f"(mean), {below[0]:.1%} by less than 5 and {below[1]:.1%} by less than 10; shifts by "
            f"{np.median(shift['shift']):.3g} Å (median)"
        )
    )
