"""What picks are made from: objects with their sizes and thresholds, and the maps of each run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.io.copick.project import Features, Project, SegmentationKey, TomogramKey
from icelens.tasks.pick.model import described
from icelens.tasks.pick.settings import DEFAULT_THRESHOLD, NamedSourceText
from icelens.training.checkpoint import load_checkpoint


@dataclass(frozen=True)
class RunMaps:
    """One run: its tomogram, the name of its probabilities, and the labels, where there are any."""

    run: str
    tomogram: TomogramKey
    probabilities: str | None
    labels: SegmentationKey | None


def read_description(model: Path | None) -> Mapping[str, Any]:
    """What a model says about itself; nothing without a model.

    Raises:
        CheckpointError: If it cannot be read, or picks nothing.
    """
    if model is None:
        return {}
    checkpoint = load_checkpoint(model)
    described(checkpoint)  # says what is damaged
    return checkpoint.description


def find_maps(
    project: Project,
    run: str,
    wanted: NamedSourceText,
    *,
    voxel_size: float | None,
    tomogram_type: str | None,
    needs_labels: bool,
) -> RunMaps:
    """Where the prediction of a run is; labels may be made from probabilities.

    Raises:
        InputFileError: If there is none.
        MetadataError: If the tomogram is not the only one that fits.
    """
    name = "-".join(wanted)
    predicted = [key for key in project.tomograms(run) if name in project.features(run, key)]
    if len(predicted) == 1 and tomogram_type is None and voxel_size is None:
        key = predicted[0]  # there may be other reconstructions, which were not segmented
    else:
        key = project.choose_tomogram(run, voxel_size, tomogram_type)
    has_probabilities = key in predicted
    fitting = [
        each
        for each in project.segmentations(run)
        if (each.name, each.source.user_id, each.source.session_id) == tuple(wanted)
    ]
    nearest = min(fitting, key=lambda each: abs(each.pixel_size - key.pixel_size), default=None)
    if not has_probabilities and not (needs_labels and nearest is not None):
        what = "labels or probabilities" if needs_labels else "probabilities"
        there = ", ".join((*project.features(run, key), *map(str, project.segmentations(run))))
        raise InputFileError(
            f"{project.path}: run {run} has no {what} {','.join(wanted)} for tomogram {key} "
            f"(there are: {there or 'none'}); make them with `icelens pick segment`"
        )
    return RunMaps(run, key, name if has_probabilities else None, nearest if needs_labels else None)


def channel_names(features: Features, project: Project, maps: RunMaps) -> tuple[str, ...]:
    """Objects of the channels, in order.

    Raises:
        MetadataError: If the probabilities do not say, or say it for another number of channels.
    """
    names = features.attributes.get("objects")
    count = len(features.array)
    if not isinstance(names, Sequence) or isinstance(names, str) or len(names) != count:
        raise MetadataError(
            f"{project.path}: {maps.probabilities} of run {maps.run} has {count} channels but "
            f"names the objects {names}; predict again with `icelens pick segment`"
        )
    return tuple(str(name) for name in names)


def chosen_objects(
    project: Project,
    predicted: Sequence[str] | None,
    asked: Sequence[str],
    description: Mapping[str, Any],
) -> tuple[PickableObject, ...]:
    """The particles to pick, by label, each with a radius.

    Args:
        project: Its objects go before the model's of the same name.
        predicted: Names that were predicted; None if labels do not say.
        asked: Names to pick; empty for all.
        description: Of the model.

    Raises:
        MetadataError: If one is unknown, was not predicted, is no particle or has no radius, or if
            there is none.
    """
    known = {each.name: each for each in (*_objects_of(description), *project.objects)}
    names = tuple(dict.fromkeys(asked)) or (known if predicted is None else predicted)
    for name in names:
        if name not in known:
            project.find(name)  # says which there are
        if predicted is not None and name not in predicted:
            raise MetadataError(
                f"{project.path}: {name} was not predicted, only {', '.join(predicted)} were; "
                "train a model with it"
            )
        if name in asked and not known[name].is_particle:
            raise MetadataError(
                f"{project.path}: {name} is not a particle (is_particle is false), so it has no "
                "centre to pick; leave it out of --objects"
            )
    chosen = [known[name] for name in names if known[name].is_particle]
    if not chosen:
        raise MetadataError(
            f"{project.path}: there is no particle to pick; add it to the project's objects"
        )
    for each in chosen:
        project.radius_of(each)
    return tuple(sorted(chosen, key=lambda each: each.label))


def thresholds_of(
    objects: Sequence[PickableObject],
    flags: Sequence[str],
    descriptions: Sequence[Mapping[str, Any]],
    on_event: OnEvent,
) -> dict[str, float]:
    """The least probability of a peak of each object.

    Args:
        objects: To be picked.
        flags: `OBJECT=VALUE`, or a value for all that are not named.
        descriptions: Of a model or of probabilities, with "thresholds" by name, the most trusted
            first.
        on_event: Hears where nothing was known.

    Raises:
        MetadataError: If a flag names no such object, or a threshold is not above 0 and at most 1.
    """
    names = [each.name for each in objects]
    typed: dict[str, float] = {}
    for word in flags:
        name, _, value = word.rpartition("=")
        if name and name not in names:
            raise MetadataError(f"--threshold {word}: expected one of {', '.join(names)}")
        typed[name] = _probability(value, f"--threshold {word}")
    sources = [typed, *(dict(each.get("thresholds") or {}) for each in descriptions)]
    result, unknown = {}, []
    for name in names:
        values = [source[name] for source in sources if name in source]
        # A value without a name stands before what the model found, behind what was named.
        if "" in typed and name not in typed:
            values = [typed[""]]
        if not values:
            unknown.append(name)
        result[name] = _probability(values[0] if values else DEFAULT_THRESHOLD, f"of {name}")
    if unknown:
        on_event(
            Message(
                f"no threshold is known for {', '.join(unknown)}: {DEFAULT_THRESHOLD:g} is taken; "
                "give --model or --threshold OBJECT=VALUE"
            )
        )
    return result


def labels_from(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Number of the likeliest channel of each voxel, from 1; 0 where background is likelier.

    Args:
        array: Probabilities `(channel, z, y, x)`; background has what they leave to one.
    """
    result = np.zeros(array.shape[1:], np.uint8)
    best = np.ones(array.shape[1:], np.float32)
    for channel in array:
        best -= channel.astype(np.float32)
    for number, channel in enumerate(array, start=1):
        is_better = channel > best
        result[is_better] = number
        best[is_better] = channel[is_better]
    return result


def _probability(value: object, what: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = float("nan")
    if not 0 < number <= 1:
        raise MetadataError(f"threshold {what} is {value}; expected above 0 and at most 1")
    return number


def _objects_of(description: Mapping[str, Any]) -> tuple[PickableObject, ...]:
    """Objects that a model was trained for; what it knows no radius of is a continuous thing."""
    return tuple(
        PickableObject(
            each["name"], int(each["label"]), each.get("radius"), each.get("radius") is not None
        )
        for each in description.get("objects", ())
    )
