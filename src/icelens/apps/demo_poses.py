"""The demo's third part: see the orientations of particle images, and reconstruct their map."""

import csv
import shlex
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from icelens.core.errors import InputFileError
from icelens.jobs.report import Report

_COUNT, _NEW = 3000, 400
_SNR, _BOX_SIZE, _PIXEL_SIZE, _EPOCHS = 0.5, 48, 4, 3
_COMPARED = "poses-compared"
_GROSS = 10.0


@dataclass(frozen=True)
class PoseScore:
    """Errors of the poses that were found for images the network never saw."""

    particles: int
    median_error: float
    median_shift: float
    within: float
    """Share with an error of at most 10 degrees."""

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        return (
            f"The orientations of {self.particles} new particle images were found with a median "
            f"error of {self.median_error:.1f} degrees and {self.median_shift:.1f} Å, "
            f"{self.within:.1%} of them within {_GROSS:g} degrees."
        )


def plan(folder: Path, *, seed: int) -> tuple[tuple[str, str], ...]:
    """Titles and commands: simulate, learn, find poses, compare them with the truth."""
    at = shlex.quote(str(folder))
    return (
        (
            "Simulate images of one particle with known orientations",
            f"icelens simulate particles --output {at}/particles --count {_COUNT} "
            f"--box-size {_BOX_SIZE} --pixel-size {_PIXEL_SIZE} --snr {_SNR} --seed {seed}",
        ),
        (
            "Simulate other images of the same particle, to be judged by",
            f"icelens simulate particles --output {at}/new-particles --count {_NEW} "
            f"--map {at}/particles/map.mrc --snr {_SNR} --seed {seed + 1}",
        ),
        (
            "Teach a network to see orientations",
            f"icelens pose train --particles {at}/particles/particles.star --output {at}/poser "
            f"--epochs {_EPOCHS} --box-size {_BOX_SIZE} --no-halves --validations 3 "
            f"--seed {seed} --overwrite",
        ),
        (
            "Find the poses of the new images, refine them and reconstruct the map",
            f"icelens pose infer --particles {at}/new-particles/particles.star --model {at}/poser "
            f"--output {at}/poses --overwrite",
        ),
        (
            "Compare the poses with the truth",
            f"icelens tools compare-poses --particles-1 {at}/poses/particles.star "
            f"--particles-2 {at}/new-particles/particles.star --output {at}/{_COMPARED}",
        ),
    )


def read_score(folder: Path) -> PoseScore:
    """What `icelens tools compare-poses` found.

    Raises:
        InputFileError: If it compared nothing.
    """
    path = folder / _COMPARED / "poses.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise InputFileError(f"{path}: expected poses of particles; run `icelens demo` again")
    errors = [float(row["angle"]) for row in rows]
    shifts = [float(row["shift"]) for row in rows]
    within = sum(error <= _GROSS for error in errors) / len(errors)
    return PoseScore(len(rows), median(errors), median(shifts), within)


def add_poses(report: Report, folder: Path, score: PoseScore) -> None:
    """Show images, errors and the map that was reconstructed from the poses found."""
    report.section("Poses")
    report.text(
        f"{score.sentence} The network learnt from {_COUNT} other images of the same generated "
        f"molecule in {_EPOCHS} epochs; they are cleaner than most real ones."
    )
    for path, name, caption in (
        (
            folder / "new-particles" / "images.png",
            "particle_images",
            "Particle images as they are written, and the same without noise.",
        ),
        (
            folder / _COMPARED / "angles.png",
            "pose_errors",
            "Angle between the pose that was found and the true one.",
        ),
        (
            folder / "poses" / "map.png",
            "pose_map",
            f"Central slices of the map that {_NEW} images give with the poses found.",
        ),
    ):
        report.picture(path.read_bytes(), name=name, caption=caption)
