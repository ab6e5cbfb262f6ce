"""Say what is in a file of any kind that icelens reads, and whether it can be used."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from icelens.core.data.particles import Particles
from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import GeometryError, IcelensError, InputFileError, MetadataError
from icelens.core.events import Event, Message, OnEvent
from icelens.core.io.particle_files import read_particles
from icelens.core.io.picks import read_copick
from icelens.core.io.slabs import check_values, statistics
from icelens.core.io.star import read_star
from icelens.core.io.tilt_series import read_tilt_series
from icelens.core.io.tomogram_star import read_tomograms, tomograms_from_json
from icelens.core.io.volume_header import resolve_pixel_size
from icelens.core.io.volumes import open_volume, read_header
from icelens.jobs.record import RECORD_NAME, read_record

VOLUME_FIELDS = (
    "full", "even", "odd", "deconvolved", "corrected", "denoised", "ground_truth", "mask",
)  # fmt: skip
_STACKS = (".mrcs", ".st")
_IMAGES = "rlnImageName"


def inspect_files(files: tuple[Path, ...], on_event: OnEvent) -> str:
    """Describe each file; return a closing sentence.

    Raises:
        InputFileError: One line for each file that is not sane.
    """
    problems = []
    for path in files:
        try:
            for line in describe(path):
                on_event(Message(f"{path}: {line}"))
        except IcelensError as error:
            problems.append(str(error))
    if problems:
        raise InputFileError("\n".join(problems))
    return "sane" if len(files) == 1 else f"all {len(files)} are sane"


def describe(path: Path) -> Iterator[str]:
    """Sentences about a file.

    Raises:
        IcelensError: If it cannot be used; names the file.
    """
    if path.is_dir() and (path / RECORD_NAME).exists():
        return describe_run(path)
    return _KINDS.get(path.suffix.lower(), describe_volume)(path)


def describe_volume(path: Path) -> Iterator[str]:
    """Format, grid and statistics of a density; every value is read."""
    header = read_header(path)
    shape = " x ".join(str(side) for side in header.shape)
    what = f"volume, {shape} voxels (z, y, x)"
    if path.suffix.lower() in _STACKS:
        what = f"stack of {header.shape[0]} images, {header.shape[1]} x {header.shape[2]} px (y, x)"
    sampling = "unknown pixel size" if header.pixel_size is None else f"{header.pixel_size:g} Å/px"
    yield f"{header.format} {what}, {sampling}, {header.dtype.name}"
    array = open_volume(path, pixel_size=1.0, pixel_size_from="metadata").array
    check_values(path, array)
    found = statistics(array)
    yield (
        f"values from {found.minimum:.5g} to {found.maximum:.5g}, mean {found.mean:.5g}, "
        f"standard deviation {found.std:.5g}"
    )
    if header.pixel_size is None:
        yield "give --pixel-size wherever this file is used"


def describe_star(path: Path) -> Iterator[str]:
    """A tomogram list with the volumes it names, a tilt series, or tables of another program."""
    blocks = read_star(path)
    for name, frame in blocks.items():
        title = f"block {name}" if name else "table"
        yield f"{title}: {len(frame)} rows, {len(frame.columns)} columns"
    if any(_IMAGES in frame.columns or "rlnTomoParticlesFile" in frame.columns
           for frame in blocks.values()):  # fmt: skip
        try:
            yield from describe_particles(path)
        except IcelensError as error:
            yield f"cannot be used as particle images: {error}"
        return
    if not any("rlnIndex" in frame.columns for frame in blocks.values()):
        return
    for row in read_tomograms(path):
        fields = [field for field in VOLUME_FIELDS if getattr(row, field) is not None]
        check_row(row, fields)
        yield (
            f"rlnIndex {row.index}: {row.pixel_size:g} Å/px, defocus {row.defocus:g} Å, tilts "
            f"{row.tilt_min:g} to {row.tilt_max:g}, {', '.join(fields) or 'no volumes'}"
        )


def describe_particles(path: Path) -> Iterator[str]:
    """Particle images: how many, with which optics, and what is known of them."""
    told: list[str] = []
    file = read_particles(path, on_event=_told_to(told))
    yield from (text.removeprefix(f"{path}: ") for text in told)
    yield from particle_lines(file.particles)


def particle_lines(particles: Particles) -> Iterator[str]:
    """What a user wants to know of particle images before using them."""
    number = len(np.unique(particles.particle))
    images = f"{len(particles)} images in {len(np.unique(particles.stack))} stacks"
    yield images if number == len(particles) else f"{images}, of {number} particles"
    for index, group in enumerate(particles.optics):
        chosen = particles.optics_index == index
        if not chosen.any():
            continue
        defocus = particles.defocus_u[chosen]
        ctf = f"defocus {defocus.min():.0f} to {defocus.max():.0f} Å" if defocus.any() else "no CTF"
        yield (
            f"{group.name}: {chosen.sum()} images, {group.box_size} px of {group.pixel_size:g} Å, "
            f"{group.voltage:g} kV, {ctf}"
        )
    is_lost = np.asarray([not stack.is_file() for stack in particles.stacks])[particles.stack]
    if is_lost.any():
        first = particles.stacks[particles.stack[int(np.argmax(is_lost))]]
        yield f"{is_lost.sum()} images have no stack here, the first is {first} (--stack-root)"
    halves = [int((particles.half_set == half).sum()) for half in (1, 2)]
    poses = "with poses" if particles.has_poses else "without poses"
    yield f"{poses}, " + (
        f"half sets of {halves[0]} and {halves[1]} images" if any(halves) else "no half sets"
    )


def _told_to(told: list[str]) -> OnEvent:
    def hear(event: Event) -> None:
        if isinstance(event, Message):
            told.append(event.text)

    return hear


def check_row(row: TomogramRow, fields: list[str]) -> None:
    """Refuse a row whose volumes are missing or not on one grid; only headers are read.

    Raises:
        GeometryError: If two volumes differ in shape.
        MetadataError: If a header contradicts the list's pixel size.
    """
    shapes: dict[str, tuple[int, int, int]] = {}
    for field in fields:
        path = row.require(field)
        header = read_header(path)
        if field != "mask":
            resolve_pixel_size(path, header.pixel_size, row.pixel_size)
        shapes[field] = header.shape
        first, shape = next(iter(shapes.items()))
        if header.shape != shape:
            raise GeometryError(
                f"{row.where}: {field} has (z, y, x) = {header.shape}, {first} has {shape}; "
                f"make {path} again on the same grid"
            )


def describe_tilts(path: Path) -> Iterator[str]:
    """Number and range of tilts, and what else is known of them."""
    series = read_tilt_series(path)
    text = f"{len(series)} tilts from {series.tilt_min:g} to {series.tilt_max:g} degrees"
    if series.dose is not None:
        text += f", dose up to {series.dose.max():g} e/Å²"
    defocus = series.defocus_at_zero_tilt
    yield text if defocus is None else f"{text}, defocus {defocus:.0f} Å at zero tilt"


def describe_json(path: Path) -> Iterator[str]:
    """Picks of copick, a record of a run, or a table of tomograms."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); check the path"
        ) from error
    except ValueError as error:
        raise InputFileError(f"{path}: not JSON ({error}); write it again") from error
    if isinstance(content, dict) and "points" in content:
        yield f"{len(read_copick(path))} picks (copick)"
    elif isinstance(content, dict) and "job" in content:
        yield f"record of {content['job']}, {content.get('state')}"
    else:
        yield f"table of {len(tomograms_from_json(path))} tomograms"


