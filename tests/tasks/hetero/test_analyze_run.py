"""`icelens hetero analyze` finds two states, writes what it found and warns of what it should."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest
from hetero_runs import (
    LinearVolumes,
    draw_nothing,
    latent_table,
    two_states,
    use_linear_volumes,
    write_run,
)

from icelens.apps import cli
from icelens.core.io.latent_table import write_latents
from icelens.core.io.volumes import open_volume

PLAIN = ("--no-volumes", "--no-umap")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    use_linear_volumes(monkeypatch)
    draw_nothing(monkeypatch)


def analyze(run: Path, *words: str) -> Path:
    assert cli.main(["hetero", "analyze", "--run", str(run), *words]) == 0
    return run / "analysis" / "latent"


def test_table_has_a_line_for_each_particle_with_all_that_is_known(tmp_path):
    run = write_run(tmp_path / "run", two_states())
    folder = analyze(run, *PLAIN, "--clusters", "2")
    table = pandas.read_csv(folder / "table.csv")
    assert table["particle"].tolist() == list(range(120))
    first, last = table["kmeans"][:60], table["kmeans"][60:]
    assert {*first} | {*last} == {1, 2}
    assert first.nunique() == last.nunique() == 1
    assert table["gmm"].nunique() == 2
    for name in ("pc_1", "norm", "density", "sigma", "defocus", "psi", "rlnClassNumber"):
        assert np.isfinite(table[name]).all()
    assert set(table["outlier"]) <= {0, 1}


def test_centres_name_a_member_and_its_support(tmp_path):
    run = write_run(tmp_path / "run", two_states())
    folder = analyze(run, *PLAIN, "--clusters", "4")
    table = pandas.read_csv(folder / "table.csv").set_index("row")
    centres = pandas.read_csv(folder / "kmeans_centres.csv")
    assert table.loc[centres["row"], "kmeans"].tolist() == [1, 2, 3, 4]
    assert centres["size"].sum() == 120
    assert (centres["size_half_1"] + centres["size_half_2"] == centres["size"]).all()
    assert (centres["nearest_row"] == centres["row"]).all()
    assert set(centres["support"]) <= {"supported", "sparse"}


def test_component_between_two_states_is_extrapolated_in_the_middle(tmp_path):
    run = write_run(tmp_path / "run", two_states())
    folder = analyze(run, *PLAIN, "--components", "1", "--samples-per-component", "5")
    line = pandas.read_csv(folder / "pc_1.csv")
    assert line["support"][2] == "extrapolated"
    assert line["num_near"][2] == 0
    assert line["support"].iloc[0] != "extrapolated"
    assert not (folder / "pc_2.csv").exists()


def test_volumes_are_those_of_the_model_at_the_centres(tmp_path):
    run = write_run(tmp_path / "run", two_states())
    words = ("--clusters", "2", "--components", "1", "--samples-per-component", "2", "--no-umap")
    folder = analyze(run, *words, "--no-check-images", "--device", "cpu")
    centres = pandas.read_csv(folder / "kmeans_centres.csv")
    volume = open_volume(folder / "kmeans" / "volume_02.mrc")
    assert volume.pixel_size == pytest.approx(3.0)
    import torch

    names = ["latent_1", "latent_2", "latent_3"]
    state = torch.tensor(centres[names].to_numpy()[1:], dtype=torch.float32)
    (expected,) = LinearVolumes(3).volumes(state)
    assert np.asarray(volume.array) == pytest.approx(expected.numpy(), abs=1e-5)
    assert (folder / "pc_1" / "volume_02.mrc").is_file()
    report = (folder / "report.html").read_text()
    assert "Volumes of the clusters" in report
    assert "figure volumes_of_the_clusters_surfaces" in report


def test_same_settings_give_the_same_files(tmp_path):
    run = write_run(tmp_path / "run", two_states())
    folder = analyze(run, *PLAIN)
    before = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    analyze(run, *PLAIN)
    assert {path.name: path.read_bytes() for path in folder.glob("*.csv")} == before
    assert set(before) == {"table.csv", "kmeans_centres.csv", "pc_1.csv", "pc_2.csv"}


def test_latents_that_follow_defocus_and_optics_are_told(tmp_path, capsys):
    # defocus grows along the rows, the second half is of another optics group
    run = write_run(tmp_path / "run", two_states())
    folder = analyze(run, *PLAIN)
    heard = capsys.readouterr().err
    assert "principal component 1 follows the defocus" in heard
    assert "principal component 1 follows the optics group" in heard
    assert "component 2 follows" not in heard
    assert (
        "Beware: principal component 1 follows the defocus" in (folder / "report.html").read_text()
    )


def unused_beside_two_states(run: Path) -> Path:
    """Latents of two states, and two that the model did not use and that follow the defocus."""
    latent = two_states(count=240)
    latent[:, 1:] = 0.01 * (latent[:, 1:] + np.arange(240)[:, None] / 60)
    write_run(run, latent)
    table = latent_table(latent)
    table.deviation[:, 1:] = 0.99
    write_latents(run / "latents.csv", table)
    return run


def test_what_no_image_tells_of_is_no_finding(tmp_path, capsys):
    run = unused_beside_two_states(tmp_path / "run")
    folder = analyze(run, *PLAIN, "--clusters", "2")
    heard = capsys.readouterr().err
    assert "principal component 1 follows the defocus" in heard
    assert "component 2 follows" not in heard
    assert "no points are put along principal component 2" in heard
    assert "2 Gaussians" in heard
    assert (folder / "pc_1.csv").is_file()
    assert not (folder / "pc_2.csv").exists()
    assert "tell particles apart along 1" in (folder / "report.html").read_text()


def test_latents_of_which_no_image_tells_are_said_to_be_noise(tmp_path, capsys):
    run = write_run(tmp_path / "run", 0.01 * two_states(), deviation=1.0)
    folder = analyze(run, *PLAIN, "--clusters", "2")
    assert "say next to nothing about any latent" in capsys.readouterr().err
    assert (folder / "table.csv").is_file()


def test_state_that_one_half_set_has_alone_is_told(tmp_path, capsys):
    latent = two_states()
    run = write_run(tmp_path / "run", latent)
    table = latent_table(latent)
    table.half_set[:60] = 1
    table.half_set[60:] = 2
    write_latents(run / "latents.csv", table)
    analyze(run, *PLAIN, "--clusters", "2")
    assert "cluster 1 has" in capsys.readouterr().err


def test_two_or_one_dimensions_and_unknown_deviations_are_enough(tmp_path):
    for dimension in (1, 2):
        latent = two_states(60, dimension)
        run = write_run(tmp_path / str(dimension) / "run", latent, deviation=None)
        folder = analyze(run, "--no-volumes", "--clusters", "3")
        report = (folder / "report.html").read_text()
        assert "figure latent_components" in report
        assert "does not say how surely" in report
        assert "umap_1" not in pandas.read_csv(folder / "table.csv")


def test_umap_that_is_not_there_is_said_with_the_remedy(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("icelens.tasks.hetero.analyze_findings.has_umap", lambda: False)
    analyze(write_run(tmp_path / "run", two_states()), "--no-volumes")
    assert "pip install 'icelens[umap]'" in capsys.readouterr().err


def test_latents_that_are_all_equal_are_said_and_analysed_as_one_cluster(tmp_path, capsys):
    run = write_run(tmp_path / "run", np.full((30, 3), 0.5))
    folder = analyze(run, *PLAIN)
    heard = capsys.readouterr().err
    assert "latents of all 30 particles are equal" in heard
    assert set(pandas.read_csv(folder / "table.csv")["kmeans"]) == {1}


def test_fewer_particles_than_clusters_give_fewer_clusters(tmp_path, capsys):
    folder = analyze(write_run(tmp_path / "run", two_states(5)), *PLAIN)
    assert "5 clusters instead of 20" in capsys.readouterr().err
    assert len(pandas.read_csv(folder / "kmeans_centres.csv")) == 5


def test_one_particle_is_analysed_too(tmp_path):
    assert (analyze(write_run(tmp_path / "run", two_states(1)), *PLAIN) / "table.csv").is_file()


def test_latents_after_an_epoch_are_taken_on_request(tmp_path):
    run = write_run(tmp_path / "run", two_states())
    (run / "latents").mkdir()
    write_latents(run / "latents" / "epoch_0003.csv", latent_table(two_states() + 1.0))
    folder = analyze(run, *PLAIN, "--epoch", "3")
    found = pandas.read_csv(folder / "table.csv")["latent_2"].to_numpy()
    assert found == pytest.approx(two_states()[:, 1] + 1.0, abs=1e-6)


def test_report_shows_components_groups_energies_and_halves(tmp_path, monkeypatch):
    monkeypatch.undo()
    folder = analyze(write_run(tmp_path / "run", two_states()), *PLAIN, "--clusters", "3")
    names = {path.stem for path in folder.glob("*.png")}
    assert {"latent_components", "explained_variance", "latent_pairs", "uncertainty"} <= names
    assert {"latent_kmeans", "latent_gaussian", "free_energy_1", "free_energy_2"} <= names
    assert {"latent_defocus", "latent_tilt", "cluster_sizes"} <= names


def damage(run: Path, how: str) -> None:
    facts = json.loads((run / "hetero.json").read_text())
    table = latent_table(two_states())
    if how == "short":
        write_latents(run / "latents.csv", table.take(np.arange(50)))
    if how == "nan":
        text = (run / "latents.csv").read_text().splitlines()
        text[7] = text[7].replace(text[7].split(",")[3], "nan")
        (run / "latents.csv").write_text("\n".join(text))
    if how == "version":
        facts["version"] = 99
    if how == "homogeneous":
        facts |= {"kind": "homogeneous", "latent_dim": 0}
    if how == "unfinished":
        (run / "latents.csv").unlink()
    (run / "hetero.json").write_text(json.dumps(facts))


@pytest.mark.parametrize(
    ("how", "piece"),
    [
        ("short", "latents of 50 particles, but"),
        ("nan", "line 7 holds values that are not finite"),
        ("version", "version 99, expected 1"),
        ("homogeneous", "one structure (homogeneous) has no latents"),
        ("unfinished", "has no latents.csv yet"),
    ],
)
def test_damaged_run_is_refused_in_one_line_and_no_table_is_left(how, piece, tmp_path, capsys):
    run = write_run(tmp_path / "run", two_states())
    damage(run, how)
    assert cli.main(["hetero", "analyze", "--run", str(run), *PLAIN]) == 2
    heard = capsys.readouterr().err
    assert piece in heard
    assert len(heard.strip().splitlines()) == 1
    assert not list((run / "analysis").rglob("*.csv"))


def test_estimate_grows_with_the_volumes(tmp_path, capsys):
    run = write_run(tmp_path / "run", two_states())
    assert cli.main(["hetero", "analyze", "--run", str(run), "--dry-run"]) == 0
    assert "disk" in capsys.readouterr().out
    assert not (run / "analysis").exists()
