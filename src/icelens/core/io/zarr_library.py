"""What versions 2 and 3 of the zarr library do differently, and a look for missing chunks."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from icelens.core.errors import InputFileError

ZarrFormat = Literal[2, 3]


def new_group(folder: Path, zarr_format: ZarrFormat) -> Any:  # noqa: ANN401 - zarr is untyped
    """Make `folder` an empty zarr group.

    Raises:
        InputFileError: If the library is too old for format 3.
    """
    import zarr

    if _is_version_2():
        if zarr_format == 3:
            raise InputFileError(f"{folder}: OME-Zarr 0.5 needs zarr 3; update zarr or write 0.4")
        return zarr.open_group(str(folder), mode="w")
    return zarr.open_group(str(folder), mode="w", zarr_format=zarr_format)


def new_array(
    group: Any,  # noqa: ANN401 - zarr is untyped
    name: str,
    *,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dtype: np.dtype[np.generic],
    zarr_format: ZarrFormat,
) -> Any:  # noqa: ANN401
    """Add an array with `/` between chunk numbers; format 2 is compressed by Blosc with LZ4.

    Chunks of zeros are written like all others, so that a chunk without a file is a lost one.
    """
    from numcodecs import Blosc

    blosc = Blosc(cname="lz4", clevel=5, shuffle=Blosc.SHUFFLE)
    layout = {"shape": shape, "chunks": chunks, "dtype": dtype}
    if _is_version_2():
        return group.create_dataset(
            name, **layout, compressor=blosc, dimension_separator="/", write_empty_chunks=True
        )
    encoding = {"name": "v2" if zarr_format == 2 else "default", "separator": "/"}
    compressors = blosc if zarr_format == 2 else "auto"
    return group.create_array(
        name,
        **layout,
        compressors=compressors,
        chunk_key_encoding=encoding,
        config={"write_empty_chunks": True},
    )


def check_chunks(path: Path, level: str) -> None:
    """Refuse an array on disk that lacks chunks; zarr itself would give zeros in their place.

    Args:
        path: Folder of the image, named in the error.
        level: Path of the array within it, empty for a bare array.

    Raises:
        InputFileError: If files of chunks are missing.
    """
    folder = path / level
    total, names = _chunk_names(folder)
    # one by one: a damaged shape may ask for more names than memory holds
    first = next((name for name in names if not (folder / name).is_file()), None)
    if first is not None:
        files = (path for path in folder.rglob("*") if path.is_file())
        present = sum(not path.name.startswith(".") and path.name != "zarr.json" for path in files)
        raise InputFileError(
            f"{folder}: {max(1, total - present)} of {total} chunks are missing, the first is "
            f"{first}; copy the folder again, or make the volume anew"
        )


def _chunk_names(folder: Path) -> tuple[int, Iterator[str]]:
    """How many chunk files (shards, where there are any), and their names within the folder."""
    if (folder / ".zarray").is_file():
        known = json.loads((folder / ".zarray").read_text(encoding="utf-8"))
        separator, prefix = known.get("dimension_separator", "."), ""
        sides = known["chunks"]
    else:
        known = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
        encoding = known["chunk_key_encoding"]
        is_plain = encoding["name"] == "v2"
        separator = encoding.get("configuration", {}).get("separator", "." if is_plain else "/")
        prefix = "" if is_plain else f"c{separator}"
        sides = known["chunk_grid"]["configuration"]["chunk_shape"]
    counts = [math.ceil(n / side) for n, side in zip(known["shape"], sides, strict=True)]
    names = (prefix + separator.join(map(str, index)) for index in _indices(counts))
    return math.prod(counts), names


def _indices(counts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every index of a grid, the last axis first; itertools.product would hold all of each axis."""
    if not counts:
        yield ()
        return
    for number in range(counts[0]):
        for rest in _indices(counts[1:]):
            yield (number, *rest)


def _is_version_2() -> bool:
    import zarr

    return int(zarr.__version__.split(".", 1)[0]) < 3
