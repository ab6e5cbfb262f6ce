"""`icelens hetero volumes` takes latents from files and particles, and refuses what is neither."""

import numpy as np
import pandas
import pytest
from linear_family import FamilyModel, make_run, occupied, use_model

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.io.volumes import open_volume, write_volume
from icelens.tasks.hetero import volume_models

LATENT = np.random.default_rng(0).uniform(0, 1, (60, 2))


@pytest.fixture
def run(tmp_path, monkeypatch):
    use_model(monkeypatch, FamilyModel(occupied, 2))
    return make_run(tmp_path / "run", LATENT)


def command(run, *words):
    output = run.parent / "out"
    flags = ["--run", str(run), "--output", str(output), "--no-check-images", *words]
    return cli.main(["hetero", "volumes", *flags]), output


def test_rows_name_their_files_and_keep_their_order(run):
    code, output = command(run, "--rows", "15,0")
    assert code == 0
    table = pandas.read_csv(output / "volumes.csv")
    assert table["file"].tolist() == ["row_000015.mrc", "row_000000.mrc"]
    assert table[["latent_1", "latent_2"]].to_numpy() == pytest.approx(LATENT[[15, 0]], abs=1e-6)
    assert open_volume(output / "row_000015.mrc").shape == (24, 24, 24)
    page = (output / "report.html").read_text()
    assert "row_000015" in page
    assert (output / "volumes_slices.png").is_file()
    assert (output / "volumes_support.png").is_file()


@pytest.mark.parametrize(
    "text",
    ["latent_1,latent_2\n0.2,0.3\n0.4,0.5\n", "0.2 0.3\n0.4,0.5\n", "# a path\n.2 .3\n.4 .5"],
)
def test_latents_are_read_from_tables_and_plain_numbers(text, run):
    file = run.parent / "states.csv"
    file.write_text(text)
    code, output = command(run, "--latent", str(file))
    assert code == 0
    table = pandas.read_csv(output / "volumes.csv")
    assert table["name"].tolist() == ["volume_001", "volume_002"]
    assert table[["latent_1", "latent_2"]].to_numpy() == pytest.approx(
        np.asarray([[0.2, 0.3], [0.4, 0.5]])
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0.2 0.3 0.4\n", "latents of 3 coordinates"),
        ("0.2 0.3\n0.4\n", "lines of 1 and of 2"),
        ("a b\n", "expected"),
        ("1e300 0.3\n", "line 1 holds values that are not finite, or beyond 1e"),
        ("latent_1,latent_2\n0.1,nan\n", "not finite"),
        ("", "empty"),
    ],
)
def test_files_of_other_latents_are_refused_in_one_line(text, found, run, capsys):
    file = run.parent / "states.csv"
    file.write_text(text)
    code, output = command(run, "--latent", str(file))
    assert code == 2
    error = capsys.readouterr().err.strip()
    assert found in error
    assert len(error.splitlines()) == 1
    assert not list(output.glob("*.mrc"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--rows", "0,60"], "row 60"),
        (["--rows", "a"], "expected rows"),
        (["--rows", "5-1"], "expected rows"),
        (["--rows", "\u00b2"], "expected rows"),
        (["--rows", "9" * 30], "expected rows"),
        (["--rows", "0-99999999999"], "100000 rows or fewer"),
        (["--rows", "1,1"], "twice"),
        ([], "neither"),
        (["--rows", "1", "--latent", "x.csv"], "both"),
        (["--rows", "1", "--epoch", "7"], "epoch 7"),
        (["--rows", "1", "--mask", "none.mrc"], "none.mrc"),
    ],
)
def test_settings_that_name_nothing_are_refused(words, found, run, capsys):
    code, output = command(run, *words)
    assert code == 2
    assert found in capsys.readouterr().err
    assert not list(output.glob("*.mrc"))


def test_folder_that_is_no_run_is_refused(tmp_path, capsys):
    words = ["hetero", "volumes", "--run", str(tmp_path), "--rows", "1"]
    assert cli.main([*words, "--output", str(tmp_path / "o")]) == 2
    assert "no run of hetero" in capsys.readouterr().err


def test_dry_run_says_what_it_costs(run, capsys):
    code, output = command(run, "--rows", "0-9", "--dry-run")
    assert code == 0
    assert not output.exists()


def test_map_is_no_mask(run, capsys):
    write_volume(run.parent / "map.mrc", Volume(np.linspace(-3, 9, 24**3).reshape(24, 24, 24), 3.0))
    code, output = command(run, "--rows", "1", "--mask", str(run.parent / "map.mrc"))
    assert code == 2
    error = capsys.readouterr().err
    assert "map.mrc: holds values from -3 to 9, expected a mask from 0 to 1" in error
    assert not list(output.glob("*.mrc"))


def test_volumes_of_few_particles_are_made_without_maps_of_images(tmp_path, monkeypatch, capsys):
    use_model(monkeypatch, FamilyModel(occupied, 2))
    run = make_run(tmp_path / "few", LATENT[:12])
    words = ["hetero", "volumes", "--run", str(run), "--rows", "3", "--output", str(tmp_path / "o")]
    assert cli.main(words) == 0
    assert "12 particles are fewer than the 20 that make a map" in capsys.readouterr().err
    assert (tmp_path / "o" / "row_000003.mrc").is_file()


def test_model_of_another_run_is_refused(tmp_path, monkeypatch, capsys):
    other = FamilyModel(occupied, 3)
    monkeypatch.setattr(volume_models, "read_volume_model", lambda folder, facts, device: other)
    run = make_run(tmp_path / "run", LATENT)
    code, output = command(run, "--rows", "3")
    assert code == 2
    assert "its model has latents of 3 coordinates" in capsys.readouterr().err
    assert not list(output.glob("*.mrc"))
