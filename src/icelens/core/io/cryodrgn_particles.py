"""Particles of images, CTF and poses that cryoDRGN keeps apart, and back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.io.cryodrgn_files import CryodrgnPoses
from icelens.core.io.cryodrgn_images import ImageList
from icelens.core.io.cryodrgn_tables import kept_columns, refuse_other_order, with_tilts
from icelens.core.io.image_columns import HALF_SET, check_defocus
from icelens.core.io.particle_files import new_particle_file

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
ShiftUnit = Literal["box", "pixels"]
"""Fractions of the box, as cryoDRGN's parsers write them, or pixels, as its `abinit` does."""


@dataclass(frozen=True, eq=False)
class CryodrgnData:
    """What cryoDRGN was given, each with the file it came from for errors.

    Attributes:
        images: All of its particle file.
        ctf: Of all images, or of the chosen ones.
        poses: Of all images, or of the chosen ones.
        index: Chosen images, or chosen particles of tilt series; None for all.
        ctf_path: File of the CTF.
        pose_path: File of the poses.
        shift_unit: Of the poses' shifts.
        are_tilts: Whether images are tilts of particles.
        is_bright: Whether image and CTF (in RELION's sign) go with a bright density; where not,
            the CTF gets the scale -1.
    """

    images: ImageList
    ctf: Floats | None
    poses: CryodrgnPoses
    index: Integers | None = None
    ctf_path: Path = Path("ctf.pkl")
    pose_path: Path = Path("pose.pkl")
    shift_unit: ShiftUnit = "box"
    are_tilts: bool = False
    is_bright: bool = True


def cryodrgn_particles(
    data: CryodrgnData,
    *,
    box_size: int | None = None,
    pixel_size: float | None = None,
    on_event: OnEvent = ignore,
) -> ParticleFile:
    """Particles with tables, ready to be written.

    Rotations are RELION's and ours; shifts centre the particle, x first. The pixel size of each
    image is that of its own row of `ctf.pkl` times the box there over the box of the images, where
    cryoDRGN takes the first row's for all.

    Args:
        data: Images, CTF and poses.
        box_size: Of the images, in px, if it is known; else that of their stacks.
        pixel_size: Of the images in Å/px, whatever the files say.
        on_event: Hears of assumptions.

    Raises:
        MetadataError: If counts, boxes or units do not go together.
    """
    rows = _chosen_rows(data)
    images, count = data.images.take(rows), len(data.images)
    box = _box_size(data.images, box_size)
    ctf = None if data.ctf is None else _of_rows(data.ctf, rows, count, data.ctf_path)
    rotation = _of_rows(data.poses.rotation, rows, count, data.pose_path)
    if data.ctf is None:
        on_event(Message(f"{data.images.path}: no CTF was given; images are taken to have none"))
    elif ctf is not None:
        check_defocus(data.ctf_path, ctf[:, 2])
    if images.table is not None:
        refuse_other_order(images.path, images.table, ctf, rotation, data.ctf_path, on_event)
    sizes = _pixel_sizes(data.images, ctf, box, pixel_size, on_event)
    optics, optics_index = _optics(ctf, len(rows), sizes, box, data.ctf_path)
    sizes = np.asarray([group.pixel_size for group in optics])[optics_index]
    columns = kept_columns(images.table)
    half_set = columns.pop(HALF_SET, np.empty(0, np.int64))
    particle = images.particle() if data.are_tilts else None
    particles = Particles(
        images.stacks,
        images.stack,
        images.slice_index,
        optics,
        optics_index,
        rotation=rotation,
        shift_yx=_shifts(data, rows, count, sizes, box),
        half_set=half_set,
        particle=np.empty(0, np.int64) if particle is None else particle,
        **_ctf_fields(ctf, images, is_bright=data.is_bright),
    )
    file = new_particle_file(particles, columns)
    return with_tilts(file, images.table) if data.are_tilts and images.table is not None else file


def ctf_table(particles: Particles) -> Floats:
    """`ctf.pkl` of particles: `(row, 9)`."""
    groups = [particles.optics[place] for place in particles.optics_index]
    columns = [
        particles.box_size(),
        particles.pixel_size(),
        particles.defocus_u,
        particles.defocus_v,
        particles.astigmatism_angle,
        [group.voltage for group in groups],
        [group.spherical_aberration for group in groups],
        [group.amplitude_contrast for group in groups],
        particles.phase_shift,
    ]
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def pose_table(particles: Particles) -> CryodrgnPoses:
    """`pose.pkl` of particles, shifts in fractions of the box."""
    width = particles.pixel_size() * particles.box_size()
    return CryodrgnPoses(particles.rotation, particles.shift_yx[:, ::-1] / width[:, None])


