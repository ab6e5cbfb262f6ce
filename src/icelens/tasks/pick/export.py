"""Write picks of a project as files of other programs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.chimerax_markers import write_markers
from icelens.core.io.copick.project import Project, open_project
from icelens.core.io.dynamo import write_dynamo_table
from icelens.core.io.eman_boxes import write_eman_boxes
from icelens.core.io.picks import write_box_file, write_picks_csv
from icelens.core.io.relion_particles import Layout, write_relion_particles
from icelens.core.io.warp_particles import write_warp_particles
from icelens.jobs.run import Run
from icelens.tasks.pick.exchange_jobs import ExportConfig
from icelens.tasks.pick.picked import Frame, collect_picks, common_pixel_size, frame_of

SUFFIXES = {
    "relion5": ".star",
    "relion31": ".star",
    "warp": ".star",
    "dynamo": ".tbl",
    "csv": ".csv",
}
"""Formats that hold all runs in one file."""
NO_NAMES = ("relion5", "relion31", "warp", "dynamo")
NO_ROTATIONS = ("eman", "chimerax")
NO_SCORES = ("chimerax",)


@dataclass(frozen=True)
class Export:
    """All that a writer needs; `frames` holds the grid of each run where the format asks for it."""

    picks: Picks
    config: ExportConfig
    project: Project
    frames: Mapping[str, Frame]

    @property
    def labels(self) -> dict[str, int]:
        """Class number of each species: the object's label."""
        return {name: self.project.find(name).label for name in sorted(set(self.picks.species))}

    @property
    def tomogram_pixel_size(self) -> float:
        """Voxel size in Å that all runs share; without picks, whatever was asked for."""
        if not self.frames:
            return self.config.voxel_size or 1.0
        return common_pixel_size(str(self.project.path), self.frames.values())

    @property
    def pixel_size(self) -> float:
        """What coordinates count in, in Å."""
        return self.config.coordinate_pixel_size or self.tomogram_pixel_size

    @property
    def radius(self) -> dict[str, float]:
        """Known radii of the species in Å."""
        known = {name: self.project.find(name).radius for name in set(self.picks.species)}
        return {name: radius for name, radius in known.items() if radius}


def export_picks(config: ExportConfig, run: Run) -> Path:
    """Write the picks and say what the format could not hold; returns the file or folder.

    Raises:
        MetadataError: If there are no such picks, or the file's name does not fit its format.
    """
    _check_target(config)
    project = open_project(config.project)
    picks = collect_picks(
        project,
        config.picks,
        runs=config.runs,
        objects=config.objects,
        min_score=config.min_score,
    )
    frames = {}
    if config.format not in ("csv", "chimerax"):
        frames = {
            name: frame_of(project, name, config.voxel_size, config.tomogram_type)
            for name in sorted(set(picks.tomogram_id))
        }
    export = Export(picks, config, project, frames)
    for path in WRITERS[config.format](export):
        run.on_event(Saved(path, "picks"))
    _tell(export, run)
    return config.output


def write_relion(export: Export) -> list[Path]:
    """One STAR file of RELION."""
    config = export.config
    layout: Layout = "relion31" if config.format == "relion31" else "relion5"
    write_relion_particles(
        config.output,
        export.picks,
        extent_zyx={name: frame.extent_zyx for name, frame in export.frames.items()},
        pixel_size=export.pixel_size,
        voltage=config.voltage,
        spherical_aberration=config.spherical_aberration,
        amplitude_contrast=config.amplitude_contrast,
        layout=layout,
        class_numbers=export.labels,
    )
    return [config.output]


def write_warp(export: Export) -> list[Path]:
    """One STAR file of Warp."""
    write_warp_particles(
        export.config.output,
        export.picks,
        pixel_size=export.pixel_size,
        class_numbers=export.labels,
    )
    return [export.config.output]


def write_dynamo(export: Export) -> list[Path]:
    """One table of Dynamo and its list of tomograms."""
    doc = write_dynamo_table(
        export.config.output,
        export.picks,
        pixel_size=export.tomogram_pixel_size,
        class_numbers=export.labels,
        tilt_range=export.config.tilt_range,
    )
    return [export.config.output, doc]


def write_csv(export: Export) -> list[Path]:
    """One table with all that is known."""
    write_picks_csv(export.config.output, export.picks)
    return [export.config.output]


def write_eman(export: Export) -> list[Path]:
    """For each run EMAN2's info file and plain coordinates in voxels of the tomogram."""
    written = []
    for name, frame in export.frames.items():
        picks = export.picks.of_tomogram(name)
        info, box = (export.config.output / f"{name}{end}" for end in ("_info.json", ".box"))
        write_eman_boxes(
            info,
            picks,
            pixel_size=frame.pixel_size,
            shape=frame.shape,
            unbinned_pixel_size=export.config.coordinate_pixel_size,
            radius=export.radius,
        )
        write_box_file(box, picks, pixel_size=frame.pixel_size)
        written += [info, box]
    return written


def write_chimerax(export: Export) -> list[Path]:
    """A set of markers for each run."""
    color = {}
    for name in set(export.picks.species):
        red, green, blue, _ = export.project.find(name).color
        color[name] = (red, green, blue)
    written = []
    for name in sorted(set(export.picks.tomogram_id)):
        path = export.config.output / f"{name}.cmm"
        picks = export.picks.of_tomogram(name)
        write_markers(path, picks, radius=export.radius, color=color)
        written.append(path)
    return written


WRITERS: dict[str, Callable[[Export], list[Path]]] = {
    "relion5": write_relion,
    "relion31": write_relion,
    "warp": write_warp,
    "dynamo": write_dynamo,
    "csv": write_csv,
    "eman": write_eman,
    "chimerax": write_chimerax,
}


def _check_target(config: ExportConfig) -> None:
    """Refuse a name that the reading program would not take, before anything is read."""
    suffix = SUFFIXES.get(config.format)
    if suffix is None and (config.output.suffix or config.output.is_file()):
        raise MetadataError(
            f"--output {config.output}: {config.format} keeps a file for each run, expected a "
            "folder; name one"
        )
    if suffix is not None and (config.output.suffix != suffix or config.output.is_dir()):
        raise MetadataError(
            f"--output {config.output}: expected a file that ends in {suffix} for "
            f"{config.format}; rename it"
        )


def _tell(export: Export, run: Run) -> None:
    """Say how much was written, and in one sentence what was not."""
    picks, form = export.picks, export.config.format
    num_runs = len(set(picks.tomogram_id))
    is_empty = len(picks) == 0
    run.on_event(
        Message(
            f"Exported {len(picks)} picks of {num_runs} runs",
            "warning" if is_empty else "info",
        )
    )
    lost = []
    if form in NO_NAMES and picks.species:
        numbers = ", ".join(f"{number} is {name}" for name, number in export.labels.items())
        lost.append(f"names of objects (of its class numbers {numbers})")
    if form in NO_ROTATIONS and not np.allclose(picks.rotation, np.eye(3)):
        lost.append("orientations")
    if form in NO_SCORES and (picks.score != 1.0).any():
        lost.append("scores")
    if lost:
        run.on_event(Message(f"{form} cannot hold {' and '.join(lost)}"))
