"""Write particles, latents and selections in the files of cryoDRGN."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.latents import LatentTable
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.cryodrgn_files import (
    write_cryodrgn_ctf,
    write_cryodrgn_index,
    write_cryodrgn_latents,
    write_cryodrgn_poses,
)
from icelens.core.io.cryodrgn_particles import ctf_table, pose_table
from icelens.core.io.latent_table import read_latents
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles
from icelens.jobs.run import Run
from icelens.tasks.tools.cryodrgn_jobs import ExportCryodrgnConfig

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CTF_NAME, POSE_NAME, LATENTS_NAME, INDEX_NAME = "ctf.pkl", "pose.pkl", "z.pkl", "ind.pkl"


def write_for_cryodrgn(config: ExportCryodrgnConfig, run: Run) -> Path:
    """Write what is asked for; return the folder.

    Raises:
        IcelensError: If files cannot be read, or do not belong together; nothing is written then.
    """
    file = _read(config.particles, config, run)
    places = None if config.parent is None else _places(config.parent, config, file, run)
    index = None if places is None else _index(places, config.particles)
    latents = None
    if config.latents is not None:
        latents = _latents(config.latents, file.particles, places)
    folder = run.folder
    outputs = [folder / name for name in (CTF_NAME, POSE_NAME, LATENTS_NAME, INDEX_NAME)]
    refuse_overwriting(outputs, [config.particles, *file.particles.stacks])
    for sentence in losses(file.particles):
        run.on_event(Message(f"{config.particles}: {sentence}", level="warning"))
    write_cryodrgn_ctf(folder / CTF_NAME, ctf_table(file.particles))
    run.on_event(Saved(folder / CTF_NAME, "CTF parameters"))
    if file.particles.has_poses:
        write_cryodrgn_poses(folder / POSE_NAME, pose_table(file.particles))
        run.on_event(Saved(folder / POSE_NAME, "poses"))
    if latents is not None:
        write_cryodrgn_latents(folder / LATENTS_NAME, *latents)
        run.on_event(Saved(folder / LATENTS_NAME, "latents"))
    if index is not None:
        write_cryodrgn_index(folder / INDEX_NAME, index)
        run.on_event(Saved(folder / INDEX_NAME, "index"))
    option = " --uninvert-data" if (file.particles.ctf_scale < 0).all() else ""
    run.on_event(
        Message(
            f"{len(file)} images; cryodrgn train_vae {config.particles} --ctf {CTF_NAME} --poses "
            f"{POSE_NAME}{option} ..."
        )
    )
    return folder


def losses(particles: Particles) -> Iterator[str]:
    """Sentences about what the reference's files cannot say, or what it would misunderstand."""
    used = [particles.optics[place] for place in np.unique(particles.optics_index)]
    sizes = sorted({group.pixel_size for group in used})
    if len(sizes) > 1:
        yield (
            f"images of {sizes[0]:g} to {sizes[-1]:g} Å/px, but cryoDRGN takes the size of the "
            "first for all; bring them to one first"
        )
    if len({group.box_size for group in used}) > 1:
        yield "images of several boxes, which cryoDRGN cannot read together; split them"
    if any(group.box_size % 2 for group in used):
        yield "images of an odd box, which cryoDRGN refuses; downsample them to an even one"
    flat = (1.0, 0.0, 0.0, 1.0)
    if any(
        any(group.beam_tilt_xy)
        or group.odd_zernike
        or group.even_zernike
        or group.magnification != flat
        for group in used
    ):
        yield "beam tilt, aberrations and anisotropic magnification are left out"
    if any(group.is_premultiplied for group in used):
        yield "images were multiplied by their CTF, which cryoDRGN does not know; extract them anew"
    if particles.b_factor.any() or (np.abs(particles.ctf_scale) != 1.0).any():
        yield "B-factors and scales of the CTF are left out"
    if len(np.unique(np.sign(particles.ctf_scale))) > 1:
        yield "some images are dark on light and others light on dark; cryoDRGN needs one kind"
    if not particles.has_poses:
        yield "there are no poses, and none are written"


