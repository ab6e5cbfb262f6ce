"""`icelens tools histogram` counts every value."""

import csv

import numpy as np
import pytest
from particle_stars import write_star

from icelens.apps import cli


def test_bins_and_percentiles_are_those_of_the_column(tmp_path):
    values = np.random.default_rng(0).normal(size=500)
    values[7] = np.nan
    star = write_star(tmp_path / "a.star", (500,), has_images=False, rlnScore=values)
    command = ["tools", "histogram", "--particles", str(star), "--columns", "rlnScore,rlnDefocusU"]
    folder = tmp_path / "out"
    assert cli.main([*command, "--output", str(folder), "--bins", "20"]) == 0
    with (folder / "histograms.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["column"] == "rlnScore"]
    assert len(rows) == 20
    assert sum(int(row["count"]) for row in rows) == 499
    with (folder / "percentiles.csv").open() as file:
        line = next(iter(csv.DictReader(file)))
    assert float(line["50 %"]) == pytest.approx(np.nanmedian(values), abs=1e-5)
    assert (folder / "rlnScore.png").exists()
    assert (folder / "rlnDefocusU.png").exists()


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--columns", "rlnDefocsU"], "did you mean rlnDefocusU"),
        (["--columns", "rlnImageName"], "holds text"),
        (["--columns", "rlnScore"], "holds no number"),
        (["--columns", "rlnVoltage", "--block", "optcs"], "did you mean optics"),
    ],
)
def test_columns_that_cannot_be_counted_are_named(words, piece, tmp_path, capsys):
    star = write_star(tmp_path / "a.star", (3,), has_images=False, rlnScore=np.array([np.nan] * 3))
    command = ["tools", "histogram", "--particles", str(star), "--output", str(tmp_path / "out")]
    assert cli.main([*command, *words]) == 2
    assert piece in capsys.readouterr().err


def test_constant_column_and_another_block_are_drawn_too(tmp_path):
    star = write_star(tmp_path / "a.star", (3,), has_images=False)
    command = ["tools", "histogram", "--particles", str(star), "--columns", "rlnVoltage"]
    words = ["--block", "data_optics", "--clip-percent", "5", "--output", str(tmp_path / "out")]
    assert cli.main([*command, *words]) == 0


def test_columns_too_wide_for_bins_are_refused(tmp_path, capsys):
    star = write_star(tmp_path / "a.star", (3,), has_images=False, rlnScore=[-1e308, 0.0, 1e308])
    words = ["--particles", str(star), "--columns", "rlnScore", "--output", str(tmp_path / "out")]
    assert cli.main(["tools", "histogram", *words]) == 2
    assert "rlnScore goes from -1e+308 to 1e+308" in capsys.readouterr().err
