"""Write arrays, numbers and words as pickles that any numpy and Python 3 reads.

Written by hand, opcode by opcode: numpy 2 names a private package in its pickles that numpy before
1.26 does not know, while both know the old name. Form: protocol 4 of Python's `pickletools`.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from icelens.core.errors import InputFileError
from icelens.core.io.atomic import atomic_path

_RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
_KINDS = "biufc"


def write_pickles(path: Path, values: Sequence[Any]) -> None:
    """Write values as pickles one after the other; the file appears complete or not at all.

    Args:
        path: File to write.
        values: Arrays of numbers; tuples, lists and dictionaries of them; numbers, words, None.

    Raises:
        InputFileError: If the file cannot be written.
        TypeError: If a value is of another type.
    """
    pieces = [b"\x80\x04" + b"".join(_pickled(value)) + b"." for value in values]
    if not pieces:
        raise InputFileError(f"{path}: nothing to write, expected one value or more")
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        stream.writelines(pieces)


def _pickled(value: object) -> list[bytes]:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, tuple | list):
        start, end = (b"(", b"t") if isinstance(value, tuple) else (b"](", b"e")
        return [start, *(part for each in value for part in _pickled(each)), end]
    if isinstance(value, Mapping):
        pairs = [part for pair in value.items() for each in pair for part in _pickled(each)]
        return [b"}(", *pairs, b"u"]
    return [_single(value)]


def _single(value: object) -> bytes:
    if value is None:
        return b"N"
    if isinstance(value, bool | np.bool_):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int | np.integer):
        whole = int(value)
        content = whole.to_bytes(whole.bit_length() // 8 + 1, "little", signed=True)
        return b"\x8b" + struct.pack("<i", len(content)) + content
    if isinstance(value, float | np.floating):
        return b"G" + struct.pack(">d", float(value))
    if isinstance(value, str):
        content = value.encode("utf-8", "surrogatepass")
        return b"\x8d" + struct.pack("<Q", len(content)) + content
    raise TypeError(f"a {type(value).__name__} is no plain data")


def _array(array: np.ndarray[Any, np.dtype[Any]]) -> list[bytes]:
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"an array of {array.dtype} is no array of numbers")
    # one byte order on all machines
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    order = b"|" if plain.dtype.itemsize == 1 else b"<"
    shape = [b"(", *(_single(int(length)) for length in plain.shape), b"t"]
    content = plain.tobytes()
    return [
        _RECONSTRUCT,
        b"(K\x01",
        *shape,
        b"cnumpy\ndtype\n",
        _single(f"{plain.dtype.kind}{plain.dtype.itemsize}"),
        b"\x89\x88\x87R(K\x03",
        _single(order.decode()),
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
        b"\x89",
        b"\x8e" + struct.pack("<Q", len(content)) + content,
        b"tb",
    ]
