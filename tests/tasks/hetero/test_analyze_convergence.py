"""Convergence compares kept epochs, and says when there are none."""

import numpy as np
import pandas
import pytest
import torch
from hetero_runs import draw_nothing, latent_table, two_states, use_linear_volumes, write_run

from icelens.apps import cli
from icelens.core.io.latent_table import write_latents
from icelens.tasks.hetero.analyze_convergence import _correlation

WORDS = ("--convergence", "--no-umap", "--clusters", "3", "--components", "0", "--device", "cpu")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    draw_nothing(monkeypatch)


def keep_epochs(run, scales):
    rng = np.random.default_rng(1)
    (run / "latents").mkdir()
    for number, scale in enumerate(scales, start=1):
        moved = two_states() + scale * rng.normal(size=(120, 3))
        write_latents(run / "latents" / f"epoch_{number:04d}.csv", latent_table(moved))


def test_latents_that_come_to_rest_keep_neighbours_and_volumes(tmp_path, monkeypatch):
    use_linear_volumes(monkeypatch)
    run = write_run(tmp_path / "run", two_states())
    keep_epochs(run, (2.0, 0.5, 0.01, 0.0))
    command = ["hetero", "analyze", "--run", str(run), *WORDS, "--no-check-images"]
    assert cli.main(command) == 0
    folder = run / "analysis" / "latent"
    found = pandas.read_csv(folder / "convergence.csv")
    assert found["epoch"].tolist() == [2, 3, 4]
    assert found["kept_neighbours"].is_monotonic_increasing
    assert found["kept_neighbours"].iloc[-1] > 0.9
    assert found["shift_50"].is_monotonic_decreasing
    assert found["volume_correlation"].iloc[-1] > 0.999 > found["volume_correlation"].iloc[0]
    for name in ("shift", "neighbours", "volumes"):
        assert f"figure convergence_{name}" in (folder / "report.html").read_text()


def test_run_without_kept_epochs_is_analysed_and_told(tmp_path, capsys):
    run = write_run(tmp_path / "run", two_states())
    assert cli.main(["hetero", "analyze", "--run", str(run), *WORDS, "--no-volumes"]) == 0
    assert "latents of 0 epochs were kept" in capsys.readouterr().err


def test_epoch_of_other_particles_is_an_error(tmp_path, capsys):
    run = write_run(tmp_path / "run", two_states())
    keep_epochs(run, (1.0, 0.5))
    write_latents(run / "latents" / "epoch_0002.csv", latent_table(two_states(40)))
    assert cli.main(["hetero", "analyze", "--run", str(run), *WORDS, "--no-volumes"]) == 2
    assert "latents of epoch 2 are of 40 other particles" in capsys.readouterr().err


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_volumes_that_never_differ_agree(value):
    assert _correlation(torch.zeros(2, 5), torch.zeros(2, 5)).tolist() == [1.0, 1.0]
    row = torch.arange(5.0)[None] + value
    assert _correlation(row, 2 * row).tolist() == pytest.approx([1.0])
