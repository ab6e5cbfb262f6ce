import pickle
import resource
import struct

import pytest
import torch
from safetensors.torch import save_file

from icelens.core.errors import IcelensError
from icelens.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

DESCRIPTION = {"task": "restore", "box_size": 48, "physics": {"defocus": [1.5, 2.0]}, "note": None}


@pytest.fixture
def tensors():
    kernel = torch.randn(2, 3, 3, 3, 3).contiguous(memory_format=torch.channels_last_3d)
    return {"kernel": kernel, "count": torch.tensor(7), "half": torch.ones(2, dtype=torch.bfloat16)}


def test_tensors_and_description_come_back_exactly(tmp_path, tensors):
    save_checkpoint(tmp_path / "a.safetensors", tensors, DESCRIPTION)
    loaded = load_checkpoint(tmp_path / "a.safetensors")
    assert loaded.description == DESCRIPTION
    assert loaded.tensors.keys() == tensors.keys()
    for name, value in tensors.items():
        assert loaded.tensors[name].dtype == value.dtype
        assert torch.equal(loaded.tensors[name], value)


def test_folder_gives_its_best_checkpoint_else_the_last(tmp_path, tensors):
    save_checkpoint(tmp_path / "last.safetensors", tensors, {"step": 2})
    assert load_checkpoint(tmp_path).description["step"] == 2
    save_checkpoint(tmp_path / "best.safetensors", tensors, {"step": 1})
    assert load_checkpoint(str(tmp_path)).description["step"] == 1


def test_folder_without_checkpoint_says_so(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint is finished there; train first"):
        load_checkpoint(tmp_path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"nothing\.safetensors: cannot be read"):
        load_checkpoint(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_are_refused_unopened(tmp_path, tensors, zipped):
    path = tmp_path / "old.pt"
    torch.save(tensors, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match="icelens restore import-checkpoint"):
        load_checkpoint(path)


def test_bare_pickle_is_refused_whatever_its_name(tmp_path):
    path = tmp_path / "sly.safetensors"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CheckpointError, match="a pickle"):
        load_checkpoint(path)


def test_header_as_long_as_a_pickle_s_magic_number_is_no_pickle(tmp_path):
    # 0x0280 = 640 bytes of header: the file then starts like a pickle of protocol 2
    path = tmp_path / "a.safetensors"
    header = b'{"__metadata__":{"icelens":"{}"}}'.ljust(0x0280)
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    assert path.read_bytes().startswith(b"\x80\x02")
    assert load_checkpoint(path).description == {}


@pytest.mark.parametrize("kept", [0, 4, 20, -1])
def test_truncated_file_is_an_error_that_names_it(tmp_path, tensors, kept):
    path = tmp_path / "cut.safetensors"
    save_checkpoint(path, tensors, DESCRIPTION)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"cut\.safetensors: (damaged|the file is empty)"):
        load_checkpoint(path)


def test_foreign_safetensors_file_is_refused(tmp_path, tensors):
    save_file({"count": tensors["count"]}, tmp_path / "foreign.safetensors")
    with pytest.raises(CheckpointError, match="without icelens' description"):
        load_checkpoint(tmp_path / "foreign.safetensors")


def test_disk_that_fills_up_leaves_the_old_file_and_no_other(tmp_path, tensors):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, tensors, {"step": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # the kernel refuses bytes beyond the limit, as it does on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(IcelensError, match="nothing was changed"):
            save_checkpoint(path, {"big": torch.zeros(10_000)}, {"step": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]
    assert load_checkpoint(path).description["step"] == 1


@pytest.mark.parametrize("text", ['{"task', "[1, 2]"])
def test_damaged_description_is_an_error_that_names_the_file(tmp_path, text):
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors", metadata={"icelens": text})
    with pytest.raises(CheckpointError, match=r"a\.safetensors: its description is damaged"):
        load_checkpoint(tmp_path / "a.safetensors")
