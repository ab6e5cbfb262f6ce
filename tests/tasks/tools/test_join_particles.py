"""`icelens tools join-particles`: all rows, with the optics they had."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from particle_stars import GROUP, write_star

from icelens.apps import cli
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.star import read_star

OTHER = replace(GROUP, name="other", voltage=200.0, pixel_size=4.0)


def join(folder: Path, *stars: Path, words: tuple[str, ...] = ()) -> Path:
    path = folder / "joined.star"
    listed = ",".join(map(str, stars))
    command = ["tools", "join-particles", "--particles", listed, "--output", str(path)]
    assert cli.main([*command, *words]) == 0
    return path


def test_rows_follow_each_other_and_keep_images_and_optics(tmp_path):
    (tmp_path / "x").mkdir()
    first = write_star(tmp_path / "a.star", (2,))
    second = write_star(tmp_path / "x" / "b.star", (2, 1), (OTHER, GROUP))
    particles = read_particles(join(tmp_path, first, second)).particles
    assert ImageReader(particles).read(range(5))[:, 0, 0].tolist() == [0, 1, 0, 1, 100]
    voltages = [particles.optics[group].voltage for group in particles.optics_index]
    assert voltages == [300.0, 300.0, 200.0, 200.0, 300.0]
    poses = [read_particles(each).particles.rotation for each in (first, second)]
    assert np.allclose(particles.rotation, np.concatenate(poses))


def test_groups_that_agree_become_one_and_others_stay_apart(tmp_path):
    same = [write_star(tmp_path / f"{name}.star", (1,), (GROUP,)) for name in "ab"]
    other = write_star(tmp_path / "c.star", (1,), (replace(GROUP, voltage=200.0),))
    optics = read_star(join(tmp_path, *same, other))["optics"]
    assert optics["rlnVoltage"].tolist() == [300.0, 200.0]
    assert optics["rlnOpticsGroup"].tolist() == [1, 2]
    assert optics["rlnOpticsGroupName"].nunique() == 2
    apart = read_star(join(tmp_path, *same, words=("--keep-groups",)))["optics"]
    assert len(apart) == 2


def test_split_and_joined_again_is_the_same_file(tmp_path):
    star = write_star(tmp_path / "all.star", (3, 4), (GROUP, OTHER))
    words = ["--particles", str(star), "--output", str(tmp_path / "parts")]
    assert cli.main(["tools", "split-particles", *words]) == 0
    again = join(tmp_path, *sorted((tmp_path / "parts").glob("*.star")))
    before, after = read_star(star), read_star(again)
    assert after["optics"].equals(before["optics"])
    assert after["particles"].equals(before["particles"])


def test_images_that_come_twice_are_kept_once_on_request(tmp_path):
    first = write_star(tmp_path / "a.star", (2, 1))
    second = tmp_path / "b.star"
    second.write_text(first.read_text())
    assert len(read_star(join(tmp_path, first, second))["particles"]) == 6
    path = join(tmp_path, first, second, words=("--remove-duplicates",))
    names = read_star(path)["particles"]["rlnImageName"].tolist()
    assert names == read_star(first)["particles"]["rlnImageName"].tolist()


def test_columns_of_one_file_alone_do_not_disturb_the_other(tmp_path):
    first = write_star(tmp_path / "a.star", (2,), rlnClassNumber=[1, 2])
    second = write_star(tmp_path / "b.star", (1,))
    table = read_star(join(tmp_path, first, second))["particles"]
    assert table["rlnClassNumber"].tolist()[:2] == [1, 2]
    assert np.isnan(table["rlnClassNumber"].tolist()[2])


@pytest.mark.parametrize(
    ("output", "piece"), [("a.star", "over itself"), ("b.cs", "expected .star")]
)
def test_bad_outputs_are_refused(output, piece, tmp_path, capsys):
    stars = [write_star(tmp_path / f"{name}.star", (1,)) for name in "ac"]
    listed = ",".join(map(str, stars))
    command = ["tools", "join-particles", "--particles", listed]
    assert cli.main([*command, "--output", str(tmp_path / output)]) == 2
    assert piece in capsys.readouterr().err


def test_files_with_and_without_poses_are_not_mixed(tmp_path, capsys):
    poses = {name: [1.0, 2.0] for name in ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")}
    first = write_star(tmp_path / "a.star", (2,), **poses)
    second = tmp_path / "b.star"
    second.write_text(first.read_text().replace("rlnAngleRot", "rlnOther"))
    listed = f"{first},{second}"
    words = ["--particles", listed, "--output", str(tmp_path / "joined.star")]
    assert cli.main(["tools", "join-particles", *words]) == 2
    assert "b.star: has no poses, but other files do" in capsys.readouterr().err
