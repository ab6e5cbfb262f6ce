"""Stacks without a table: every image, on its own grid, without CTF and poses."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.io.bare_stacks import is_bare_stack, read_bare_stacks
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.volumes import write_volume
from icelens.core.optics.particle_ctf import particle_ctf


def write(path: Path, shape: tuple[int, int, int], pixel_size: float) -> Path:
    write_volume(path, Volume(np.full(shape, len(path.stem), np.float32), pixel_size))
    return path


def test_images_of_several_stacks_follow_each_other(tmp_path):
    paths = [write(tmp_path / "a.mrcs", (3, 8, 8), 2.0), write(tmp_path / "bb.mrc", (2, 6, 6), 3.0)]
    particles = read_bare_stacks(paths)
    assert particles.box_size().tolist() == [8] * 3 + [6] * 2
    assert particles.pixel_size().tolist() == [2.0] * 3 + [3.0] * 2
    assert particles.slice_index.tolist() == [0, 1, 2, 0, 1]
    assert not particles.has_poses
    assert ImageReader(particles).read([3, 4]).mean() == 2.0
    assert np.allclose(particle_ctf(particles, [0], box_size=8, pixel_size=2.0), 1.0)


def test_given_pixel_size_may_overrule_the_header(tmp_path):
    path = write(tmp_path / "a.mrcs", (1, 8, 8), 2.0)
    with pytest.raises(MetadataError, match="decide with"):
        read_bare_stacks(path, pixel_size=3.0)
    particles = read_bare_stacks(path, pixel_size=3.0, pixel_size_from="metadata")
    assert particles.pixel_size().tolist() == [3.0]
    write(path, (1, 8, 8), 1.0)
    with pytest.raises(MetadataError, match="--pixel-size"):
        read_bare_stacks(path)


def test_what_is_no_stack_is_named(tmp_path):
    with pytest.raises(GeometryError, match=r"images of 9 x 8 px"):
        read_bare_stacks(write(tmp_path / "a.mrcs", (1, 8, 9), 2.0))
    with pytest.raises(InputFileError, match="no such stack"):
        read_bare_stacks(tmp_path / "absent.mrcs")
    (tmp_path / "link.mrcs").symlink_to(tmp_path / "absent.mrcs")
    with pytest.raises(InputFileError, match="broken symbolic link"):
        read_bare_stacks(tmp_path / "link.mrcs")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.mrcs", True), ("a.MRC", True), ("a.mrcs.gz", True), ("a.star", False), ("a.cs", False)],
)
def test_names_tell_stacks_from_tables(name, expected):
    assert is_bare_stack(Path(name)) == expected
