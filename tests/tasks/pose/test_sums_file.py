"""Sums come back as they were written."""

from pathlib import Path

import pytest
import torch

from icelens.core.errors import CheckpointError
from icelens.core.fourier.insertion import SliceSums
from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.pose.sums_file import read_sums, write_sums


@pytest.mark.parametrize("options", [{}, {"padding": 3}, {"max_radius": 5}])
def test_sums_survive_a_file_bit_for_bit(tmp_path: Path, options: dict[str, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    sums = SliceSums(16, **options)
    spectrum = torch.fft.rfft2(torch.randn(5, 16, 16, generator=generator))
    sums.insert(spectrum, None, random_rotations(5, generator))
    write_sums(tmp_path / "sums.safetensors", sums)
    again = read_sums(tmp_path / "sums.safetensors")
    assert again.grid == sums.grid
    assert torch.equal(again.values, sums.values)
    again.add(sums)
    assert torch.equal(again.values, 2.0 * sums.values)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sums.safetensors"
    write_sums(path, SliceSums(16))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cut short"):
        read_sums(path)
