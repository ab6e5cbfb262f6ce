"""A table of latents fills in what is not said, and refuses what does not fit."""

import numpy as np
import pytest

from icelens.core.data.latents import LatentTable
from icelens.core.errors import GeometryError, MetadataError

LATENT = np.arange(12.0).reshape(4, 3)
ROWS = np.asarray([3, 9, 12, 20])


def test_what_is_left_out_is_filled_in() -> None:
    table = LatentTable(latent=LATENT)
    assert (len(table), table.latent_dim) == (4, 3)
    assert table.particle.tolist() == table.row.tolist() == [0, 1, 2, 3]
    assert table.half_set.tolist() == [0] * 4
    assert np.isnan(table.deviation).all()
    assert table.deviation.shape == (4, 3)


def test_lines_are_taken_with_all_that_belongs_to_them() -> None:
    table = LatentTable(latent=LATENT, row=ROWS, half_set=1 + ROWS % 3 // 2, deviation=LATENT)
    some = table.take([2, 0])
    assert some.row.tolist() == [12, 3]
    assert some.latent.tolist() == some.deviation.tolist() == LATENT[[2, 0]].tolist()
    assert table.take(table.half_set == 2).row.tolist() == [20]
    assert len(table.take([])) == 0


def test_particles_are_found_by_their_first_image() -> None:
    table = LatentTable(latent=LATENT, row=ROWS[[3, 0, 2, 1]])
    assert table.place_of_rows([9, 20, 20]).tolist() == [3, 0, 0]
    assert table.place_of_rows(12).tolist() == [2]
    with pytest.raises(MetadataError, match="row 10 is no particle's first image"):
        table.place_of_rows([3, 10, 11])
    with pytest.raises(MetadataError, match="row 99"):
        table.place_of_rows([99])
    with pytest.raises(MetadataError, match="row 0"):
        table.take([]).place_of_rows([0])


def test_parts_of_other_lengths_are_refused() -> None:
    for part in ({"row": ROWS[:2]}, {"deviation": LATENT[:, :2]}, {"half_set": np.ones(5, int)}):
        with pytest.raises(GeometryError, match=next(iter(part))):
            LatentTable(latent=LATENT, **part)
    with pytest.raises(GeometryError, match="expected"):
        LatentTable(latent=np.arange(4.0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_latents_that_are_not_finite_are_refused(value: float) -> None:
    broken = LATENT.copy()
    broken[2, 1] = value
    with pytest.raises(MetadataError, match="line 3"):
        LatentTable(latent=broken)


def test_one_structure_has_latents_of_no_coordinates() -> None:
    table = LatentTable(latent=np.empty((5, 0)))
    assert (len(table), table.latent_dim) == (5, 0)
