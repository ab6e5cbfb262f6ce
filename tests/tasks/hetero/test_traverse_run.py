"""`icelens hetero traverse` goes where it is told and says what stands behind each point."""

import numpy as np
import pandas
import pytest
from hetero_runs import draw_nothing, two_states, use_linear_volumes, write_run

from icelens.apps import cli
from icelens.tasks.hetero import traverse_paths


def horseshoe(count=240):
    angle = np.linspace(0.0, 1.5 * np.pi, count)
    noise = 0.02 * np.random.default_rng(0).normal(size=(count, 3))
    return np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) + noise


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    draw_nothing(monkeypatch)


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", horseshoe())


def traverse(run, *words):
    command = ["hetero", "traverse", "--run", str(run), "--no-volumes", *words]
    assert cli.main([*command, "--output", str(run.parent / "path")]) == 0
    return pandas.read_csv(run.parent / "path" / "path.csv")


def latents(path):
    return path[["latent_1", "latent_2", "latent_3"]].to_numpy()


def test_straight_path_crosses_the_empty_middle_and_says_so(run, capsys, monkeypatch):
    monkeypatch.undo()
    path = traverse(run, "--mode", "direct", "--anchors", "0,120,239", "--count", "5")
    assert len(path) == 9
    assert latents(path)[[0, 4, 8]] == pytest.approx(horseshoe()[[0, 120, 239]], abs=1e-5)
    assert "extrapolated" in set(path["support"])
    assert "points of the path are extrapolated" in capsys.readouterr().err
    assert (run.parent / "path" / "path.png").is_file()


def test_path_over_the_graph_keeps_to_particles_and_tells_their_rows(run, capsys):
    path = traverse(run, "--mode", "graph", "--anchors", "0,120")
    assert path["row"].iloc[[0, -1]].tolist() == [0, 120]
    assert (path["row"] == path["nearest_row"]).all()
    assert set(path["support"][3:-3]) == {"supported"}
    assert latents(path) == pytest.approx(horseshoe()[path["row"]], abs=1e-5)
    assert "path over rows 0," in capsys.readouterr().err


def test_loop_does_not_name_its_beginning_twice(run):
    path = traverse(run, "--mode", "graph", "--anchors", "50,60", "--loop")
    assert path["row"].tolist().count(50) == 1
    straight = traverse(run, "--mode", "direct", "--anchors", "50,60,70", "--loop", "--count", "3")
    assert len(straight) == 6


def test_ridge_keeps_to_the_band_without_being_particles(run):
    path = traverse(run, "--mode", "ridge", "--anchors", "0,120,200", "--count", "8")
    assert len(path) == 15
    assert np.linalg.norm(latents(path)[:, :2], axis=1) == pytest.approx(1.0, abs=0.08)
    assert "extrapolated" not in set(path["support"])


def test_component_is_followed_between_its_percentiles(run):
    path = traverse(run, "--mode", "pc", "--component", "2", "--count", "7")
    assert len(path) == 7
    steps = np.diff(latents(path), axis=0)
    assert steps == pytest.approx(np.broadcast_to(steps[0], steps.shape), abs=1e-6)


def test_of_very_many_particles_some_make_the_graph_and_anchors_always(run, monkeypatch, capsys):
    monkeypatch.setattr(traverse_paths, "MOST_IN_GRAPH", 100)
    path = traverse(run, "--anchors", "1,121", "--average-degree", "9")
    assert path["row"].iloc[[0, -1]].tolist() == [1, 121]
    assert "over 100 of 240 particles" in capsys.readouterr().err


def test_one_dimension_has_paths_too(tmp_path):
    latent = np.linspace(-1, 1, 50)[:, None]
    run = write_run(tmp_path / "run", latent)
    command = ["hetero", "traverse", "--run", str(run), "--no-volumes", "--anchors", "0,49"]
    for mode in ("direct", "graph", "ridge"):
        assert cli.main([*command, "--mode", mode]) == 0
    path = pandas.read_csv(run / "analysis" / "traverse" / "path.csv")
    assert path["latent_1"].is_monotonic_increasing


def test_volumes_are_made_along_the_path(run, monkeypatch):
    use_linear_volumes(monkeypatch)
    command = ["hetero", "traverse", "--run", str(run), "--mode", "pc", "--count", "3"]
    assert cli.main([*command, "--no-check-images", "--device", "cpu"]) == 0
    folder = run / "analysis" / "traverse"
    table = pandas.read_csv(folder / "volumes" / "volumes.csv")
    assert table["file"].tolist() == [f"volume_{n:02d}.mrc" for n in (1, 2, 3)]
    assert (folder / "volumes" / "volume_03.mrc").is_file()
    assert table["support"].tolist() == pandas.read_csv(folder / "path.csv")["support"].tolist()


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--anchors", "5"], "--anchors has 1 rows, expected two"),
        (["--anchors", "5,5"], "names a row twice"),
        (["--anchors", "5,999"], "row 999 is no particle's first image; rows go from 0 to 239"),
        (["--anchors", "5,x"], "--anchors: found"),
        (["--anchors=-1,5"], "--anchors: found"),
        (["--mode", "pc", "--anchors", "1,2"], "leave them out with pc"),
        (["--mode", "pc", "--component", "4"], "--component is 4, expected 1 to 3"),
        (["--mode", "pc", "--loop"], "leave it out with pc"),
    ],
)
def test_path_that_cannot_be_is_said_in_one_line(words, piece, run, capsys):
    assert cli.main(["hetero", "traverse", "--run", str(run), "--no-volumes", *words]) == 2
    heard = capsys.readouterr().err
    assert piece in heard
    assert len(heard.strip().splitlines()) == 1
    assert not list((run / "analysis").rglob("*.csv"))


def test_anchors_without_a_way_are_said_by_their_rows_with_a_remedy(tmp_path, capsys):
    run = write_run(tmp_path / "run", two_states())
    command = ["hetero", "traverse", "--run", str(run), "--no-volumes", "--anchors", "3,100"]
    assert cli.main([*command, "--mode", "graph"]) == 2
    heard = capsys.readouterr().err
    assert "no way leads from anchor row 3 to anchor row 100" in heard
    assert "--average-degree" in heard
    assert cli.main([*command, "--mode", "ridge"]) == 0
    assert "the ridge is sought from a straight line" in capsys.readouterr().err
