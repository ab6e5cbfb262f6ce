"""Score a network as it will be used: pick held-out tomograms and compare particles, not voxels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from torch import nn

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.io.copick.keys import Features
from icelens.core.metrics.detection import ClassScore, DetectionScore, score_detections
from icelens.tasks.pick.class_maps import WindowPlan, class_maps
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.model import Model
from icelens.tasks.pick.network import SegmentationNetwork
from icelens.tasks.pick.peaks_of_maps import picks_of_maps
from icelens.training.device import Compute

LEAST_PROBABILITY = 0.03
"""Peaks below it are not looked at: with centres weighted up, particles lie far above."""
JUDGING_VIEWS = 4
"""Mirrored copies averaged when a finished model is judged; on the way there is one."""
_DICE_CUT = 0.5


@dataclass(frozen=True)
class HeldOut:
    """How a network did on tomograms: particles by class, and overlap of continuous things."""

    particles: DetectionScore | None
    dice: Mapping[str, float]
    picks: Mapping[str, Picks]

    @property
    def score(self) -> float:
        """Mean of the best F-beta of each class of particles, by weight, and the overlaps."""
        values = [(value, 1.0) for value in self.dice.values()]
        values += [
            (each.f_beta_at_best or 0.0, each.weight)
            for each in self.classes()
            if each.counts.num_truth
        ]
        total = sum(weight for _, weight in values)
        return sum(value * weight for value, weight in values) / total if total else 0.0

    def thresholds(self) -> dict[str, float]:
        """The probability of each class from which on F-beta is greatest, where one is known."""
        found = {each.name: each.best_threshold for each in self.classes()}
        return {name: value for name, value in found.items() if value is not None}

    def classes(self) -> tuple[ClassScore, ...]:
        """Scores of the classes of particles."""
        return self.particles.classes if self.particles else ()


@dataclass(frozen=True, eq=False)
class Scorer:
    """Picks tomograms with a network and scores it; called by the training loop, lower is better.

    `template` is a model whose network is exchanged for the one to score.
    """

    tomograms: tuple[LabelledTomogram, ...]
    template: Model
    compute: Compute
    beta: float
    on_event: OnEvent = ignore

    def __call__(self, network: nn.Module) -> float:
        """The score of the network, negated."""
        result = self.judged(network, num_views=1)
        self.on_event(Message(f"held-out score {result.score:.3f} ({described(result)})"))
        return -result.score

    def judged(self, network: nn.Module, *, num_views: int) -> HeldOut:
        """How the network does on all tomograms."""
        assert isinstance(network, SegmentationNetwork), "pick trains its own networks"
        model = replace(self.template, network=network)
        particles = particle_classes(model.objects, self.tomograms)
        dense = [
            each
            for number, each in enumerate(model.objects)
            if each not in particles and any(tomogram.holds(number) for tomogram in self.tomograms)
        ]
        truth, found, overlaps = {}, {}, {each.name: np.zeros(2) for each in dense}
        for tomogram in self.tomograms:
            maps = class_maps(
                [model],
                Volume(tomogram.views[0], tomogram.pixel_size),
                self.compute,
                name=tomogram.name,
                num_views=num_views,
                plan=WindowPlan(),
            )
            thresholds = dict.fromkeys((each.name for each in particles), LEAST_PROBABILITY)
            found[tomogram.name] = picks_of_maps(maps, particles, thresholds, run=tomogram.name)
            truth[tomogram.name] = true_picks(tomogram, model.objects)
            for each in dense:
                overlaps[each.name] += _overlap(tomogram, maps, model.objects.index(each))
        particle_score = (
            score_detections(truth, found, particles, beta=self.beta) if particles else None
        )
        dice = {name: float(both / max(total, 1)) for name, (both, total) in overlaps.items()}
        return HeldOut(particle_score, dice, found)


def particle_classes(
    objects: Sequence[PickableObject], tomograms: Sequence[LabelledTomogram]
) -> tuple[PickableObject, ...]:
    """The classes that are points: particles with picks somewhere in these tomograms."""
    return tuple(
        each
        for number, each in enumerate(objects)
        if each.is_particle and any(len(tomogram.picks_of(number)) for tomogram in tomograms)
    )


def true_picks(tomogram: LabelledTomogram, objects: Sequence[PickableObject]) -> Picks:
    """What is known to be in a tomogram, in Å."""
    return Picks(
        tomogram.centre_zyx_px * tomogram.pixel_size,
        species=tuple(objects[kind].name for kind in tomogram.kind.tolist()),
        tomogram_id=(tomogram.name,) * len(tomogram.kind),
    )


def described(result: HeldOut) -> str:
    """The scores of the classes in a line."""
    parts = [
        f"{each.name} {each.f_beta_at_best or 0:.2f}"
        for each in result.classes()
        if each.counts.num_truth
    ]
    parts += [f"{name} Dice {value:.2f}" for name, value in result.dice.items()]
    return ", ".join(parts) or "nothing to score"


def _overlap(tomogram: LabelledTomogram, maps: Features, channel: int) -> npt.NDArray[np.float64]:
    """Twice the common voxels, and the voxels of both, of a continuous class."""
    if tomogram.labels is None:
        return np.zeros(2)
    stride = round(maps.pixel_size / tomogram.pixel_size)
    predicted = maps.array[channel] > _DICE_CUT
    for axis, size in enumerate(tomogram.shape):
        predicted = predicted.repeat(stride, axis=axis).take(range(size), axis=axis)
    true = tomogram.labels == channel + 1
    return np.array([2.0 * (predicted & true).sum(), float(predicted.sum() + true.sum())])
