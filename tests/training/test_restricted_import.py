"""Foreign checkpoints are data: nothing that a file asks for is executed."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.core.errors import CheckpointError
from icelens.training.restricted_import import read_foreign_checkpoint


class Burglar:
    """A pickle of this creates a file when it is opened without restrictions."""

    def __init__(self, loot: Path) -> None:
        self.loot = loot

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.loot}",)


def test_tensors_numbers_words_and_numpy_logs_are_read(tmp_path: Path) -> None:
    path = tmp_path / "network.pt"
    log = [np.float64(0.5), np.array(0.25), np.array(0.125, dtype=np.float32), np.array([1, 2])]
    content = {"weights": {"a": torch.arange(3.0)}, "metrics": {"loss": log}, "arch": "unet"}
    torch.save(content, path)
    read = read_foreign_checkpoint(path)
    assert torch.equal(read["weights"]["a"], torch.arange(3.0))
    assert [np.asarray(value).tolist() for value in read["metrics"]["loss"]] == [
        0.5,
        0.25,
        0.125,
        [1, 2],
    ]
    assert read["arch"] == "unet"


@pytest.mark.parametrize("as_zip", [True, False])
def test_malicious_file_is_refused_and_not_executed(tmp_path: Path, *, as_zip: bool) -> None:
    loot, path = tmp_path / "loot", tmp_path / "network.pt"
    torch.save({"method": "n2n", "x": Burglar(loot)}, path, _use_new_zipfile_serialization=as_zip)
    with pytest.raises(CheckpointError, match=r"network\.pt: not a plain checkpoint.*system"):
        read_foreign_checkpoint(path)
    assert not loot.exists()
    torch.load(path, weights_only=False)
    assert loot.exists(), "the file was harmless, so this test proves nothing"


def test_message_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "network.pt"
    torch.save({"x": Burglar(tmp_path / "loot")}, path)
    with pytest.raises(CheckpointError) as caught:
        read_foreign_checkpoint(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "network.pt"
    torch.save({"weights": torch.randn(1000)}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CheckpointError, match="copy it again"):
        read_foreign_checkpoint(path)


@pytest.mark.parametrize("content", [b"this is no pickle", b"\x00" * 2000, b"PK\x03\x04", b""])
def test_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "network.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"network\.pt"):
        read_foreign_checkpoint(path)


def test_absent_file_and_bare_tensor_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        read_foreign_checkpoint(tmp_path / "absent.pt")
    torch.save(torch.zeros(3), tmp_path / "tensor.pt")
    with pytest.raises(CheckpointError, match="holds a Tensor"):
        read_foreign_checkpoint(tmp_path / "tensor.pt")
