"""What pickled numpy arrays are rebuilt from, as inert records that check all they are told."""

import math
from collections.abc import Callable
from typing import Any, final

import numpy as np
import numpy.typing as npt

_MOST_AXES = 32
_KINDS = frozenset("biufcSU")
"""Booleans, whole, real and complex numbers, bytes and words; and records (V) of them."""
_SHORTEST_STATE = 5
_ORDERS: dict[str, Any] = {"<": "<", ">": ">", "=": "=", "|": "|"}


class RefusedError(Exception):
    """A file asks for what is not plain data; the message says what, without the file's name."""


@final
class Rebuilder:
    """Stands for one of numpy's functions: may be called, and is deaf to all else."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., object]) -> None:
        """Remember what a call gives."""
        self._make = make

    def __call__(self, *arguments: object) -> object:
        """What the file wants to be rebuilt.

        Raises:
            RefusedError: If the arguments are not numpy's.
        """
        return self._make(*arguments)

    def __setstate__(self, state: object) -> None:
        """Nothing in a file may change what its names stand for.

        Raises:
            RefusedError: Always.
        """
        raise RefusedError("changes a function")


@final
class _Kind:
    """A numpy type in the making."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    def __setstate__(self, state: object) -> None:
        """Byte order, fields and size, as `numpy.dtype.__reduce__` gives them."""
        values = _sequence(state, "a type", at_least=_SHORTEST_STATE)
        order, base, names, fields = values[1:5]
        if base is not None or self.dtype.names is not None:
            raise RefusedError("has an array of arrays")
        if names is not None:
            size = values[5] if len(values) > _SHORTEST_STATE else None
            self.dtype = _record_kind(names, fields, size)
        elif _word(order) in ("<", ">", "=", "|"):
            self.dtype = self.dtype.newbyteorder(_ORDERS[_word(order)])
        else:
            raise RefusedError(f"has a type of byte order {_word(order)[:20]!r}")


@final
class RebuiltArray:
    """A numpy array, or one number of its type, in the making."""

    __slots__ = ("is_scalar", "parts")

    def __init__(self, parts: tuple[Any, ...] | None = None, *, is_scalar: bool = False) -> None:
        self.parts = parts
        self.is_scalar = is_scalar

    def __setstate__(self, state: object) -> None:
        """Version, shape, type, order and bytes, as `numpy.ndarray.__reduce__` gives them."""
        values = _sequence(state, "an array", at_least=_SHORTEST_STATE)
        self.parts = (values[1], values[2], bool(values[3]), values[4])

    def made(self) -> Any:  # noqa: ANN401 - an array, or a number of any type
        """The array, a view of the file's bytes that nothing can be written to.

        Raises:
            RefusedError: If its size is not that of the bytes.
        """
        if self.parts is None:
            raise RefusedError("has an array without values")
        shape, dtype = _shape(self.parts[0]), _dtype(self.parts[1])
        content = self.parts[3]
        if isinstance(content, list):
            raise RefusedError("has an array of objects")
        if not isinstance(content, bytes | bytearray):
            raise RefusedError(f"has an array whose values are of type {type(content).__name__}")
        expected = math.prod(shape) * dtype.itemsize
        if len(content) != expected:
            raise RefusedError(
                f"has an array of shape {str(shape)[:60]} with {len(content)} bytes instead of "
                f"{expected:.6g}"
            )
        # a view: however many arrays are made of the same bytes, these are there once
        flat = np.frombuffer(memoryview(content).toreadonly(), dtype)
        array = flat.reshape(shape, order="F" if self.parts[2] else "C")
        return array[()] if self.is_scalar else array


def _record_kind(names: object, fields: object, size: object) -> np.dtype[Any]:
    if not isinstance(fields, dict):
        raise RefusedError("has a type whose fields are no dictionary")
    named = _sequence(names, "a type", at_least=1)
    described = [_sequence(fields.get(name), "a type", at_least=2) for name in named]
    formats = [_dtype(each[0]) for each in described]
    if any(each.names is not None for each in formats):
        raise RefusedError("has records within records")
    record: Any = {
        "names": [_word(name) for name in named],
        "formats": formats,
        "offsets": [_whole(each[1]) for each in described],
    }
    if size is not None:
        record["itemsize"] = _whole(size)
    kind: np.dtype[Any] = np.dtype(record)
    return kind


