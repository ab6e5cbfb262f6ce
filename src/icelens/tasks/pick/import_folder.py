"""Bring tomograms and coordinates into a project: look at everything, then write."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import OnEvent, Progress, Saved
from icelens.core.io.copick.config import (
    check_objects,
    new_project_content,
    object_to_json,
    read_project_file,
    write_project_file,
)
from icelens.core.io.copick.coordinate_tables import volumes_by_run
from icelens.core.io.copick.keys import check_name
from icelens.core.io.copick.project import PicksKey, Project, open_project
from icelens.core.io.slabs import check_values
from icelens.core.io.volume_header import CONTRADICTION, VolumeHeader, resolve_pixel_size
from icelens.core.io.volumes import open_volume, read_header
from icelens.tasks.pick.import_coordinates import TableOfPicks, checked_table, tomograms_of
from icelens.tasks.pick.project_jobs import ImportConfig


@dataclass(frozen=True)
class Incoming:
    """A tomogram to be imported: its file, and its header with the true sampling."""

    path: Path
    header: VolumeHeader
    pixel_size: float

    def array(self) -> npt.NDArray[np.generic]:
        """Its values, a memory map where the format allows."""
        return open_volume(self.path, pixel_size=self.pixel_size, pixel_size_from="metadata").array


def import_into_project(config: ImportConfig, on_event: OnEvent) -> str:
    """Import what the settings name; return a sentence on it.

    Raises:
        IcelensError: If something does not fit; the project is then as it was.
    """
    if config.folder is None and config.picks is None:
        raise MetadataError("nothing to import; give --folder of tomograms, --picks, or both")
    check_name(config.tomogram_type, "tomogram type")
    source = Source(check_name(config.user, "user"), check_name(config.session, "session"))
    added = [object_of(text) for text in config.objects]
    tomograms = {} if config.folder is None else incoming(config, config.folder)
    project = open_project(config.project) if config.project.exists() else None
    objects = (*(project.objects if project else ()), *added)
    picks: TableOfPicks = {}
    if config.picks is not None:
        known = tomograms_of(project)
        known |= {
            run: (each.path, replace(each.header, pixel_size=each.pixel_size))
            for run, each in tomograms.items()
        }
        picks = checked_table(config, config.picks, known, objects, on_event)
    for each in tomograms.values():
        check_values(each.path, each.array())
    project = _with_objects(config, project, added)
    for number, (run, each) in enumerate(tomograms.items(), start=1):
        path = project.write_tomogram(run, _sampled(each, config), config.tomogram_type)
        on_event(Saved(path, "volume"))
        on_event(Progress("import tomograms", number, len(tomograms), "tomogram"))
    for (run, name), chosen in picks.items():
        on_event(Saved(project.write_picks(run, PicksKey(name, source), chosen), "picks"))
    num_picks = sum(len(chosen) for chosen in picks.values())
    return f"{project.path}: imported {len(tomograms)} tomograms and {num_picks} picks"


def incoming(config: ImportConfig, folder: Path) -> dict[str, Incoming]:
    """The tomograms to import by run; only headers are read.

    Raises:
        MetadataError: If a sampling is unknown or contradictory, or finer than the one wanted.
        InputFileError: If there are none.
    """
    found = {}
    for run, path in volumes_by_run(folder, config.runs).items():
        header = read_header(path)
        found[run] = Incoming(path, header, _true_pixel_size(path, header, config))
    return found


def object_of(text: str) -> PickableObject:
    """The object that `name=radius` describes; its label is given later.

    Raises:
        MetadataError: If it is not of that form.
    """
    name, sign, radius = text.partition("=")
    try:
        value = float(radius) if radius.strip() else None
    except ValueError:
        value = -1.0
    if not sign or (value is not None and not 0 < value < np.inf):
        raise MetadataError(
            f"--objects {text}: expected name=radius in Å, such as ribosome=150, or membrane= "
            "for what is no particle"
        )
    return PickableObject(
        check_name(name.strip(), "object"), 1, value, is_particle=value is not None
    )


def _true_pixel_size(path: Path, header: VolumeHeader, config: ImportConfig) -> float:
    """The sampling of a file; a header that agrees within 1 % knows more digits than a user."""
    if header.pixel_size is None and config.voxel_size is None:
        raise MetadataError(
            f"{path}: the header does not know the pixel size; give it in Å with --voxel-size"
        )
    used = resolve_pixel_size(path, header.pixel_size, config.voxel_size, config.pixel_size_from)
    known = header.pixel_size
    if known is not None and abs(known - used) <= CONTRADICTION * used:
        used = known
    wanted = config.output_voxel_size
    if wanted is not None and wanted < used * (1.0 - CONTRADICTION):
        raise MetadataError(
            f"{path}: has {used:g} Å/px, which is coarser than --output-voxel-size {wanted:g}; "
            "choose a larger one"
        )
    return used


def _sampled(each: Incoming, config: ImportConfig) -> Volume:
    """The tomogram as it is written; its origin is left behind, since picks count from voxel 0."""
    wanted = config.output_voxel_size
    if wanted is None or abs(wanted - each.pixel_size) <= CONTRADICTION * each.pixel_size:
        return Volume(each.array(), each.pixel_size)
    import torch

    from icelens.core.fourier.rescale import rescale

    values = torch.from_numpy(np.array(each.array(), np.float32))
    rescaled = rescale(values, pixel_size=each.pixel_size, new_pixel_size=wanted)
    return Volume(rescaled.numpy(), wanted)


def _with_objects(
    config: ImportConfig, project: Project | None, added: list[PickableObject]
) -> Project:
    """The project with further objects; a new one if there is none."""
    if project is None:
        overlay = config.overlay or config.project.with_name(f"{config.project.stem}_overlay")
        content = new_project_content(
            config.project.stem, _labelled((), added), overlay_root=overlay, static_root=None
        )
        config.project.parent.mkdir(parents=True, exist_ok=True)
        write_project_file(config.project, content)
        return open_project(config.project)
    if not added:
        return project
    if config.project.is_dir():
        raise MetadataError(
            f"{config.project}: a plain folder has its objects in objects.csv; add them there"
        )
    content = dict(read_project_file(config.project).content)
    entries = [object_to_json(each) for each in _labelled(project.objects, added)]
    content["pickable_objects"] = [*content["pickable_objects"], *entries]
    write_project_file(config.project, content)
    return open_project(config.project)


def _labelled(
    known: tuple[PickableObject, ...], added: list[PickableObject]
) -> tuple[PickableObject, ...]:
    """The new objects with the next labels."""
    first = max((each.label for each in known), default=0) + 1
    labelled = [replace(each, label=first + number) for number, each in enumerate(added)]
    check_objects([*known, *labelled])
    return tuple(labelled)
