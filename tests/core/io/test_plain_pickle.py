"""Files of pickles are data: what else they ask for is refused in one line, and nothing runs."""

import contextlib
import copyreg
import os
import pickle
import struct
import sys
import tempfile
import tracemalloc
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icelens.core.errors import InputFileError
from icelens.core.io.plain_pickle import read_pickles

PROTOCOLS = range(6)
RECORDS = np.array([(1, 2.5, b"ab"), (3, 4.5, b"c")], [("a", "i4"), ("b", ">f8"), ("c", "S2")])
ARRAYS = [
    np.arange(12.0).reshape(3, 4),
    np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4)),
    np.array([1, 2], ">i2"),
    np.array(["ab", "c"]),
    np.array([b"xy"]),
    np.arange(3) + 1j,
    np.array([True, False]),
    np.zeros((0, 3)),
    np.array(5.0, np.float16),
    RECORDS,
]
MARKS = (b"cos\nsystem\n", b"cbuiltins\neval\n", b"c__builtin__\neval\n", b"cposix\nsystem\n")


def written(folder: Path, content: bytes) -> Path:
    path = folder / "some file.pkl"
    path.write_bytes(content)
    return path


def refused(folder: Path, content: bytes) -> str:
    path = written(folder, content)
    with pytest.raises(InputFileError) as caught:
        read_pickles(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message


class Runs:
    """Makes a file when it is unpickled by the ordinary module."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_every_kind_come_back(protocol: int, tmp_path: Path) -> None:
    (found,) = read_pickles(written(tmp_path, pickle.dumps(ARRAYS, protocol)))
    for array, other in zip(ARRAYS, found, strict=True):
        assert other.dtype == array.dtype
        assert np.array_equal(other, array)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_as_numpy_1_named_them_come_back(protocol: int, tmp_path: Path) -> None:
    content = pickle.dumps(ARRAYS[0], min(protocol, 3)).replace(b"numpy._core.", b"numpy.core.")
    assert b"numpy._core" not in content
    (found,) = read_pickles(written(tmp_path, content))
    assert np.array_equal(found, ARRAYS[0])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_come_back(protocol: int, tmp_path: Path) -> None:
    value = {"a": [1, -5, 10**30], "b": (2.5, None, True, False), "c": b"\x00\xff", "d": "Å\n"}
    scalars = [np.float32(1.5), np.int64(-3), np.bool_(1)]
    content = pickle.dumps(value, protocol) + pickle.dumps(scalars, protocol)
    assert read_pickles(written(tmp_path, content)) == (value, scalars)


def test_several_pickles_follow_each_other(tmp_path: Path) -> None:
    content = b"".join(pickle.dumps(array) for array in ARRAYS[:3])
    assert len(read_pickles(written(tmp_path, content))) == 3


def test_an_array_written_by_python_2_comes_back(tmp_path: Path) -> None:
    numbers = struct.pack("<2f", 1.5, -2.0)
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85"
        b"U\x01b\x87Rq\x04(K\x01K\x02\x85cnumpy\ndtype\nq\x05U\x02f4K\x00K\x01\x87R(K\x03U\x01<"
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08" + numbers + b"tb."
    )
    (found,) = read_pickles(written(tmp_path, content))
    assert found.tolist() == [1.5, -2.0]


def test_arrays_cannot_be_written_to(tmp_path: Path) -> None:
    (found,) = read_pickles(written(tmp_path, pickle.dumps(np.arange(3.0), 5)))
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1.0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_object_that_runs_something_is_refused(protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    for value in (Runs(mark), [Runs(mark)], {"a": (Runs(mark),)}, np.array([Runs(mark)])):
        message = refused(tmp_path, pickle.dumps(value, protocol))
        assert "nothing was executed" in message
        assert not mark.exists()


@pytest.mark.parametrize("module_and_name", MARKS)
def test_functions_are_not_even_looked_up(module_and_name: bytes, tmp_path: Path) -> None:
    content = b"\x80\x02" + module_and_name + b"X\x05\x00\x00\x00exit1\x85R."
    assert "asks for" in refused(tmp_path, content)


@pytest.mark.parametrize(
    "name",
    ["numpy.core.multiarray\nfromstring", "numpy\nload", "numpy\ndtype.__class__", "numpy\n "],
)
def test_other_names_of_numpy_are_refused(name: str, tmp_path: Path) -> None:
    assert "asks for numpy" in refused(tmp_path, b"c" + name.encode() + b"\n.")


def test_a_dotted_name_reaches_nothing(tmp_path: Path) -> None:
    module, name = b"\x8c\x05numpy", b"\x8c\x12ndarray.__reduce__"
    assert "asks for" in refused(tmp_path, b"\x80\x04" + module + name + b"\x93.")


def test_a_name_with_a_line_break_stays_on_the_line(tmp_path: Path) -> None:
    refused(tmp_path, b"\x80\x04\x8c\x07os\nos\no\x8c\x03a\nb\x93.")


@pytest.mark.parametrize(
    "content",
    [
        b"(ios\nsystem\n.",  # INST
        b"(cnumpy\nndarray\nK\x01o.",  # OBJ
        b"\x80\x02cnumpy\nndarray\n)\x81.",  # NEWOBJ
        b"\x80\x02\x82\x01.",  # EXT1
        b"Pabc\n.",  # PERSID
        b"\x80\x02K\x01Q.",  # BINPERSID
        b"\x80\x04\x8f.",  # EMPTY_SET
        b"\x80\x05\x97.",  # NEXT_BUFFER
    ],
)
def test_opcodes_that_arrays_do_not_need_are_refused(content: bytes, tmp_path: Path) -> None:
    assert "which plain data does not" in refused(tmp_path, content)


def test_registered_extensions_are_refused(tmp_path: Path) -> None:
    copyreg.add_extension("posixpath", "abspath", 241)
    try:
        assert pickle.loads(b"\x80\x02\x82\xf1.") is os.path.abspath  # known, and cached
        assert "EXT1" in refused(tmp_path, b"\x80\x02\x82\xf1.")
    finally:
        copyreg.remove_extension("posixpath", "abspath", 241)


@pytest.mark.parametrize(
    "content",
    [
        # state that would set attributes of what a name stands for
        b"\x80\x02cnumpy\nndarray\n}X\x01\x00\x00\x00aK\x01sb.",
        b"\x80\x02cnumpy\nndarray\nN}X\x0c\x00\x00\x00__defaults__K\x01s\x86b.",
        b"\x80\x02c_codecs\nencode\nN}X\x05\x00\x00\x00_makeK\x01s\x86b.",
        b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00f8\x85RN}X\x05\x00\x00\x00dtypeK\x01s\x86b.",
        # an ndarray of any size, without its bytes
        b"\x80\x02cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85R.",
        # the name itself as the result
        b"\x80\x02cnumpy\nndarray\n.",
        b"\x80\x02]cnumpy\ndtype\na.",
        # types that numpy would look up by name, or of objects
        b"\x80\x02cnumpy\ndtype\nX\x01\x00\x00\x00O\x85R.",
        b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00O8\x85R.",
        b"\x80\x02cnumpy\ndtype\nX\x0b\x00\x00\x00numpy.int64\x85R.",
        b"\x80\x02cnumpy\ndtype\nX\x05\x00\x00\x00f8,f8\x85R.",
        b"\x80\x02cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R.",
        b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.",
    ],
)
def test_tricks_with_the_names_that_are_known_are_refused(content: bytes, tmp_path: Path) -> None:
    refused(tmp_path, content)
    # and the next file is read as ever
    assert read_pickles(written(tmp_path, pickle.dumps(ARRAYS[0], 2)))[0].shape == (3, 4)


@pytest.mark.parametrize(
    "value",
    [np.array([None]), np.array([{}, 1], object), np.zeros(2, [("a", object)]), OrderedDict(a=1),
     {1, 2}, 3j, range(3), np.ma.array([1]), np.datetime64("2020"), Path("a"),
     np.zeros(2, [("a", "f4", (3,))]), np.zeros(1, [("a", [("b", "f4")])])],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_plain_data_is_refused(value: object, tmp_path: Path) -> None:
    for protocol in PROTOCOLS:
        refused(tmp_path, pickle.dumps(value, protocol))


def test_shapes_are_bounded_by_the_bytes_that_are_there(tmp_path: Path) -> None:
    honest = pickle.dumps(np.zeros((2, 3)), 2)
    lie = honest.replace(b"K\x02K\x03\x86", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86")
    assert lie != honest
    assert "bytes instead of" in refused(tmp_path, lie)


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"abc.",  # bytearray of a terabyte
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.",
        b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"abc.",
        b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.",  # a frame larger than the file
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # a memo of two thousand million places
        b"\x80\x02\x8b\xff\xff\xff\x7fabc.",
        b"I" + b"9" * 5000 + b"\n.",
    ],
)
def test_sizes_that_are_only_claimed_take_no_memory(content: bytes, tmp_path: Path) -> None:
    tracemalloc.start()
    refused(tmp_path, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_one_word_may_be_named_often_without_being_copied(tmp_path: Path) -> None:
    word = b"X" + struct.pack("<I", 1_000_000) + b"a" * 1_000_000
    call = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R"
    content = b"\x80\x02(" + word + b"q\x00" + call * 300 + b"t."
    tracemalloc.start()
    (found,) = read_pickles(written(tmp_path, content))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 301
    assert peak < 20_000_000


def test_a_list_that_contains_itself_is_refused(tmp_path: Path) -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "contains itself" in refused(tmp_path, pickle.dumps(endless))


def test_references_that_multiply_cost_nothing(tmp_path: Path) -> None:
    value: list[Any] = []
    for _ in range(25):
        value = [value] * 10
    (found,) = read_pickles(written(tmp_path, pickle.dumps(value)))
    assert len(found) == 10


def test_a_tower_of_lists_is_refused(tmp_path: Path) -> None:
    assert "nested too deep" in refused(tmp_path, b"]" * 20_000 + b"a" * 19_999 + b".")


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_file_cut_short_is_damaged(protocol: int, tmp_path: Path) -> None:
    content = pickle.dumps(np.arange(4.0), protocol)
    for length in range(1, len(content)):
        refused(tmp_path, content[:length])


def test_what_follows_the_last_pickle_is_damage(tmp_path: Path) -> None:
    assert "damaged" in refused(tmp_path, pickle.dumps(1) + b"\x00" * 4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello world, no pickle", "numbers its parts up to 101"),
        (b"PK\x03\x04zip", "of torch.save"),
        (b"\x93NUMPY", "expected pickled arrays"),
    ],
)
def test_files_of_other_kinds_are_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    assert reason in refused(tmp_path, content)


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.pkl", tmp_path):
        with pytest.raises(InputFileError, match="cannot be read"):
            read_pickles(path)


@given(st.binary(max_size=60), st.integers(0, 200), st.sampled_from([0, 2, 4, 5]))
@settings(max_examples=150, deadline=None)
def test_damage_anywhere_is_an_error_or_data(noise: bytes, place: int, protocol: int) -> None:
    content = pickle.dumps([ARRAYS[2], {"a": 1.5}], protocol)
    place = min(place, len(content))
    modules = set(sys.modules)
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), content[:place] + noise + content[place + len(noise) :])
        with contextlib.suppress(InputFileError):
            read_pickles(path)
    assert set(sys.modules) == modules
