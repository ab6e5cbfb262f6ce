"""`icelens hetero train` on tilt series of other programs, from the command line."""

from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.apps import cli
from icelens.tasks.hetero import train as training
from icelens.tasks.hetero.hetero_run import open_hetero_run

TINY = "--epochs 1 --width 16 --num-layers 0 --batch-size 32 --device cpu --threads 1 --start map"


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "report_training", lambda *_: None)


def trained(star: Path, output: Path, *words: str) -> Path:
    if not star.is_file():
        pytest.skip(f"{star} is absent")
    command = ["hetero", "train", "--particles", str(star), "--output", str(output)]
    assert cli.main([*command, *TINY.split(), *words]) == 0
    return output


def test_simulated_tilt_series_of_two_classes_are_learnt(shared_data: Path, tmp_path: Path) -> None:
    star = shared_data / "subtomo_sim" / "10076_both_32_sim.star"
    run = open_hetero_run(
        trained(
            star,
            tmp_path / "run",
            "--latent-dim",
            "2",
            "--tilts",
            "3",
            "--stack-root",
            str(star.parent),
        )
    )
    particles = run.particle_file().particles
    table = run.latents()
    assert len(table) == len(np.unique(particles.particle)) < len(particles)
    assert np.array_equal(particles.particle[table.row], table.particle)
    assert np.isfinite(table.latent).all()
    assert run.box_size == 32
    assert len(run.images()) == len(particles)


def test_real_ribosomes_are_too_few_for_latents_but_not_for_one_map(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    star = shared_data / "subtomo_real" / "sta_testing_bin8.star"
    if not star.is_file():
        pytest.skip(f"{star} is absent")
    command = ["hetero", "train", "--particles", str(star), "--output", str(tmp_path / "run")]
    assert cli.main([*command, *TINY.split(), "--latent-dim", "4"]) == 2
    assert "6 particles that show anything for a latent of 4" in capsys.readouterr().err
    assert cli.main([*command, *TINY.split(), "--model", "homogeneous", "--overwrite"]) == 0
    said = capsys.readouterr().err
    # file name, header and table disagree on the pixel size
    assert "the table is believed" in said
    run = open_hetero_run(tmp_path / "run")
    particles = run.particle_file().particles
    assert len(particles) == 219
    assert len(np.unique(particles.particle)) == 6
    assert np.isfinite(next(iter(run.volume_model().volumes(torch.zeros(1, 0)))).numpy()).all()
