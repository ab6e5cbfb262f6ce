"""Slabs cover a volume once, and their statistics are numpy's."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.io import slabs as module
from icelens.core.io.slabs import release_pages, slabs, statistics


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 2000, 2000), (3, 9000, 9000), (500, 10, 10)])
def test_slabs_cover_every_section_once_within_their_size(shape):
    parts = list(slabs(shape))
    covered = [section for part in parts for section in range(part.start, part.stop)]
    assert covered == list(range(shape[0]))
    sections = max(part.stop - part.start for part in parts)
    assert sections == 1 or sections * shape[1] * shape[2] * 8 <= 1 << 25


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int16, np.uint8, ">f4"])
def test_statistics_are_numpys_over_many_slabs(monkeypatch, dtype):
    monkeypatch.setattr(module, "_SLAB_BYTES", 1000)
    values = np.random.default_rng(0).normal(100, 20, (11, 6, 7)).astype(dtype)
    found = statistics(values)
    exact = values.astype(np.float64)
    # Sums of 462 numbers in float64 agree to far better than this.
    assert found.mean == pytest.approx(exact.mean(), rel=1e-12)
    assert found.std == pytest.approx(exact.std(), rel=1e-9)
    assert (found.minimum, found.maximum) == (exact.min(), exact.max())


def test_a_large_offset_costs_no_digits_of_the_spread():
    values = (1e7 + np.random.default_rng(0).integers(0, 2, (4, 5, 6))).astype(np.float64)
    assert statistics(values).std == pytest.approx(values.std(), rel=1e-9)


def test_released_pages_lose_nothing_and_free_memory(tmp_path):
    values = np.memmap(tmp_path / "a", np.float32, "w+", shape=(64, 256, 256))

    def resident():
        lines = Path("/proc/self/smaps").read_text().split(str(tmp_path / "a"))[1].splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))

    values[:] = np.arange(64)[:, None, None]
    if not Path("/proc/self/smaps").exists():
        pytest.skip("this system does not tell the memory of a map")
    assert resident() > 16_000  # KiB: all 16 MiB were touched
    release_pages(values[3:].transpose(2, 1, 0))
    assert resident() < 1000
    np.testing.assert_array_equal(values[:, 5, 5], np.arange(64))


def test_private_changes_and_plain_arrays_are_left_alone(tmp_path):
    np.zeros(5000, np.float32).tofile(tmp_path / "a")
    private = np.memmap(tmp_path / "a", np.float32, "c")
    private[:] = 3
    release_pages(private)
    release_pages(np.ones(3))
    assert (private == 3).all()
