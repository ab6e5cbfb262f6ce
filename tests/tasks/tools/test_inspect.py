"""`icelens tools inspect` says what is in a file, and ends with 2 if it is not sane."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.apps import cli
from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.io.tomogram_star import write_tomograms
from icelens.core.io.volumes import write_volume
from icelens.training.checkpoint import save_checkpoint


def volume(path: Path, shape: tuple[int, int, int] = (4, 5, 6), pixel_size: float = 10.0) -> Path:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    write_volume(path, Volume(values, pixel_size))
    return path


def listed(folder: Path, **fields: object) -> Path:
    row = TomogramRow(**{"index": 1, "pixel_size": 10.0, **fields})
    write_tomograms(folder / "t.star", TomogramList.from_rows([row]))
    return folder / "t.star"


def inspect(capsys: pytest.CaptureFixture[str], *paths: Path) -> tuple[int, str]:
    code = cli.main(["tools", "inspect", *map(str, paths)])
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def test_sane_files_of_every_kind_are_described(tmp_path, capsys):
    tomogram = volume(tmp_path / "a.mrc")
    unknown = volume(tmp_path / "b.mrc", pixel_size=1.0)
    star = listed(tmp_path, even=tomogram, odd=tomogram)
    tilts = tmp_path / "a.tlt"
    tilts.write_text("-30\n0\n30\n")
    checkpoint = tmp_path / "a.safetensors"
    save_checkpoint(checkpoint, {"w": torch.ones(3)}, {"task": "restore", "network": "unet-small"})
    assert cli.main(["tools", "wedge", "--box-size", "8", "--output", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    files = (
        tomogram,
        unknown,
        star,
        tilts,
        checkpoint,
        tmp_path / "run",
        tmp_path / "run/run.json",
    )
    code, text = inspect(capsys, *files)
    assert code == 0
    for piece in (
        "mrc volume, 4 x 5 x 6 voxels (z, y, x), 10 Å/px, float32",
        "unknown pixel size",
        "rlnIndex 1: 10 Å/px",
        "3 tilts from -30 to 30 degrees",
        "network: unet-small",
        "run of tools.wedge, done",
        "record of tools.wedge",
        "all 7 are sane",
    ):
        assert piece in text


def insane(folder: Path, kind: str) -> tuple[Path, str]:
    path = folder / kind
    if kind == "absent.mrc":
        return path, "no such file"
    if kind == "nan.mrc":
        write_volume(path, Volume(np.array([[[0.0, np.nan]]], np.float32), 10.0))
        return path, "NaN"
    if kind == "constant.mrc":
        write_volume(path, Volume(np.ones((2, 2, 2), np.float32), 10.0))
        return path, "every voxel is 1"
    if kind == "cut.mrc":
        path.write_bytes(volume(folder / "whole.mrc").read_bytes()[:-10])
        return path, str(path)
    if kind == "row.star":
        star = listed(folder, even=folder / "gone.mrc", odd=folder / "gone.mrc")
        return star, "does not exist"
    if kind == "shapes.star":
        pair = volume(folder / "a.mrc"), volume(folder / "b.mrc", (4, 5, 7))
        return listed(folder, even=pair[0], odd=pair[1]), "even has (4, 5, 6)"
    if kind == "pixels.star":
        pair = volume(folder / "a.mrc"), volume(folder / "b.mrc", pixel_size=13.0)
        return listed(folder, even=pair[0], odd=pair[1]), "the header says 13"
    if kind == "weights.safetensors":
        save_checkpoint(path, {"w": torch.tensor([float("nan")])}, {"network": "unet-small"})
        return path, "NaN or infinite"
    contents = {"a.pt": b"\x80\x02}", "bad.json": b"{", "table.json": b"[1]", "angles.tlt": b"x\n"}
    path.write_bytes(contents[kind])
    return path, {"a.pt": "pickle"}.get(kind, str(path))


@pytest.mark.parametrize(
    "kind",
    ["absent.mrc", "nan.mrc", "constant.mrc", "cut.mrc", "row.star", "shapes.star", "pixels.star",
     "weights.safetensors", "a.pt", "bad.json", "table.json", "angles.tlt"],
)  # fmt: skip
def test_insane_files_are_named_with_status_2_after_the_sane_ones(kind, tmp_path, capsys):
    sane = volume(tmp_path / "sane.mrc")
    path, piece = insane(tmp_path, kind)
    code, text = inspect(capsys, path, sane)
    assert code == 2
    assert piece in text
    assert f"{sane}: mrc volume" in text, "one bad file does not hide the others"


def test_failed_run_is_not_sane(tmp_path, capsys):
    record = {"job": "restore.refine", "config": {}, "state": "failed", "cause": "no voxels left"}
    (tmp_path / "run.json").write_text(json.dumps(record))
    code, text = inspect(capsys, tmp_path)
    assert code == 2
    assert "no voxels left" in text


def test_no_file_is_a_mistake(capsys):
    assert cli.main(["tools", "inspect"]) == 2


def test_particles_are_described_with_optics_half_sets_and_missing_stacks(tmp_path, capsys):
    made = tmp_path / "sim"
    job = ["simulate", "particles", "--output", str(made), "--count", "4", "--box-size", "16"]
    assert cli.main([*job, "--pixel-size", "8"]) == 0
    capsys.readouterr()
    code, text = inspect(capsys, made / "particles.star", made / "particles_001.mrcs")
    assert code == 0
    assert "4 images in 1 stacks" in text
    assert "4 images, 16 px of 8 Å, 300 kV, defocus" in text
    assert "with poses, half sets of 2 and 2 images" in text
    assert "stack of 4 images, 16 x 16 px" in text
    (made / "particles_001.mrcs").unlink()
    code, text = inspect(capsys, made / "particles.star")
    assert code == 0
    assert "4 images have no stack here" in text


def test_table_of_images_without_pixel_size_says_why_it_is_of_no_use(tmp_path, capsys):
    star = tmp_path / "p.star"
    star.write_text("data_\n\nloop_\n_rlnImageName #1\n1@a.mrcs\n")
    code, text = inspect(capsys, star)
    assert code == 0
    assert "cannot be used as particle images" in text
