"""`icelens tools compare-poses` finds the errors that were made."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from icelens.apps import cli
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.geometry.axis_rotations import about_y, about_z
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.simulate.poses import random_poses

COUNT = 200


def poses() -> np.ndarray:
    return random_poses(COUNT, np.random.default_rng(0))


def star(path: Path, rotation: np.ndarray, shift_yx: np.ndarray | None = None, order=None) -> Path:
    rows = np.arange(len(rotation)) if order is None else order
    particles = Particles(
        stacks=(path.parent / "stack.mrcs",),
        stack=np.zeros(len(rotation), int),
        slice_index=np.arange(len(rotation)),
        optics=(OpticsGroup("one", 3.0, 16),),
        rotation=rotation,
        shift_yx=np.zeros((len(rotation), 2)) if shift_yx is None else shift_yx,
    )
    write_particles(path, new_particle_file(particles.take(rows)))
    return path


def compare(first: Path, second: Path, folder: Path, *words: str) -> dict[str, np.ndarray]:
    command = ["tools", "compare-poses", "--particles-1", str(first), "--particles-2", str(second)]
    assert cli.main([*command, "--output", str(folder / "out"), *words]) == 0
    with (folder / "out" / "poses.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def test_errors_are_measured_row_by_row_in_any_order(tmp_path, capsys):
    first = star(tmp_path / "a.star", poses())
    turn = about_z(np.deg2rad(7.0)) @ about_y(np.deg2rad(0.0))
    order = np.random.default_rng(1).permutation(COUNT)[:150]
    second = star(tmp_path / "b.star", turn @ poses(), np.tile([[3.0, 4.0]], (COUNT, 1)), order)
    table = compare(first, second, tmp_path)
    assert len(table["angle"]) == 150
    for name, expected in {"angle": 7.0, "in_plane": 7.0, "view": 0.0, "shift": 5.0}.items():
        assert np.allclose(table[name].astype(float), expected, atol=1e-3), name
    # row numbers from 1: of the image in either file
    rows_1, rows_2 = table["row_1"].astype(int), table["row_2"].astype(int)
    assert (order[rows_2 - 1] == rows_1 - 1).all()
    printed = capsys.readouterr()
    assert "50 only in the first, 0 only in the second" in printed.out + printed.err
    assert (tmp_path / "out" / "angles.png").exists()


def test_equivalent_poses_agree_only_under_their_symmetry(tmp_path):
    operator = symmetry_operators("D2")[2].double().numpy()
    first = star(tmp_path / "a.star", poses())
    second = star(tmp_path / "b.star", poses() @ operator)
    same = compare(first, second, tmp_path, "--symmetry", "D2")
    assert float(same["angle"].astype(float).max()) < 1e-3
    (tmp_path / "c1").mkdir()
    other = compare(first, second, tmp_path / "c1")
    assert np.allclose(other["angle"].astype(float), 180.0, atol=1e-2)


def test_frames_are_aligned_and_the_alignment_can_be_used_again(tmp_path):
    frame = random_poses(1, np.random.default_rng(5))[0]
    offset_xyz = np.array([4.0, -3.0, 8.0])
    moved = poses() @ frame.T
    shift_yx = (moved @ offset_xyz)[:, [1, 0]]
    first, second = star(tmp_path / "a.star", poses()), star(tmp_path / "b.star", moved, shift_yx)
    aligned = compare(first, second, tmp_path, "--align-frames")
    assert float(aligned["angle"].astype(float).max()) < 1e-3
    assert float(aligned["shift"].astype(float).max()) < 1e-2
    written = json.loads((tmp_path / "out" / "frame.json").read_text())
    assert np.allclose(written["rotation"], frame, atol=1e-5)
    assert np.allclose(written["offset_xyz"], offset_xyz, atol=1e-2)
    (tmp_path / "again").mkdir()
    words = ["--frame", str(tmp_path / "out" / "frame.json")]
    again = compare(first, second, tmp_path / "again", *words)
    assert float(again["angle"].astype(float).max()) < 1e-3


@pytest.mark.parametrize(
    ("broken", "piece"),
    [
        ("stranger", "no particle in common"),
        ("no angles", "rlnAngleRot is missing"),
        ("symmetry", "unknown symmetry"),
        ("frame", "not a frame.json"),
        ("mirror", "no rotation"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(broken, piece, tmp_path, capsys):
    first, second = star(tmp_path / "a.star", poses()), star(tmp_path / "b.star", poses())
    words = []
    if broken == "stranger":
        text = second.read_text().replace("@stack.mrcs", "@other.mrcs")
        second.write_text(text)
    if broken == "no angles":
        second.write_text(second.read_text().replace("_rlnAngleRot", "_rlnAngleOther"))
    if broken == "symmetry":
        words = ["--symmetry", "X9"]
    if broken in ("frame", "mirror"):
        mirror = {"rotation": np.diag([1.0, 1.0, -1.0]).tolist(), "offset_xyz": [0, 0, 0]}
        (tmp_path / "f.json").write_text("{}" if broken == "frame" else json.dumps(mirror))
        words = ["--frame", str(tmp_path / "f.json")]
    command = ["tools", "compare-poses", "--particles-1", str(first), "--particles-2", str(second)]
    assert cli.main([*command, "--output", str(tmp_path / "out"), *words]) == 2
    assert piece in capsys.readouterr().err
    assert not (tmp_path / "out" / "poses.csv").exists()
