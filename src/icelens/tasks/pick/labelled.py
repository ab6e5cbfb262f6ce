"""Tomograms to learn from, standardised and in memory, with what is known to be in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.geometry.inside import is_inside, refuse_many_outside, refuse_voxels
from icelens.core.io.copick.keys import PicksKey, SegmentationKey
from icelens.core.io.copick.project import Project

SAME_SAMPLING = 0.02
"""Voxel sizes that differ relatively by less are learnt from together."""


@dataclass(frozen=True)
class Truth:
    """Where the answers are: picks of `source`, or a target segmentation, and further classes.

    `classes` are learnt in this order; those of `segmentations` come with name and source.
    """

    classes: tuple[PickableObject, ...]
    source: Source | None
    target: tuple[str, Source] | None
    segmentations: tuple[tuple[str, Source], ...]


@dataclass(frozen=True, eq=False)
class LabelledTomogram:
    """One run: `views` are its reconstructions `(z, y, x)` as float16 with mean 0 and deviation 1.

    `centre_zyx_px` `(pick, 3)` and `kind` `(pick,)` tell particles (kind 0 is the first class);
    `labels` holds class numbers from 1 where a segmentation tells them, 0 elsewhere.
    """

    name: str
    views: tuple[npt.NDArray[np.float16], ...]
    pixel_size: float
    centre_zyx_px: npt.NDArray[np.float64]
    kind: npt.NDArray[np.int64]
    labels: npt.NDArray[np.uint8] | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y and x."""
        z, y, x = self.views[0].shape
        return z, y, x

    def picks_of(self, number: int) -> npt.NDArray[np.float64]:
        """Centres of one class in voxels."""
        centres: npt.NDArray[np.float64] = self.centre_zyx_px[self.kind == number]
        return centres

    def holds(self, number: int) -> bool:
        """Whether picks or labels tell of a class."""
        is_labelled = self.labels is not None and (self.labels == number + 1).any()
        return bool(is_labelled) or bool((self.kind == number).any())


def standardised(volume: Volume, name: str) -> npt.NDArray[np.float16]:
    """The density with mean 0 and deviation 1; half precision holds it well and saves memory.

    Raises:
        InputFileError: If a voxel is not finite, or all are equal.
    """
    array = np.asarray(volume.array, np.float32)
    lowest, highest = float(array.min()), float(array.max())
    if not np.isfinite([lowest, highest]).all():
        raise InputFileError(
            f"{name}: holds voxels that are not finite; reconstruct it again or replace them by "
            "the mean"
        )
    if lowest == highest:
        raise InputFileError(f"{name}: all voxels are equal ({lowest:g}); is this the right file?")
    mean, std = float(array.mean(dtype=np.float64)), float(array.std(dtype=np.float64))
    # gold and ice lie far out; 60 deviations are as good as any
    scaled: npt.NDArray[np.float32] = np.clip((array - mean) / std, -60, 60)
    return scaled.astype(np.float16)


def load_tomograms(
    project: Project,
    runs: Sequence[str],
    truth: Truth,
    *,
    pixel_size: float | None,
    tomogram_types: Sequence[str],
    on_event: OnEvent,
) -> list[LabelledTomogram]:
    """Load runs of one project with all that is asked to be known of them.

    Raises:
        MetadataError: If a run has no fitting tomogram.
        GeometryError: If too many picks lie outside, or a segmentation has another shape.
    """
    loaded = []
    outside: dict[str, int] = {}
    for done, run in enumerate(runs):
        on_event(Progress("read tomograms", done, len(runs), "run"))
        loaded.append(_load(project, run, truth, pixel_size, tuple(tomogram_types), outside))
    if runs:
        on_event(Progress("read tomograms", len(runs), len(runs), "run"))
    num_picks = sum(outside.values()) + sum(len(each.kind) for each in loaded)
    told = refuse_many_outside(str(project.path), outside, num_picks)
    if told:
        on_event(Message(told, "warning"))
    return loaded


