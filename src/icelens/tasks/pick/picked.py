"""Gather picks of a project over runs and objects, and the frames of the tomograms they lie in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.geometry.inside import is_inside
from icelens.core.io.copick.project import Project, TomogramKey
from icelens.tasks.pick.settings import SourceText, source_of

# Sampling of two tomograms counts as one below this relative difference.
_SAME_SAMPLING = 1e-4


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

    def __str__(self) -> str:
        """As in `630 x 630 x 200 Å`."""
        return " x ".join(f"{side:g}" for side in self.extent_zyx) + " Å"

    def holds(self, picks: Picks) -> npt.NDArray[np.bool_]:
        """Which picks lie in the volume."""
        return is_inside(picks.position_zyx, shape=self.shape, pixel_size=self.pixel_size)


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