def _chosen_rows(data: CryodrgnData) -> Integers:
    """Rows of the chosen images; an index of tilt series counts particles."""
    images = data.images
    particle = images.particle() if data.are_tilts else None
    if data.are_tilts and particle is None:
        raise MetadataError(
            f"{images.path}: does not name the particle of each tilt, expected a STAR file with "
            "rlnGroupName; give the file that cryoDRGN was given (--particles)"
        )
    if data.index is None:
        return np.arange(len(images))
    largest = len(images) - 1 if particle is None else int(particle.max())
    if data.index.max() > largest:
        what = "image" if particle is None else "particle"
        raise MetadataError(
            f"{images.path}: the index names {what} {data.index.max()}, but the last is {largest}; "
            "give the index and the particles that belong together"
        )
    if particle is None:
        return data.index
    # file order within a particle, particles in the order of the index
    order = np.argsort(particle, kind="stable")
    ends = np.cumsum(np.bincount(particle))
    starts = np.concatenate([[0], ends[:-1]])
    return np.concatenate([order[starts[each] : ends[each]] for each in data.index])


def _of_rows(values: Floats, rows: Integers, count: int, path: Path) -> Floats:
    """Values of the chosen rows, from a file of all images or of the chosen ones."""
    if len(values) == count:
        return values[rows]
    if len(values) == len(rows):
        return values
    chosen = "" if len(rows) == count else f" ({len(rows)} of them chosen by the index)"
    raise MetadataError(
        f"{path}: {len(values)} rows, but there are {count} images{chosen}; give the file that "
        "belongs to these particles"
    )


def _box_size(images: ImageList, expected: int | None) -> int:
    header = images.stack_header()
    if header is None and expected is None:
        raise MetadataError(
            f"{images.path}: none of its {len(images.stacks)} stacks is there, the first is "
            f"{images.stacks[0]}, and nothing else says their box size; give their folder "
            "(--datadir)"
        )
    found = expected if header is None else header[0]
    if expected is not None and found != expected:
        raise MetadataError(
            f"{images.path}: images of {found} px, expected {expected} px as the network was "
            "trained on; give its own particles (--particles)"
        )
    assert found is not None, "one of them is known"
    return found


def _pixel_sizes(
    images: ImageList, ctf: Floats | None, box: int, given: float | None, on_event: OnEvent
) -> Floats:
    """Å/px of each chosen image, or one for all."""
    if given is not None:
        return np.full(1, given)
    if ctf is not None:
        return ctf[:, 0] * ctf[:, 1] / box
    header = images.stack_header()
    if header is None or header[1] is None:
        raise MetadataError(
            f"{images.path}: neither a CTF nor the stacks say the pixel size; give it "
            "(--pixel-size)"
        )
    on_event(
        Message(
            f"{images.path}: no CTF says the pixel size; {header[1]:g} Å is taken from the stack",
            level="warning",
        )
    )
    return np.full(1, header[1])


def _optics(
    ctf: Floats | None, count: int, sizes: Floats, box: int, path: Path
) -> tuple[tuple[OpticsGroup, ...], Integers]:
    """Groups of equal sampling and microscope, in the order in which they appear."""
    if ctf is None:
        # with amplitude contrast 1 and no defocus the CTF is 1 everywhere
        group = OpticsGroup("opticsGroup1", float(sizes[0]), box, 300.0, 0.0, 1.0)
        return (group,), np.zeros(count, np.int64)
    kinds = np.concatenate([np.broadcast_to(sizes, len(ctf))[:, None], ctf[:, 5:8]], axis=1)
    # single precision, as it was meant: 1.345 and not 1.3450000286
    kinds = np.asarray([[float(f"{value:.6g}") for value in row] for row in kinds.tolist()])
    unique, first, inverse = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    try:
        groups = tuple(
            _group(number, box, kind.tolist()) for number, kind in enumerate(unique[order], start=1)
        )
    except MetadataError as error:
        raise MetadataError(f"{path}: {error}") from error
    return groups, np.argsort(order)[inverse.reshape(-1)].astype(np.int64)


def _group(number: int, box: int, kind: list[float]) -> OpticsGroup:
    return OpticsGroup(f"opticsGroup{number}", kind[0], box, kind[1], kind[2], kind[3])


def _shifts(data: CryodrgnData, rows: Integers, count: int, sizes: Floats, box: int) -> Floats:
    """Å, y first."""
    if data.poses.shift_xy is None:
        return np.empty(0)
    shift_xy = _of_rows(data.poses.shift_xy, rows, count, data.pose_path)
    largest = float(np.abs(shift_xy).max())
    if data.shift_unit == "box" and largest > 1:
        raise MetadataError(
            f"{data.pose_path}: shifts reach {largest:g}, expected fractions of the box up to 1; "
            "if they are pixels, as cryoDRGN's abinit writes them, give --shifts pixels"
        )
    if data.shift_unit == "pixels" and largest > box:
        raise MetadataError(
            f"{data.pose_path}: shifts reach {largest:g} px, but images have {box} px; give the "
            "poses that belong to these particles"
        )
    in_px = shift_xy * (box if data.shift_unit == "box" else 1.0)
    return np.ascontiguousarray(in_px[:, ::-1] * sizes.reshape(-1, 1))


def _ctf_fields(ctf: Floats | None, images: ImageList, *, is_bright: bool) -> dict[str, Any]:
    scale = np.full(len(images), 1.0 if is_bright else -1.0)
    if ctf is None:
        return {"ctf_scale": scale}
    return {
        "defocus_u": ctf[:, 2],
        "defocus_v": ctf[:, 3],
        "astigmatism_angle": ctf[:, 4],
        "phase_shift": ctf[:, 8],
        "ctf_scale": scale,
    }