def _dtype(kind: object) -> np.dtype[Any]:
    if not isinstance(kind, _Kind):
        raise RefusedError(f"has an array whose type is {type(kind).__name__}")
    dtype = kind.dtype
    if dtype.itemsize == 0 or (dtype.kind == "V" and dtype.names is None) or dtype.hasobject:
        raise RefusedError("has an array of nothing that is known")
    return dtype


def _shape(shape: object) -> tuple[int, ...]:
    lengths = tuple(_whole(each) for each in _sequence(shape, "a shape", at_least=0))
    if len(lengths) > _MOST_AXES:
        raise RefusedError(f"has an array of {len(lengths)} axes")
    return lengths


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise RefusedError(f"has a size that is {str(value)[:20]}")
    return value


def _sequence(value: object, what: str, *, at_least: int) -> tuple[Any, ...]:
    if not isinstance(value, tuple | list) or len(value) < at_least:
        raise RefusedError(f"describes {what} as numpy does not")
    return tuple(value)


def _word(value: object) -> str:
    """A word, as Python 3 or 2 wrote it."""
    return value.decode("latin1") if isinstance(value, bytes) else str(value)[:1000]


def _make_kind(*arguments: object) -> object:
    name = _word(arguments[0]) if arguments else ""
    # letters with a size, such as f8 or U12; anything else numpy might look up elsewhere
    if len(name) > 12 or not name.isascii() or not name[1:].isdigit():
        raise RefusedError(f"has an array of type {name[:20]!r}")
    if name[0] not in _KINDS | {"V"}:
        raise RefusedError("has an array of objects" if name[0] == "O" else f"has type {name!r}")
    return _Kind(name)


def _make_array(*arguments: object) -> object:
    # numpy.ndarray, shape and letter of an empty array, all of which its state replaces
    if not arguments or arguments[0] is not _NDARRAY:
        raise RefusedError("has an array of a kind of its own")
    return RebuiltArray()


def _make_scalar(*arguments: object) -> object:
    if len(arguments) != 2:
        raise RefusedError("describes a number as numpy does not")
    return RebuiltArray(((), arguments[0], False, arguments[1]), is_scalar=True)


def _make_from_buffer(*arguments: object) -> object:
    if len(arguments) != 4:
        raise RefusedError("describes an array as numpy does not")
    content, kind, shape, order = arguments
    return RebuiltArray((shape, kind, _word(order) == "F", content))


class _Encoder:
    """Bytes of the words in which protocols 0 to 2 hide them, made once of each word."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[str, bytes]] = {}

    def __call__(self, *arguments: object) -> object:
        if len(arguments) != 2 or _word(arguments[1]) != "latin1":
            raise RefusedError("encodes words as plain data does not")
        word = arguments[0]
        if not isinstance(word, str):
            raise RefusedError("encodes what is no word")
        if id(word) not in self._made:
            self._made[id(word)] = (word, word.encode("latin1"))
        return self._made[id(word)][1]


def _make_empty_bytes(*arguments: object) -> object:
    if arguments:
        raise RefusedError("asks for bytes of a length")
    return b""


def _make_bytearray(*arguments: object) -> object:
    # protocol 5 writes bytes of arrays that may be changed in this way where it cannot else
    if len(arguments) != 1 or not isinstance(arguments[0], bytes):
        raise RefusedError("makes bytes as plain data does not")
    return arguments[0]


def _refused_call(*arguments: object) -> object:
    raise RefusedError("makes an empty array of any size")


_NDARRAY = Rebuilder(_refused_call)
_NUMPY = ("numpy.core", "numpy._core")
"""The private package as numpy 1 and 2 call it."""
_REBUILDERS: dict[tuple[str, str], Rebuilder] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): Rebuilder(_make_kind),
    ("builtins", "bytes"): Rebuilder(_make_empty_bytes),
    ("__builtin__", "bytes"): Rebuilder(_make_empty_bytes),
    ("builtins", "bytearray"): Rebuilder(_make_bytearray),
} | {
    (f"{package}.{module}", name): Rebuilder(make)
    for package in _NUMPY
    for module, name, make in (
        ("multiarray", "_reconstruct", _make_array),
        ("multiarray", "scalar", _make_scalar),
        ("numeric", "_frombuffer", _make_from_buffer),
    )
}


def rebuilders() -> dict[tuple[str, str], Rebuilder]:
    """What names in one file stand for, by module and name."""
    return {**_REBUILDERS, ("_codecs", "encode"): Rebuilder(_Encoder())}
