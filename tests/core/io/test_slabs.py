"""Slabs cover a volume once, and their statistics are numpy's."""

import numpy as np
import pytest

from icelens.core.io import slabs as module
from icelens.core.io.slabs import slabs, statistics


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
