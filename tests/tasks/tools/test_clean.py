"""`icelens tools clean` deletes what a run kept on its way, and nothing else."""

import json
from pathlib import Path

import pytest

from icelens.apps import cli
from icelens.jobs.lock import locked_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of hetero of twelve epochs."""
    run = tmp_path / "ein Lauf"
    for name in ("latents", "checkpoints", "analysis/latents", "images.cache"):
        (run / name).mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"job": "hetero.train", "config": {}}))
    for epoch in range(1, 13):
        for place in ("latents", "analysis/latents"):
            (run / place / f"epoch_{epoch:04d}.csv").write_text("latent_1\n0\n")
        (run / "checkpoints" / f"epoch_{epoch:04d}.safetensors").write_bytes(b"weights")
    (run / "images.cache" / "values.bin").write_bytes(bytes(1000))
    (run / "images.cache.json").write_text("{}")
    for name in ("latents.csv", "model.safetensors", "latents/epoch_note.csv", "latents/mine.csv"):
        (run / name).write_text("kept")
    return run


def clean(folder: Path, *words: str) -> int:
    return cli.main(["tools", "clean", "--run", str(folder), *words])


def epochs(folder: Path, name: str) -> list[int]:
    return sorted(
        int(path.stem[6:]) for path in (folder / name).iterdir() if path.stem.startswith("epoch_0")
    )


@pytest.mark.parametrize(
    ("words", "kept"),
    [([], [5, 10, 12]), (["--keep-every", "3"], [3, 6, 9, 12]), (["--keep-every", "0"], [12])],
)
def test_every_nth_and_the_last_epoch_stay(folder, words, kept, capsys):
    assert clean(folder, *words) == 0
    assert epochs(folder, "latents") == epochs(folder, "checkpoints") == kept
    assert epochs(folder, "analysis/latents") == list(range(1, 13))
    # by the note about them, images are prepared alike when they are needed again
    assert [path.name for path in folder.glob("images.cache*")] == ["images.cache.json"]
    for name in ("run.json", "latents.csv", "model.safetensors", "latents/epoch_note.csv"):
        assert (folder / name).exists()
    assert "deleted" in capsys.readouterr().out


def test_dry_run_lists_and_deletes_nothing(folder, capsys):
    before = sorted(folder.rglob("*"))
    assert clean(folder, "--dry-run") == 0
    said = capsys.readouterr().out
    assert sorted(folder.rglob("*")) == before
    # latents and checkpoints of epochs, and the cache; the note about it stays
    assert said.count("would delete") == 2 * 9 + 1
    assert "epoch_0001.csv" in said
    assert "epoch_0005.csv" not in said


def test_caches_stay_on_request_and_a_second_time_finds_nothing(folder, capsys):
    assert clean(folder, "--no-caches") == 0
    assert (folder / "images.cache" / "values.bin").exists()
    assert clean(folder, "--no-caches") == 0
    assert "0 deleted" in capsys.readouterr().out


def test_links_lead_nowhere(folder, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    for name in ("epoch_0001.csv", "values.bin"):
        (outside / name).write_text("precious")
    for path in (folder / "latents").iterdir():
        path.unlink()
    (folder / "latents").rmdir()
    (folder / "latents").symlink_to(outside)
    (folder / "checkpoints" / "epoch_0001.safetensors").unlink()
    (folder / "checkpoints" / "epoch_0001.safetensors").symlink_to(outside / "values.bin")
    (folder / "images.cache" / "link").symlink_to(outside)
    (folder / "images.cache2").symlink_to(outside)
    assert clean(folder) == 0
    assert sorted(path.name for path in outside.iterdir()) == ["epoch_0001.csv", "values.bin"]
    assert (folder / "images.cache2").is_symlink()
    assert (folder / "checkpoints" / "epoch_0001.safetensors").is_symlink()
    assert not (folder / "images.cache").exists()


@pytest.mark.parametrize(
    ("content", "piece"),
    [
        (None, "expected the folder of a run"),
        ("{", "cannot be read as JSON"),
        (json.dumps({"job": "restore.refine", "config": {}}), "expected one of hetero"),
    ],
)
def test_folders_of_something_else_are_refused(folder, content, piece, capsys):
    (folder / "run.json").unlink()
    if content is not None:
        (folder / "run.json").write_text(content)
    before = sorted(folder.rglob("*"))
    for words in ([], ["--dry-run"]):
        assert clean(folder, *words) == 2
        assert piece in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


def test_absent_folder_is_not_made(tmp_path, capsys):
    assert clean(tmp_path / "absent") == 2
    assert "expected the folder of a run" in capsys.readouterr().err
    assert not (tmp_path / "absent").exists()


def test_run_that_goes_on_is_left_alone(folder, capsys):
    with locked_folder(folder):
        assert clean(folder) == 2
    assert "is running a job" in capsys.readouterr().err
    assert epochs(folder, "latents") == list(range(1, 13))
