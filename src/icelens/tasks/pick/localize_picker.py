"""Find the particles of one run, in Å: by peaks of probabilities, or by regions of labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import MetadataError
from icelens.core.events import OnEvent
from icelens.core.io.copick.project import Features, Project
from icelens.core.volumes.labels import ParticleSize, locate_regions
from icelens.core.volumes.likeliest import likeliest
from icelens.tasks.pick.description import objects_of
from icelens.tasks.pick.localize_input import (
    RunMaps,
    channel_names,
    chosen_objects,
    thresholds_of,
)
from icelens.tasks.pick.localize_jobs import LocalizeConfig
from icelens.tasks.pick.peaks_of_maps import peaks_of
from icelens.training.checkpoint import Checkpoint

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Found:
    """Particles of one object in one run: positions (pick, 3) zyx in Å, best first, and scores."""

    positions: Floats
    scores: Floats


@dataclass(frozen=True, eq=False)
class Predicted:
    """Probabilities of one run with the objects of their channels."""

    features: Features
    names: tuple[str, ...]

    def of(self, name: str) -> npt.NDArray[Any]:
        """Probability (z, y, x) of an object."""
        return np.asarray(self.features.array[self.names.index(name)])

    def at(self, name: str, positions: Floats) -> Floats:
        """Probability of an object at positions (point, 3) in Å; 1 if it was not predicted."""
        if name not in self.names:
            return np.ones(len(positions))
        grid = self.features
        index = np.rint((positions - grid.origin_zyx) / grid.pixel_size).astype(np.intp)
        index = np.clip(index, 0, np.array(grid.array.shape[1:]) - 1)
        return np.asarray(self.of(name)[tuple(index.T)], np.float64)


@dataclass(frozen=True, eq=False)
class LabelGrid:
    """Labels `(z, y, x)`, their sampling, and the position of voxel (0, 0, 0), both in Å."""

    array: npt.NDArray[Any]
    pixel_size: float
    origin_zyx: tuple[float, float, float]
    object_of: Mapping[int, str]

    def in_angstrom(self, voxels: Floats) -> Floats:
        """Positions (point, 3) of voxels."""
        return voxels * self.pixel_size + self.origin_zyx


class Picker:
    """Finds the same objects by the same thresholds in every run."""

    def __init__(
        self,
        config: LocalizeConfig,
        project: Project,
        model: Checkpoint | None,
        on_event: OnEvent,
    ) -> None:
        self.config, self.project, self.on_event = config, project, on_event
        self.of_model = objects_of(model) if model else ()
        self.described = [model.description] if model else []
        self.objects: tuple[PickableObject, ...] = ()
        self.thresholds: dict[str, float] = {}

    def pick(self, maps: RunMaps) -> dict[str, Found]:
        """What was found of each object in one run.

        Raises:
            MetadataError: If objects, radii or thresholds are not known, or differ between runs.
        """
        predicted = None
        if maps.probabilities is not None:
            features = self.project.read_features(maps.run, maps.tomogram, maps.probabilities)
            predicted = Predicted(features, channel_names(features, self.project, maps))
        self._settle(maps, predicted)
        if self.config.method == "peaks":
            assert predicted is not None, "find_maps refuses runs without probabilities"
            found = self._peaks(predicted)
        else:
            found = self._regions(self._labels(maps, predicted), predicted)
        size = np.array(self.project.tomogram_shape(maps.run, maps.tomogram))
        # A coarse grid may reach beyond the last voxel; a pick does not.
        faces = (size - 0.5) * maps.tomogram.pixel_size
        return {
            name: Found(np.clip(each.positions, faces * 0, faces), each.scores)
            for name, each in found.items()
        }

    def _settle(self, maps: RunMaps, predicted: Predicted | None) -> None:
        """Choose objects and thresholds by the first run; later ones must hold them, too."""
        names = None if maps.labels is not None or predicted is None else predicted.names
        if self.objects:
            missing = [each.name for each in self.objects if names and each.name not in names]
            if missing:
                raise MetadataError(
                    f"{self.project.path}: {maps.probabilities} of run {maps.run} lacks "
                    f"{', '.join(missing)}, which an earlier run has; predict both with one model"
                )
            return
        self.objects = chosen_objects(self.project, names, self.config.objects, self.of_model)
        if self.config.method == "peaks" and predicted is not None:
            described = (*self.described, predicted.features.attributes)
            self.thresholds = thresholds_of(
                self.objects, self.config.threshold, described, self.on_event
            )

    def _peaks(self, predicted: Predicted) -> dict[str, Found]:
        config, found = self.config, {}
        for each in self.objects:
            positions, heights = peaks_of(
                predicted.features,
                each,
                self.thresholds[each.name],
                exclusion_scale=config.exclusion_scale,
                centroid_scale=config.centroid_scale,
                refinement=config.refinement,
            )
            found[each.name] = Found(positions, heights)
        return found

    def _labels(self, maps: RunMaps, predicted: Predicted | None) -> LabelGrid:
        """The labels of a run; without a segmentation, the likeliest class of each voxel."""
        names = {each.label: each.name for each in self.objects}
        if maps.labels is not None:
            volume = self.project.read_segmentation(maps.run, maps.labels)
            if not maps.labels.is_multilabel:
                only = self.project.find(maps.labels.name).name
                if only not in names.values():
                    raise MetadataError(
                        f"{self.project.path}: {maps.labels} of run {maps.run} holds {only} alone, "
                        f"not {', '.join(names.values())}; choose another with --segmentation"
                    )
                names = {1: only}
            return LabelGrid(volume.array, volume.pixel_size, (0.0, 0.0, 0.0), names)
        assert predicted is not None, "find_maps refuses runs with neither"
        grid = predicted.features
        labels = likeliest(list(grid.array))
        numbered = enumerate(predicted.names, start=1)
        wanted = {number: name for number, name in numbered if name in names.values()}
        return LabelGrid(labels, grid.pixel_size, grid.origin_zyx, wanted)

    def _regions(self, grid: LabelGrid, predicted: Predicted | None) -> dict[str, Found]:
        found = {each.name: Found(np.empty((0, 3)), np.empty(0)) for each in self.objects}
        sizes = {
            label: self._size(name, grid.pixel_size)
            for label, name in grid.object_of.items()
            if name in found
        }

        def confidence(label: int, zyx: npt.NDArray[np.intp]) -> Floats:
            if predicted is None:
                return np.ones(1)
            return predicted.at(grid.object_of[label], grid.in_angstrom(zyx.T.astype(np.float64)))

        regions = locate_regions(
            grid.array,
            sizes,
            method="com" if self.config.method == "com" else "watershed",
            confidence=confidence,
        )
        for label, each in regions.items():
            found[grid.object_of[label]] = Found(grid.in_angstrom(each.positions), each.scores)
        return found

    def _size(self, name: str, pixel_size: float) -> ParticleSize:
        radius = next(each for each in self.objects if each.name == name).known_radius()
        radius /= pixel_size
        return ParticleSize(
            radius, self.config.radius_min_scale * radius, self.config.radius_max_scale * radius
        )
