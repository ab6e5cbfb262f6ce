"""The baseline for picking: a matched filter with the mean radial profile of each species."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bench.pick_phantom import HIDDEN, OBJECTS, PIXEL_SIZE, TRAINING, TRUTH, TYPE
from icelens.core.data.picks import Picks
from icelens.core.io.copick.project import PicksKey, Project, TomogramKey
from icelens.core.metrics.detection import DetectionScore, score_detections
from icelens.core.volumes.peaks import find_peaks

Floats = npt.NDArray[np.floating]
REACH, EXCLUSION = 1.3, 0.9
"""Radius of a template, and least distance of two of its peaks, in radii of the object."""
MOST_PEAKS = 2000


def template_score(project: Project) -> DetectionScore:
    """Score of the filter on the hidden runs, its thresholds chosen on the training runs."""
    truth = {run: _truth(project, run) for run in (*TRAINING, *HIDDEN)}
    volumes = {run: _volume(project, run) for run in truth}
    profiles = {
        each.name: _profile(volumes, truth, each.name, each.known_radius()) for each in OBJECTS
    }
    found = {run: _picks(volume, profiles, run) for run, volume in volumes.items()}
    learnt = score_detections(
        {run: truth[run] for run in TRAINING}, {run: found[run] for run in TRAINING}, OBJECTS
    )
    least = {each.name: each.best_threshold or 0.0 for each in learnt.classes}
    kept = {
        run: found[run].select(
            found[run].score >= np.array([least[name] for name in found[run].species])
        )
        for run in HIDDEN
    }
    return score_detections({run: truth[run] for run in HIDDEN}, kept, OBJECTS)


def _truth(project: Project, run: str) -> Picks:
    parts = [project.read_picks(run, PicksKey(each.name, TRUTH)).position_zyx for each in OBJECTS]
    species = [each.name for each, part in zip(OBJECTS, parts, strict=True) for _ in part]
    return Picks(np.concatenate(parts), species=tuple(species), tomogram_id=(run,) * len(species))


def _volume(project: Project, run: str) -> Floats:
    array = np.asarray(project.open_tomogram(run, TomogramKey(PIXEL_SIZE, TYPE)).array, np.float64)
    standard: Floats = (array - array.mean()) / array.std()
    return standard


def _profile(
    volumes: Mapping[str, Floats], truth: Mapping[str, Picks], name: str, radius: float
) -> Floats:
    """Mean grey at each whole distance in voxels from the particles of one species."""
    size = int(np.ceil(REACH * radius / PIXEL_SIZE)) + 1
    distance = np.rint(_distances(size)).astype(int).ravel()
    total = np.zeros(size + 1)
    for run in TRAINING:
        padded = np.pad(volumes[run], size, mode="reflect")
        is_own = np.array([species == name for species in truth[run].species], bool)
        for place in truth[run].position_zyx[is_own]:
            start = np.rint(place / PIXEL_SIZE).astype(int)
            box = padded[tuple(slice(first, first + 2 * size + 1) for first in start)]
            total += np.bincount(distance, box.ravel(), 3 * size)[: size + 1]
    profile: Floats = total / np.bincount(distance, minlength=3 * size)[: size + 1]
    return profile


def _picks(volume: Floats, profiles: Mapping[str, Floats], run: str) -> Picks:
    """Peaks of the responses to all templates; a score is the height in units of noise."""
    spectrum = np.fft.rfftn(volume)
    places, species, scores = [], [], []
    for each in OBJECTS:
        template = _template(profiles[each.name], each.known_radius() / PIXEL_SIZE)
        kernel = np.zeros(volume.shape)
        kernel[tuple(slice(side) for side in template.shape)] = template
        kernel = np.roll(kernel, [-(side // 2) for side in template.shape], (0, 1, 2))
        response = np.fft.irfftn(spectrum * np.conj(np.fft.rfftn(kernel)), volume.shape)
        peaks, heights = find_peaks(
            np.maximum(response, 0),
            threshold=1e-3,
            exclusion_radius_px=EXCLUSION * each.known_radius() / PIXEL_SIZE,
            refinement="none",
        )
        places.append(peaks[:MOST_PEAKS] * PIXEL_SIZE)
        scores.append(heights[:MOST_PEAKS])
        species += [each.name] * len(scores[-1])
    return Picks(
        np.concatenate(places),
        species=tuple(species),
        score=np.concatenate(scores),
        tomogram_id=(run,) * len(species),
    )


def _template(profile: Floats, radius_px: float) -> Floats:
    """A ball with this profile, of mean zero and norm one."""
    distance = _distances(len(profile) - 1)
    inside = distance <= REACH * radius_px
    template = np.interp(distance, np.arange(len(profile)), profile) * inside
    template -= inside * template.sum() / inside.sum()
    normed: Floats = template / np.sqrt((template**2).sum())
    return normed


def _distances(size: int) -> Floats:
    """Distance of each voxel of a box of `2 size + 1` from its middle."""
    square = np.arange(-size, size + 1) ** 2
    distance: Floats = np.sqrt(square[:, None, None] + square[:, None] + square)
    return distance
