"""Say what is in a file of any kind that icelens reads, and whether it can be used."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import GeometryError, IcelensError, InputFileError, MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.io.slabs import check_values, statistics
from icelens.core.io.star import read_star
from icelens.core.io.tilt_series import read_tilt_series
from icelens.core.io.tomogram_star import read_tomograms
from icelens.core.io.volume_header import resolve_pixel_size
from icelens.core.io.volumes import open_volume, read_header
from icelens.jobs.record import RECORD_NAME, read_record

VOLUME_FIELDS = (
    "full", "even", "odd", "deconvolved", "corrected", "denoised", "ground_truth", "mask",
)  # fmt: skip


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
    sampling = "unknown pixel size" if header.pixel_size is None else f"{header.pixel_size:g} Å/px"
    yield f"{header.format} volume, {shape} voxels (z, y, x), {sampling}, {header.dtype.name}"
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
    if not any("rlnIndex" in frame.columns for frame in blocks.values()):
        return
    for row in read_tomograms(path):
        fields = [field for field in VOLUME_FIELDS if getattr(row, field) is not None]
        check_row(row, fields)
        yield (
            f"rlnIndex {row.index}: {row.pixel_size:g} Å/px, defocus {row.defocus:g} Å, tilts "
            f"{row.tilt_min:g} to {row.tilt_max:g}, {', '.join(fields) or 'no volumes'}"
        )


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
    from icelens.core.io.picks import read_copick
    from icelens.core.io.tomogram_star import tomograms_from_json

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
    ".json": describe_json,
    **dict.fromkeys((".tlt", ".rawtlt", ".mdoc", ".aln", ".xml"), describe_tilts),
    **dict.fromkeys((".safetensors", ".pt", ".pth", ".ckpt"), describe_checkpoint),
}