def _load(
    project: Project,
    run: str,
    truth: Truth,
    pixel_size: float | None,
    tomogram_types: tuple[str | None, ...],
    outside: dict[str, int],
) -> LabelledTomogram:
    """Load one run; picks outside the tomogram are left out and counted in `outside`."""
    views: list[npt.NDArray[np.float16]] = []
    sampling = 0.0
    for tomogram_type in tomogram_types or (None,):
        key = project.choose_tomogram(run, pixel_size, tomogram_type)
        volume = project.open_tomogram(run, key)
        where = f"{project.path}: run {run}, {key}"
        if views and volume.shape != views[0].shape:
            raise GeometryError(
                f"{where} has (z, y, x) = {volume.shape}, expected {views[0].shape} as in "
                f"{tomogram_types[0]}; leave one type out"
            )
        sampling = volume.pixel_size
        views.append(standardised(volume, where))
    shape = (views[0].shape[0], views[0].shape[1], views[0].shape[2])
    centres, kinds = [np.zeros((0, 3))], [np.zeros(0, np.int64)]
    if truth.source is not None:
        available = project.picks(run)
        for number, each in enumerate(truth.classes):
            key_of_picks = PicksKey(each.name, truth.source)
            if key_of_picks not in available:
                continue
            picks = project.read_picks(run, key_of_picks)
            centre = _inside(project, run, each, picks, shape, sampling)
            outside[f"{each.name} in {run}"] = len(picks) - len(centre)
            centres.append(centre / sampling)
            kinds.append(np.full(len(centre), number, np.int64))
    return LabelledTomogram(
        run,
        tuple(views),
        sampling,
        np.concatenate(centres),
        np.concatenate(kinds),
        _labels(project, run, truth, shape, sampling),
    )


def _inside(
    project: Project,
    run: str,
    each: PickableObject,
    picks: Picks,
    shape: tuple[int, int, int],
    pixel_size: float,
) -> npt.NDArray[np.float64]:
    """Positions in Å that lie in the tomogram."""
    position = picks.position_zyx
    where = f"{project.path}: run {run}, {each.name}"
    refuse_voxels(where, position, shape=shape, pixel_size=pixel_size)
    return position[is_inside(position, shape=shape, pixel_size=pixel_size)]


def _labels(
    project: Project, run: str, truth: Truth, shape: tuple[int, int, int], pixel_size: float
) -> npt.NDArray[np.uint8] | None:
    """Class numbers from the target segmentation and from segmentations of continuous things."""
    wanted = [*([truth.target] if truth.target else []), *truth.segmentations]
    if not wanted:
        return None
    labels = np.zeros(shape, np.uint8)
    label_of = {each.name: each.label for each in project.objects}  # projects may differ in it
    for name, source in wanted:
        key = _segmentation(project, run, name, source, pixel_size)
        found = np.asarray(project.read_segmentation(run, key).array)
        if found.shape != shape:
            raise GeometryError(
                f"{project.path}: run {run}, segmentation {key} has (z, y, x) = {found.shape}, the "
                f"tomogram {shape}; make it from this tomogram"
            )
        is_of_all = key.is_multilabel and (name, source) == truth.target
        for number, each in enumerate(truth.classes, start=1):
            if is_of_all and each.name in label_of:
                labels[found == label_of[each.name]] = number
            elif not is_of_all and each.name == name:
                labels[(found != 0) & (labels == 0)] = number
    return labels


def _segmentation(
    project: Project, run: str, name: str, source: Source, pixel_size: float
) -> SegmentationKey:
    known = project.segmentations(run)
    fitting = [
        key
        for key in known
        if (key.name, key.source) == (name, source)
        and abs(key.pixel_size - pixel_size) <= SAME_SAMPLING * pixel_size
    ]
    if not fitting:
        raise MetadataError(
            f"{project.path}: run {run} has no segmentation {name},{source} at {pixel_size:g} Å; "
            f"there are {', '.join(map(str, known)) or 'none'}"
        )
    return fitting[0]
