"""The page of an inference: how sure the network is, how the map is, whether the data suit it."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles
from icelens.core.events import Message
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.plots.curves import fsc_curves
from icelens.core.plots.histograms import stacked_histograms
from icelens.core.plots.slices import orthogonal_slices
from icelens.core.plots.views import view_distribution
from icelens.jobs.run import Run
from icelens.tasks.pose.confidence import DirectionalScores, drift, junk_threshold
from icelens.tasks.pose.found_poses import FoundPoses
from icelens.tasks.pose.model import PoseModel

_HELD_OUT = "held out in training"


def report_inference(
    particles: Particles,
    found: FoundPoses,
    models: Mapping[int, Sequence[PoseModel]],
    maps: HalfMaps | None,
    run: Run,
) -> None:
    """Say and draw what a user should know before using the poses."""
    run.report.section("Poses")
    probability = found.network.probability[:, 0]
    used = int(found.is_kept.sum())
    sentence = (
        f"{len(found.rows)} images, {used} of them used; the network's best pose has a median "
        f"probability of {np.median(probability):.2f}"
    )
    run.on_event(Message(sentence))
    run.report.text(f"{sentence}.")
    groups = {"new particles": probability}
    known = _scores(models)
    if known is not None:
        _tell_drift(probability, known, run)
        groups[_HELD_OUT] = known.held_out
    run.report.figure(
        stacked_histograms(
            groups, label="probability of the best pose", limits=(0.0, 1.0), uncounted=(_HELD_OUT,)
        ),
        name="confidence",
        caption="How sure the network is of these particles, and of those held out in training; "
        "each group has a height of its own.",
    )
    run.report.figure(
        view_distribution(found.table.rotation[found.is_kept, 0]),
        name="views",
        caption="Directions that the particles are seen from: rlnAngleRot runs to the right, "
        "rlnAngleTilt from 0 at the top to 180 degrees at the bottom.",
    )
    _tell_junk(found, run)
    if maps is not None:
        group = particles.optics[int(particles.optics_index[0])]
        report_maps(maps, group.pixel_size, run)


def report_maps(maps: HalfMaps, pixel_size: float, run: Run) -> None:
    """Curve and slices of the reconstruction."""
    run.report.section("Map")
    run.report.text(f"The half maps agree to {maps.resolution:.2f} Å (FSC 0.143, without a mask).")
    run.report.figure(
        fsc_curves(
            {"half maps": maps.fsc.correlation.numpy()},
            maps.fsc.spatial_frequency.numpy(),
            thresholds={"0.143": 0.143},
        ),
        name="fsc",
        caption="Fourier shell correlation of the half maps.",
    )
    run.report.figure(
        orthogonal_slices({"map": maps.full.float().cpu().numpy()}, pixel_size),
        name="map",
        caption="Central slices of the map of all particles.",
    )


def _scores(models: Mapping[int, Sequence[PoseModel]]) -> DirectionalScores | None:
    known = (chosen[0].scores for chosen in models.values())
    return next((scores for scores in known if scores is not None), None)


def _tell_drift(probability: npt.NDArray[np.float64], known: DirectionalScores, run: Run) -> None:
    moved = drift(probability, known)
    if moved.is_large:
        sentence = (
            "these particles are not what the model learnt: its probabilities are "
            f"{-moved.median_shift:.1f} standard deviations lower than on held-out particles "
            f"(distance {moved.distance:.2f}); poses may be wrong, train or fine-tune on this set"
        )
        run.on_event(Message(sentence, "warning"))
        run.report.text(f"Warning: {sentence}.")


def _tell_junk(found: FoundPoses, run: Run) -> None:
    scores = found.zscore[np.isfinite(found.zscore)]
    threshold = junk_threshold(scores)
    if threshold is None:
        run.report.text("The z-scores are those of one population: no threshold is proposed.")
        return
    sentence = (
        f"z-scores part in two populations at {threshold.threshold:.2f}: about "
        f"{threshold.junk_share:.0%} of the particles may be junk, and of those above "
        f"{threshold.false_discovery_rate:.1%} (--min-zscore)"
    )
    run.on_event(Message(sentence))
    run.report.text(f"{sentence}.")