def _read(path: Path, config: ExportCryodrgnConfig, run: Run) -> ParticleFile:
    file = read_particles(path, stack_root=config.stack_root, on_event=run.on_event)
    if file.tomograms is not None:
        raise MetadataError(
            f"{path}: rows are stacks of tilts, expected one row for each image as cryoDRGN needs; "
            "turn the file into images with `cryodrgn_utils parse_relion`"
        )
    return file


@dataclass(frozen=True, eq=False)
class _Places:
    """Where images lie in a larger file: `(row,)` rows of its images."""

    parent: Particles
    rows: Integers


def _latents(
    path: Path, particles: Particles, places: _Places | None
) -> tuple[Floats, Floats | None]:
    """Latents and deviations in the order of the particles' first images.

    Raises:
        MetadataError: If they are neither those of the particles nor of the larger file.
    """
    table: LatentTable = read_latents(path)
    wanted = np.sort(np.unique(particles.particle, return_index=True)[1])
    if places is not None and len(table) == len(np.unique(places.parent.particle)):
        numbers, first = np.unique(places.parent.particle, return_index=True)
        own = places.parent.particle[places.rows[wanted]]
        wanted = first[np.searchsorted(numbers, own)]
    elif len(table) != len(wanted):
        raise MetadataError(
            f"{path}: {len(table)} latents, but there are {len(wanted)} particles; give the "
            "particles of the run that the latents are from, as --particles or as --parent"
        )
    if (table.row >= 0).all():
        try:
            table = table.take(table.place_of_rows(wanted))
        except MetadataError as error:
            raise MetadataError(f"{path}: {error}") from error
    elif len(table) != len(wanted):
        raise MetadataError(
            f"{path}: its lines do not say of which particles they are, expected columns particle "
            "and row to choose by; give the latents.csv of a run"
        )
    is_known = np.isfinite(table.deviation).all() and bool((table.deviation > 0).all())
    return table.latent, table.deviation if is_known else None


def _places(path: Path, config: ExportCryodrgnConfig, file: ParticleFile, run: Run) -> _Places:
    """Where the images lie in a larger file.

    Raises:
        MetadataError: If one is not in it, or one is in it twice.
    """
    parent = _read(path, config, run).particles
    own, others = _image_numbers(file.particles, parent)
    order = np.argsort(others, kind="stable")
    if len(np.unique(others)) != len(others):
        raise MetadataError(f"{path}: lists an image twice, so that places are not clear; mend it")
    found = np.minimum(np.searchsorted(others[order], own), len(others) - 1)
    rows = order[found]
    lost = others[rows] != own
    if lost.any():
        row = int(np.flatnonzero(lost)[0])
        stack = file.particles.stacks[file.particles.stack[row]]
        raise MetadataError(
            f"{path}: image {file.particles.slice_index[row] + 1} of {stack.name} is not in it "
            f"({lost.sum()} of {len(own)}); give the file that the particles were chosen from"
        )
    return _Places(parent, rows)


def _index(places: _Places, path: Path) -> Integers:
    """Places of images, or of particles of tilt series, as cryoDRGN counts them.

    Raises:
        MetadataError: If only some tilts of a particle are chosen.
    """
    particle, rows = places.parent.particle, places.rows
    numbers, first, counts = np.unique(particle, return_index=True, return_counts=True)
    if counts.max() == 1:
        return rows
    # particles are numbered by their first appearance, and chosen with all their tilts
    place = np.argsort(np.argsort(first))
    chosen, appearance, is_in = np.unique(particle[rows], return_index=True, return_counts=True)
    where = np.searchsorted(numbers, chosen)
    if (counts[where] != is_in).any():
        raise MetadataError(
            f"{path}: holds some tilts of a particle and not others, expected whole particles as "
            "cryoDRGN selects them; choose whole particles"
        )
    return place[where][np.argsort(appearance)].astype(np.int64)


def _image_numbers(first: Particles, second: Particles) -> tuple[Integers, Integers]:
    """A number for each image of both, the same for the same image of the same file."""
    known: dict[Path, int] = {}
    numbers = []
    longest = 1 + max(int(each.slice_index.max()) for each in (first, second))
    for each in (first, second):
        stacks = [known.setdefault(path.resolve(), len(known)) for path in each.stacks]
        numbers.append(np.asarray(stacks, np.int64)[each.stack] * longest + each.slice_index)
    return numbers[0], numbers[1]
