"""`icelens tools consensus-poses` averages what agrees and leaves out what does not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from particle_stars import write_star

from icelens.apps import cli
from icelens.core.geometry.axis_rotations import about_y
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.io.star import read_star

OPERATOR = symmetry_operators("D2")[1].double().numpy()


@pytest.fixture
def stars(tmp_path: Path) -> list[Path]:
    """Three files: rows 0 and 1 within 2 degrees, row 2 equivalent, 3 disputed, 4 in two only."""
    first = write_star(tmp_path / "a.star", (3, 2), has_images=False)
    file = read_particles(first)
    truth = file.particles.rotation
    shift_yx = np.array([[3.0, 0.0]] * 5)
    others = []
    for number, angle in enumerate((3.0, -3.0)):
        rotation = about_y(np.deg2rad(angle)) @ truth
        rotation[2] = rotation[2] @ OPERATOR
        rotation[3] = about_y(np.deg2rad(40.0 * (number + 1))) @ truth[3]
        path = tmp_path / f"{'bc'[number]}.star"
        rows = [4, 3, 2, 1, 0] if number == 0 else [0, 1, 2, 3]
        write_particles(path, file, rotation=rotation[rows], shift_yx=shift_yx[rows], rows=rows)
        others.append(path)
    return [first, *others]


def agree(stars: list[Path], *words: str) -> Path:
    path = stars[0].parent / "out.star"
    command = ["tools", "consensus-poses", "--particles", ",".join(map(str, stars))]
    assert cli.main([*command, "--output", str(path), *words]) == 0
    return path


def test_particles_that_all_agree_on_are_averaged(stars):
    path = agree(stars, "--symmetry", "D2", "--threshold", "4")
    table = read_star(path)["particles"]
    assert table["rlnImageName"].tolist() == [f"00000{n}@a_0.mrcs" for n in (1, 2, 3)]
    assert table["ilConsensusCount"].tolist() == [3, 3, 3]
    # angles of -3, 0 and 3 degrees to their mean
    assert np.allclose(table["ilConsensusDegrees"], 2.0, atol=1e-3)
    truth = read_particles(stars[0]).particles.rotation[:3]
    found = read_particles(path).particles
    # at row 2 the middlemost pose is the first file's own
    assert np.allclose(found.rotation, truth, atol=1e-4)
    assert np.allclose(found.shift_yx, [[2.0, 0.0]] * 3)


def test_two_of_three_suffice_on_request(stars):
    path = agree(stars, "--symmetry", "D2", "--threshold", "4", "--at-least", "2")
    table = read_star(path)["particles"]
    assert table["ilConsensusCount"].tolist() == [3, 3, 3, 2]
    assert table["rlnImageName"].iloc[3] == "000002@a_1.mrcs"
    half = about_y(np.deg2rad(1.5)) @ read_particles(stars[0]).particles.rotation[4]
    assert np.allclose(read_particles(path).particles.rotation[3], half, atol=1e-4)


def test_poses_of_the_first_file_are_kept_on_request(stars):
    path = agree(stars, "--symmetry", "D2", "--keep-poses")
    columns = ["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnOriginXAngst"]
    kept, before = (read_star(each)["particles"][columns] for each in (path, stars[0]))
    assert kept.equals(before.iloc[:3])


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--threshold", "0.1"], "no particle on which 3 files agree"),
        (["--max-shift-difference", "1"], "no particle on which 3 files agree"),
        (["--at-least", "4"], "at most the 3 files"),
        (["--symmetry", "W"], "unknown symmetry"),
    ],
)
def test_no_agreement_is_an_error(words, piece, stars, capsys):
    command = ["tools", "consensus-poses", "--particles", ",".join(map(str, stars))]
    path = stars[0].parent / "out.star"
    assert cli.main([*command, "--output", str(path), *words]) == 2
    assert piece in capsys.readouterr().err
    assert not path.exists()


def test_random_poses_agree_rarely():
    from icelens.core.geometry.rotations import random_rotations
    from icelens.tasks.tools.consensus_poses import Opinions, consensus

    rotation = random_rotations(900, torch.Generator().manual_seed(0), dtype=torch.float64)
    opinions = Opinions(
        rotation.reshape(3, 300, 3, 3),
        torch.zeros(3, 300, 2, dtype=torch.float64),
        torch.ones(3, 300, dtype=torch.bool),
    )
    found = consensus(opinions, torch.eye(3, dtype=torch.float64)[None], threshold=10.0)
    assert float((found.count > 1).double().mean()) < 0.02
    assert float(found.spread.max()) < 10.0
