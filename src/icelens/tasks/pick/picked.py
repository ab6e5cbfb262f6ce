"""Gather picks of a project over runs and objects, and the frames of the tomograms they lie in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.io.copick.project import Project, TomogramKey
from icelens.tasks.pick.settings import SourceText, source_of

# Sampling of two tomograms counts as one below this relative difference.
_SAME_SAMPLING = 1e-4
# More picks outside than this mean another unit or pixel size, not a few strays.
LARGEST_SHARE_OUTSIDE = 0.01


@dataclass(frozen=True)
class Frame:
    """The grid of a run's tomogram: voxels `(z, y, x)` and their size in Å."""

    shape: tuple[int, int, int]
    pixel_size: float

    @property
    def extent_zyx(self) -> tuple[float, float, float]:
        """Sides in Å."""
        z, y, x = (side * self.pixel_size for side in self.shape)
        return z, y, x


def collect_picks(
    project: Project,
    source: SourceText,
    *,
    runs: Sequence[str] = (),
    objects: Sequence[str] = (),
    min_score: float | None = None,
) -> Picks:
    """Picks of one source, run after run; `tomogram_id` is the run, `species` the object.

    Raises:
        MetadataError: If a run or object is not there, or the source has no picks in any run.
    """
    wanted = {project.find(name).name for name in objects}
    chosen, found, known = source_of(source), [], set()
    names = project.select_runs(runs)
    for run in names:
        for key in project.picks(run):
            known.add(key.source)
            if key.source == chosen and (not wanted or key.name in wanted):
                found.append(project.read_picks(run, key))
    if not found:
        others = ", ".join(sorted(str(each) for each in known)) or "none"
        of_objects = f" of {', '.join(sorted(wanted))}" if wanted else ""
        raise MetadataError(
            f"{project.path}: no picks{of_objects} by {chosen} in {len(names)} runs; there are "
            f"picks by {others}"
        )
    picks = joined(found)
    return picks if min_score is None else picks.select(picks.score >= min_score)


def joined(parts: Sequence[Picks]) -> Picks:
    """Several lists of picks as one."""
    return Picks(
        np.concatenate([part.position_zyx for part in parts]),
        np.concatenate([part.rotation for part in parts]),
        tuple(name for part in parts for name in part.species),
        np.concatenate([part.score for part in parts]),
        tuple(name for part in parts for name in part.tomogram_id),
    )


def frame_of(
    project: Project, run: str, pixel_size: float | None, tomogram_type: str | None
) -> Frame:
    """The grid of a run's tomogram; several reconstructions on one grid are as good as one.

    Raises:
        MetadataError: If the run has no such tomogram, or they lie on different grids.
    """
    keys = [
        key
        for key in project.tomograms(run)
        if tomogram_type in (None, key.tomogram_type)
        and (pixel_size is None or abs(key.pixel_size / pixel_size - 1) < _SAME_SAMPLING)
    ]
    frames = [frame_of_key(project, run, key) for key in keys]
    if frames and all(
        frame.shape == frames[0].shape
        and abs(frame.pixel_size / frames[0].pixel_size - 1) < _SAME_SAMPLING
        for frame in frames
    ):
        return frames[0]
    return frame_of_key(project, run, project.choose_tomogram(run, pixel_size, tomogram_type))


def frame_of_key(project: Project, run: str, key: TomogramKey) -> Frame:
    """The grid of one reconstruction, with the exact voxel size where the file has it."""
    header = project.tomogram_header(run, key)
    return Frame(header.shape, header.pixel_size or key.pixel_size)


def common_pixel_size(where: str, frames: Iterable[Frame]) -> float:
    """The voxel size that all tomograms share.

    Raises:
        MetadataError: If they do not.
    """
    sizes = sorted({frame.pixel_size for frame in frames})
    if sizes[-1] > sizes[0] * (1 + _SAME_SAMPLING):
        raise MetadataError(
            f"{where}: tomograms of {', '.join(f'{size:g}' for size in sizes)} Å cannot share a "
            "table; choose one sampling with --voxel-size, or fewer --runs"
        )
    return sizes[0]


def is_inside(picks: Picks, frame: Frame) -> npt.NDArray[np.bool_]:
    """Whether each pick lies in the volume, whose faces are half a voxel beyond outer centres."""
    position_px = picks.position_zyx / frame.pixel_size
    is_within = (position_px >= -0.5) & (position_px <= np.array(frame.shape) - 0.5)
    return np.asarray(is_within.all(axis=1), np.bool_)


def refuse_many_outside(where: str, num_outside: int, num_picks: int, frame: Frame) -> None:
    """Refuse picks of which so many lie outside that their unit must be another.

    Raises:
        MetadataError: If more than 1 % do.
    """
    if num_outside > LARGEST_SHARE_OUTSIDE * num_picks:
        sides = " x ".join(f"{side:g}" for side in frame.extent_zyx)
        raise MetadataError(
            f"{where}: {num_outside} of {num_picks} picks lie outside the tomogram of {sides} Å "
            "(z, y, x); positions are Å from its first voxel, check their unit and the voxel size"
        )
