"""`icelens tools regroup-stacks`: the same images in few files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from particle_stars import GROUP, write_star

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.star import read_star
from icelens.core.io.volumes import read_header, write_volume


def regroup(star: Path, *words: str) -> Path:
    folder = star.parent / "new"
    command = ["tools", "regroup-stacks", "--particles", str(star), "--output", str(folder)]
    assert cli.main([*command, *words]) == 0
    return folder / "particles.star"


def test_images_follow_their_rows_into_few_stacks(tmp_path):
    star = write_star(tmp_path / "all.star", (1, 2, 1, 3), rlnClassNumber=range(7))
    new = regroup(star, "--stack-size", "5")
    before, after = (read_particles(path).particles for path in (star, new))
    assert [path.name for path in after.stacks] == ["stack_001.mrcs", "stack_002.mrcs"]
    images = ImageReader(after).read(range(7))
    assert np.array_equal(images, ImageReader(before).read(range(7)))
    blocks = [read_star(path) for path in (star, new)]
    columns = [name for name in blocks[0]["particles"].columns if name != "rlnImageName"]
    assert blocks[0]["particles"][columns].equals(blocks[1]["particles"][columns])
    assert blocks[0]["optics"].equals(blocks[1]["optics"])


def test_boxes_and_pixel_sizes_do_not_share_a_stack(tmp_path):
    groups = (GROUP, replace(GROUP, name="big", box_size=10), replace(GROUP, pixel_size=5.0))
    star = write_star(tmp_path / "all.star", (1, 2, 1, 2), groups)
    after = read_particles(regroup(star)).particles
    assert [read_header(path).shape for path in after.stacks] == [
        (3, 8, 8),
        (2, 10, 10),
        (1, 8, 8),
    ]
    assert [read_header(path).pixel_size for path in after.stacks] == [3.0, 3.0, 5.0]
    values = [ImageReader(after).read([row])[0, 0, 0] for row in range(6)]
    assert values == [0, 100, 101, 200, 300, 301]


def test_half_precision_takes_half_the_space(tmp_path):
    star = write_star(tmp_path / "all.star", (4,))
    after = read_particles(regroup(star, "--float16")).particles
    assert read_header(after.stacks[0]).dtype == np.float16
    assert ImageReader(after).read([3])[0, 0, 0] == 3.0


def test_values_beyond_half_precision_are_refused(tmp_path, capsys):
    star = write_star(tmp_path / "all.star", (1,))
    write_volume(tmp_path / "all_0.mrcs", Volume(np.full((1, 8, 8), 1e6, np.float32), 3.0))
    command = ["tools", "regroup-stacks", "--particles", str(star), "--float16"]
    assert cli.main([*command, "--output", str(tmp_path / "new")]) == 2
    assert "65504" in capsys.readouterr().err
    assert not list(tmp_path.glob("new/*.mrcs"))


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_missing_stack_is_named_before_anything_is_written(words, tmp_path, capsys):
    star = write_star(tmp_path / "all.star", (2, 1))
    (tmp_path / "all_1.mrcs").unlink()
    command = ["tools", "regroup-stacks", "--particles", str(star), *words]
    status = cli.main([*command, "--output", str(tmp_path / "new")])
    said = capsys.readouterr()
    assert (status, "all_1.mrcs: no such stack" in said.err) == ((0, False) if words else (2, True))
    assert not list(tmp_path.glob("new/*.mrcs"))


@pytest.mark.parametrize("name", ["particles.star", "all.star"])
def test_the_given_list_and_stacks_are_never_replaced(tmp_path, capsys, name):
    star = write_star(tmp_path / name, (1, 2))
    if name == "all.star":  # then a stack has the name of a new one
        stack = read_particles(star).particles.stacks[0]
        stack.rename(stack.with_name("stack_001.mrcs"))
        star.write_text(star.read_text().replace(stack.name, "stack_001.mrcs"))
    folder = star.parent if name == "particles.star" else stack.parent
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.mrcs")} | {
        star: star.read_bytes()
    }
    words = ["--particles", str(star), "--output", str(folder)]
    assert cli.main(["tools", "regroup-stacks", *words]) == 2
    assert "over itself" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before
