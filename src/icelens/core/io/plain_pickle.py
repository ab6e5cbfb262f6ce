"""Pickles of arrays, numbers and words, read as data: whatever else a file asks for is refused.

Such files could run any program when opened. Here only a fixed list of opcodes is let through, what
numpy's arrays are rebuilt from is replaced by inert records (`plain_array.py`), and arrays are made
of their bytes after all has been read.
"""

import io
import pickle
import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from icelens.core.errors import InputFileError
from icelens.core.io.plain_array import Rebuilder, RebuiltArray, RefusedError, rebuilders

# Numbers, words, bytes, containers, the memo, and the two that rebuild numpy's objects.
_CONSTANTS = "NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT"
_WORDS = (
    "STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8"
)
_CONTAINERS = (
    "MARK EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST LIST APPEND APPENDS "
    "EMPTY_DICT DICT SETITEM SETITEMS"
)
_STACK = "PROTO FRAME STOP POP POP_MARK DUP MEMOIZE"
_MEMO = frozenset(["PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET"])
_REBUILD = "GLOBAL STACK_GLOBAL REDUCE BUILD"
_ALLOWED = _MEMO | frozenset(f"{_CONSTANTS} {_WORDS} {_CONTAINERS} {_STACK} {_REBUILD}".split())
_NEWEST_PROTOCOL = 5
_DEEPEST = 32
"""Containers within containers; cryo-EM's have two or three levels."""
_ZIP = b"PK\x03\x04"


def read_pickles(path: Path) -> tuple[Any, ...]:
    """What a file of pickles holds, one after the other.

    Read are numbers, words, bytes, None, tuples, lists and dictionaries of them, and numpy arrays
    and scalars of any type but objects, in protocols 0 to 5. Arrays are read-only.

    Raises:
        InputFileError: If the file is missing, empty, damaged or cut short, or asks for anything
            else; nothing of it has run then.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}), expected a pickle; check the path"
        ) from error
    if not content:
        raise InputFileError(f"{path}: the file is empty, expected a pickle; copy it again")
    if content.startswith(_ZIP):
        raise InputFileError(
            f"{path}: an archive, such as weights of torch.save, expected pickled arrays; give "
            "another file"
        )
    return tuple(_load(path, piece) for piece in _pieces(path, content))


def _pieces(path: Path, content: bytes) -> Iterator[bytes]:
    """The bytes of each pickle, looked through and let pass."""
    stream = io.BytesIO(content)
    while stream.tell() < len(content):
        start = stream.tell()
        try:
            for opcode, argument, _ in pickletools.genops(stream):
                _check(opcode.name, argument, len(content))
        except RefusedError as error:
            raise _refusal(path, str(error)) from error
        except Exception as error:  # damaged bytes may trip the parser in any way
            reason = "not a pickle" if start == 0 and stream.tell() < 3 else "damaged or cut short"
            raise InputFileError(
                f"{path}: {reason}, expected pickled arrays; copy it again or give another file"
            ) from error
        yield content[start : stream.tell()]


def _check(name: str, argument: object, num_bytes: int) -> None:
    """Refuse an opcode that plain data does not need, or that would make the parser hoard memory.

    Raises:
        RefusedError: If so.
    """
    if name not in _ALLOWED:
        raise RefusedError(f"uses {name}, which plain data does not")
    if name == "PROTO" and isinstance(argument, int) and argument > _NEWEST_PROTOCOL:
        raise RefusedError(f"is of protocol {argument}, expected 0 to {_NEWEST_PROTOCOL}")
    # the parser makes room up to the number it is told, and there cannot be more than bytes
    if name in _MEMO and not (isinstance(argument, int) and 0 <= argument <= num_bytes):
        raise RefusedError(f"numbers its parts up to {argument}")


def _load(path: Path, piece: bytes) -> Any:  # noqa: ANN401 - any plain data
    try:
        return _finished(_Unpickler(piece).load())
    except RefusedError as error:
        raise _refusal(path, str(error)) from error
    except Exception as error:  # opcodes in senseless order may trip the parser in any way
        raise InputFileError(
            f"{path}: damaged ({type(error).__name__} while reading), expected pickled arrays; "
            "copy it again or give another file"
        ) from error


def _refusal(path: Path, reason: str) -> InputFileError:
    return InputFileError(
        f"{path}: {reason}; only arrays, numbers and words are read, and nothing was executed; "
        "save those alone"
    )


class _Unpickler(pickle.Unpickler):
    """Knows numpy's rebuilders by name, as inert records, and nothing else."""

    def __init__(self, piece: bytes) -> None:
        # words of Python 2 stay bytes, which is what it wrote arrays as
        super().__init__(io.BytesIO(piece), encoding="bytes")
        self._rebuilders = rebuilders()

    def find_class(self, module: str, name: str) -> Rebuilder:
        """The record for a name.

        Raises:
            RefusedError: If it is not in the list.
        """
        found = self._rebuilders.get((module, name))
        if found is None:
            asked = " ".join(f"{module}.{name}".split())
            raise RefusedError(f"asks for {asked[:80]}")
        return found

    def persistent_load(self, pid: object) -> Any:  # noqa: ANN401 - as in the base class
        """Refuse references to things outside of the file.

        Raises:
            RefusedError: Always.
        """
        raise RefusedError("refers to something outside of it")


def _finished(value: object) -> Any:  # noqa: ANN401 - any plain data
    """What was loaded, with arrays in place of their records.

    Raises:
        RefusedError: If something in it is not plain, contains itself, or is nested too deep.
    """
    return _Finisher().finish(value, 0)


class _Finisher:
    """Replaces each object once, however often it is referred to."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        # objects stay alive, so that numbers of identity stay theirs
        self._seen: list[object] = []
        self._under_way: set[int] = set()

    def finish(self, value: object, depth: int) -> Any:  # noqa: ANN401 - any plain data
        """The object with all that is in it."""
        if value is None or isinstance(value, bool | int | float | str | bytes):
            return value
        number = id(value)
        if number in self._under_way or depth > _DEEPEST:
            raise RefusedError("contains itself or is nested too deep")
        if number not in self._done:
            self._under_way.add(number)
            self._done[number] = self._replaced(value, depth + 1)
            self._seen.append(value)
            self._under_way.discard(number)
        return self._done[number]

    def _replaced(self, value: object, depth: int) -> Any:  # noqa: ANN401 - any plain data
        if isinstance(value, RebuiltArray):
            return value.made()
        if isinstance(value, tuple):
            return tuple(self.finish(each, depth) for each in value)
        if isinstance(value, list):
            return [self.finish(each, depth) for each in value]
        if isinstance(value, dict):
            return {
                self.finish(key, depth): self.finish(each, depth) for key, each in value.items()
            }
        if isinstance(value, bytearray):
            return bytes(value)
        raise RefusedError("holds a function or a type")