def describe_checkpoint(path: Path) -> Iterator[str]:
    """What a network was trained for."""
    from icelens.training.checkpoint import read_tensors

    checkpoint = read_tensors(path)
    known = checkpoint.description
    size = sum(tensor.numel() for tensor in checkpoint.tensors.values())
    yield f"{known.get('kind') or 'checkpoint'}, {size / 1e6:.3g} million numbers"
    for name in ("task", "method", "network", "box_size", "pixel_size"):
        if name in known:
            yield f"{name.replace('_', ' ')}: {known[name]}"
    if not all(bool(tensor.isfinite().all()) for tensor in checkpoint.tensors.values()):
        raise MetadataError(f"{path}: a weight is NaN or infinite; train again or take another")


def describe_run(path: Path) -> Iterator[str]:
    """Which job a folder holds, and how it ended."""
    record = read_record(path) or {}
    yield f"run of {record.get('job')}, {record.get('state')}, started {record.get('started')}"
    if record.get("state") == "failed":
        raise InputFileError(f"{path}: the run failed ({record.get('cause')}); run it again")


_KINDS: dict[str, Callable[[Path], Iterator[str]]] = {
    ".star": describe_star,
    ".cs": describe_particles,
    ".json": describe_json,
    **dict.fromkeys((".tlt", ".rawtlt", ".mdoc", ".aln", ".xml"), describe_tilts),
    **dict.fromkeys((".safetensors", ".pt", ".pth", ".ckpt"), describe_checkpoint),
}
