"""`latents.csv` gives back what was written, and says in one line what is wrong with it."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.latents import LatentTable
from icelens.core.errors import InputFileError
from icelens.core.io.latent_table import read_latents, write_latents


def test_written_tables_are_read_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = LatentTable(
        latent=rng.normal(size=(5, 11)),
        deviation=rng.uniform(size=(5, 11)),
        particle=np.asarray([7, 3, 100, 0, 2]),
        row=np.asarray([0, 41, 82, 123, 164]),
        half_set=np.asarray([1, 2, 1, 0, 2]),
    )
    path = tmp_path / "latents.csv"
    write_latents(path, table)
    found = read_latents(path)
    for name in ("particle", "row", "half_set"):
        assert np.array_equal(getattr(found, name), getattr(table, name))
    # seven digits; the eleventh coordinate is not taken for the second
    assert found.latent == pytest.approx(table.latent, rel=1e-6)
    assert found.deviation == pytest.approx(table.deviation, rel=1e-6)


def test_unknown_deviations_stay_unknown(tmp_path: Path) -> None:
    path = tmp_path / "latents.csv"
    write_latents(path, LatentTable(latent=np.ones((3, 2))))
    assert np.isnan(read_latents(path).deviation).all()


def test_bare_coordinates_belong_to_nobody(tmp_path: Path) -> None:
    path = tmp_path / "wanted.csv"
    path.write_text("name,latent_1,latent_2\nopen,0.5,1\nclosed,-3,2e-1\n")
    found = read_latents(path)
    assert found.latent.tolist() == [[0.5, 1.0], [-3.0, 0.2]]
    assert found.row.tolist() == found.particle.tolist() == [-1, -1]
    assert found.half_set.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no table"),
        ("latent_1,latent_2\n", "no lines"),
        ("x,y\n1,2\n", "holds x, y"),
        ("latent_1,latent_3\n1,2\n", None),
        ("latent_2\n1\n", "holds latent_2"),
        ("latent_1\n1\nword\n", "words where numbers belong"),
        ("latent_1,row\n1,\n", "whole numbers"),
        ("latent_1,row\n1,2.5\n", "whole numbers"),
        ("latent_1\n1\nnan\n", "line 2"),
        ("latent_1\n1\n1e200\n", "line 2"),
        ("latent_1,deviation_1\n1,-0.5\n", "deviation_1 is -0.5 in line 1"),
        ("latent_1,half_set\n1,1\n1,9\n", "half_set is 9 in line 2, expected 0 to 2"),
        ("latent_1\n\n\n", "no lines"),
        ("latent_1\n1\n4,5,6\n", "no table"),
        ("\x00\x01\x02", "holds|no table"),
    ],
)
def test_damaged_tables_are_named_in_one_line(text: str, words: str | None, tmp_path: Path) -> None:
    path = tmp_path / "latents.csv"
    path.write_text(text)
    if words is None:
        assert read_latents(path).latent_dim == 1
        return
    with pytest.raises(InputFileError, match=words) as caught:
        read_latents(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        read_latents(tmp_path / "latents.csv")
    with pytest.raises(InputFileError, match="cannot be read"):
        read_latents(tmp_path)


def test_bytes_that_are_no_text_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "latents.csv"
    path.write_bytes(bytes(range(128, 256)) * 4)
    with pytest.raises(InputFileError, match="no table"):
        read_latents(path)
