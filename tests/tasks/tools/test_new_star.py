"""`icelens tools new-star` lists every image of bare stacks with what tables say of them."""

import csv
from pathlib import Path

import numpy as np
import pytest
from image_stars import write_noise

from icelens.apps import cli
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.star import read_star
from icelens.core.simulate.poses import random_poses


def new_star(folder: Path, *words: str) -> int:
    stacks = [str(folder / name) for name in ("a.mrcs", "b c.mrcs")]
    command = ["tools", "new-star", "--stacks", *stacks, "--output", str(folder / "new.star")]
    return cli.main([*command, *words])


def write_csv(path: Path, **columns: object) -> Path:
    rows = zip(*columns.values(), strict=True)  # type: ignore[arg-type]
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([list(columns), *rows])
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_noise(tmp_path / "a.mrcs", 3, 12, 2.0)
    write_noise(tmp_path / "b c.mrcs", 2, 12, 2.0)
    return tmp_path


def test_every_image_becomes_a_row(folder):
    assert new_star(folder) == 0
    particles = read_particles(folder / "new.star").particles
    assert particles.slice_index.tolist() == [0, 1, 2, 0, 1]
    assert [path.name for path in particles.stacks] == ["a.mrcs", "b c.mrcs"]
    assert particles.pixel_size().tolist() == [2.0] * 5
    assert not particles.has_poses
    assert ImageReader(particles).read(range(5)).shape == (5, 12, 12)


def test_poses_and_ctf_of_tables_are_taken_over(folder):
    rng = np.random.default_rng(0)
    rotation, shift_yx = random_poses(5, rng), rng.normal(size=(5, 2))
    np.savez(folder / "poses.npz", rotation=rotation, shift_yx=shift_yx)
    defocus = rng.uniform(8e3, 2e4, 5).round(1)
    table = write_csv(
        folder / "ctf.csv",
        rlnDefocusU=defocus,
        rlnDefocusV=defocus - 100,
        rlnVoltage=[200, 200, 200, 300, 300],
        rlnClassNumber=range(5),
        remark=["x"] * 5,
    )
    words = ["--poses", str(folder / "poses.npz"), "--ctf", str(table)]
    assert new_star(folder, *words, "--amplitude-contrast", "0.07") == 0
    particles = read_particles(folder / "new.star").particles
    assert np.allclose(particles.rotation, rotation, atol=1e-6)
    assert np.allclose(particles.shift_yx, shift_yx, atol=1e-5)
    assert np.allclose(particles.defocus_u, defocus)
    assert np.allclose(particles.defocus_v, defocus - 100)
    assert [group.voltage for group in particles.optics] == [200.0, 300.0]
    assert [group.amplitude_contrast for group in particles.optics] == [0.07, 0.07]
    blocks = read_star(folder / "new.star")
    assert "rlnVoltage" not in blocks["particles"].columns
    assert "remark" not in blocks["particles"].columns
    assert blocks["particles"]["rlnClassNumber"].tolist() == list(range(5))


def test_poses_may_be_a_table(folder):
    columns = {f"rlnAngle{name}": [10.0, 20.0, 30.0, 40.0, 50.0] for name in ("Rot", "Tilt", "Psi")}
    table = write_csv(folder / "poses.csv", **columns, rlnOriginXAngst=range(5))
    assert new_star(folder, "--poses", str(table)) == 0
    written = read_star(folder / "new.star")["particles"]
    assert written["rlnAngleTilt"].tolist() == columns["rlnAngleTilt"]
    assert written["rlnOriginXAngst"].tolist() == list(range(5))


POSES = random_poses(5, np.random.default_rng(0))
TABLES = {
    "other count": {"rlnDefocusU": [1e4] * 4},
    "other unit": {"rlnDefocusU": [1.5] * 5},
    "not finite": {"rlnDefocusU": ["nan"] * 5},
    "other names": {"defocus": [1e4] * 5},
    "twice": {"rlnDefocusU": [1e4] * 5},
}
ARRAYS = {
    "pickled": {"rotation": np.array([{}], object)},
    "no rotations": {"rotation": 2 * POSES},
    "mirrored": {"rotation": -POSES},
    "no arrays": {"rot": np.eye(3)},
}


def hostile(kind: str, folder: Path) -> list[str]:
    """Words that name a table which does not fit."""
    table, arrays = folder / "table.csv", folder / "poses.npz"
    if kind in ARRAYS or kind == "broken":
        np.savez(arrays, **ARRAYS.get(kind, {}))
        if kind == "broken":
            arrays.write_bytes(b"PK\x03\x04 broken")
        return ["--poses", str(arrays)]
    if kind in TABLES:
        write_csv(table, **TABLES[kind])
    also = ["--poses", str(table)] if kind == "twice" else []
    return [*also, "--ctf", str(table)]


@pytest.mark.parametrize(
    ("kind", "piece"),
    [
        ("other count", "4 rows, expected 5"),
        ("other unit", "µm or nm"),
        ("not finite", "finite numbers"),
        ("other names", "expected RELION's names"),
        ("twice", "comes twice"),
        ("no table", "no such table"),
        ("pickled", "not readable arrays"),
        ("no rotations", "no rotation"),
        ("mirrored", "no rotation"),
        ("no arrays", "expected (row, 3, 3)"),
        ("broken", "not readable arrays"),
    ],
)
def test_tables_that_do_not_fit_are_refused(kind, piece, folder, capsys):
    words = hostile(kind, folder)
    assert new_star(folder, *words) == 2
    said = capsys.readouterr().err
    assert piece in said
    assert words[-1].split("/")[-1] in said
    assert not (folder / "new.star").exists()


def test_missing_stack_and_unknown_pixel_size_are_named(folder, capsys):
    write_noise(folder / "a.mrcs", 3, 12, 1.0)
    assert new_star(folder) == 2
    assert "does not know the pixel size" in capsys.readouterr().err
    (folder / "a.mrcs").unlink()
    assert new_star(folder, "--pixel-size", "2") == 2
    assert "no such stack" in capsys.readouterr().err
