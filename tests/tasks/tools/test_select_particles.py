"""`icelens tools select-particles` keeps what it should and leaves the rest of the file alone."""

from pathlib import Path

import numpy as np
import pytest
from particle_stars import GROUP, write_star

from icelens.apps import cli
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.star import read_star
from icelens.core.io.star import write_star as write_blocks

MERIT = [0.1, 0.9, 0.4, 0.8, 0.7]
CLASSES = [1, 4, 4, 2, 1]


@pytest.fixture
def star(tmp_path: Path) -> Path:
    return write_star(
        tmp_path / "all.star",
        optics=(GROUP, OpticsGroup("two", 4.0, 8)),
        rlnParticleFigureOfMerit=MERIT,
        rlnClassNumber=CLASSES,
    )


def select(star: Path, *words: str, output: str = "out.star") -> list[str]:
    path = star.parent / output
    command = ["tools", "select-particles", "--particles", str(star), "--output", str(path)]
    assert cli.main([*command, *words]) == 0
    return read_star(path)["particles"]["rlnImageName"].tolist()


def names(rows: list[int]) -> list[str]:
    all_names = [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2)]
    return [f"{number:06d}@all_{stack}.mrcs" for stack, number in (all_names[r] for r in rows)]


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (["--where", "rlnParticleFigureOfMerit > 0.5 and rlnClassNumber in (1, 4)"], [1, 4]),
        (["--rows", "1,3-4"], [0, 2, 3]),
        (["--rows", "2-5", "--where", "rlnClassNumber == 1"], [4]),
        ([], [0, 1, 2, 3, 4]),
    ],
)
def test_rows_that_pass_are_kept_in_their_order(words, rows, star):
    assert select(star, *words) == names(rows)


def test_other_blocks_and_columns_stay_as_they_are(star):
    blocks = read_star(star)
    blocks["extra"] = blocks["optics"][["rlnVoltage"]]
    write_blocks(star, blocks)
    select(star, "--rows", "5")
    after = read_star(star.parent / "out.star")
    assert list(after) == ["optics", "particles", "extra"]
    assert after["optics"].equals(blocks["optics"])
    assert after["particles"].iloc[0].equals(blocks["particles"].iloc[4])


def test_random_draw_repeats_with_its_seed_and_keeps_order(star):
    first = select(star, "--random", "3", "--seed", "1")
    assert first == select(star, "--random", "3", "--seed", "1")
    assert first == [name for name in names(list(range(5))) if name in first]
    assert len(first) == 3
    draws = {tuple(select(star, "--random", "3", "--seed", str(seed))) for seed in range(6)}
    assert len(draws) > 1


def test_images_that_do_not_exist_are_left_out_on_request(star):
    (star.parent / "all_1.mrcs").unlink()
    assert select(star, "--remove-missing") == names([0, 1, 2])


def test_file_in_another_folder_finds_its_stacks(star):
    select(star, "--rows", "4", output="deeper/out.star")
    particles = read_particles(star.parent / "deeper" / "out.star").particles
    assert ImageReader(particles).read([0])[0, 0, 0] == 100.0


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--where", "rlnClassNumbr == 1"], "did you mean rlnClassNumber"),
        (["--where", "rlnClassNumber = 1"], "cannot be read"),
        (["--where", "rlnClassNumber > 99"], "none of 5 rows is left"),
        (["--rows", "3-9"], "expected numbers from 1 to 5"),
        (["--rows", "x"], "expected numbers from 1 to 5"),
        (["--rows", "0"], "expected numbers from 1 to 5"),
        (["--random", "6"], "5 rows are left, expected 6"),
    ],
)
def test_what_cannot_be_selected_is_said_and_nothing_is_written(words, piece, star, capsys):
    path = star.parent / "out.star"
    command = ["tools", "select-particles", "--particles", str(star), "--output", str(path)]
    assert cli.main([*command, *words]) == 2
    assert piece in capsys.readouterr().err
    assert not path.exists()


def test_input_is_not_written_over(star, capsys):
    before = star.read_text()
    command = ["tools", "select-particles", "--particles", str(star), "--output", str(star)]
    assert cli.main(command) == 2
    assert "over itself" in capsys.readouterr().err
    assert star.read_text() == before


def test_cryosparc_records_are_selected_by_their_fields(tmp_path):
    fields = [
        ("uid", "<u8"),
        ("blob/path", "S20"),
        ("blob/idx", "<u4"),
        ("blob/shape", "<u4", (2,)),
        ("blob/psize_A", "<f4"),
        ("ctf/df1_A", "<f4"),
        ("alignments3D/pose", "<f4", (3,)),
    ]
    records = np.zeros(4, fields)
    records["uid"] = [11, 12, 13, 14]
    records["blob/path"] = b"a.mrc"
    records["blob/idx"] = range(4)
    records["blob/shape"] = (8, 8)
    records["blob/psize_A"] = 2.0
    records["ctf/df1_A"] = [5000, 9000, 15000, 20000]
    records["alignments3D/pose"][:, 1] = [0.0, 0.1, 0.2, 0.3]
    np.save(tmp_path / "a.npy", records)
    (tmp_path / "a.npy").rename(tmp_path / "a.cs")
    where = "ctf_df1_A > 6000 and alignments3D_pose_1 < 0.25"
    command = ["tools", "select-particles", "--particles", str(tmp_path / "a.cs"), "--where", where]
    assert cli.main([*command, "--output", str(tmp_path / "b.cs")]) == 0
    assert np.load(tmp_path / "b.cs")["uid"].tolist() == [12, 13]
