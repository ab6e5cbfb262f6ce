"""Images come back by row from any number of stacks; what is missing is named and counted."""

import gzip
import shutil
import warnings
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, InputFileError
from icelens.core.io.image_stacks import ImageReader, check_stacks

BOX = OpticsGroup("g", pixel_size=2.0, box_size=8)
SMALL = OpticsGroup("small", pixel_size=2.0, box_size=4)


def write_stack(path: Path, images: np.ndarray, pixel_size: float = 2.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mrcfile's, of values that are not finite
        with mrcfile.new(path) as file:
            file.set_data(images)
            file.set_image_stack()
            file.voxel_size = pixel_size


def make(folder: Path, num_stacks: int = 5, per_stack: int = 4) -> tuple[Particles, np.ndarray]:
    """Particles in a random order and their images."""
    random = np.random.default_rng(1)
    images = random.normal(size=(num_stacks, per_stack, 8, 8)).astype(np.float32)
    paths = tuple(folder / f"größe {number}" / "p.mrcs" for number in range(num_stacks))
    for path, stack in zip(paths, images, strict=True):
        write_stack(path, stack)
    order = random.permutation(num_stacks * per_stack)
    particles = Particles(paths, order // per_stack, order % per_stack, (BOX,))
    return particles, images.reshape(-1, 8, 8)[order]


def test_rows_come_in_the_order_asked_for_with_few_files_open(tmp_path: Path) -> None:
    particles, images = make(tmp_path)
    reader = ImageReader(particles, max_open=2)
    rows = np.random.default_rng(2).integers(0, len(particles), 30)
    np.testing.assert_array_equal(reader.read(rows), images[rows])
    mask = particles.stack == 3
    np.testing.assert_array_equal(reader.read(mask), images[mask])
    assert reader.read([]).shape == (0, 0, 0)
    assert len(reader._maps) <= 2


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float16", "float32"])
def test_values_of_all_modes_become_float32(tmp_path: Path, dtype: str) -> None:
    images = np.arange(2 * 64).reshape(2, 8, 8).astype(dtype)
    write_stack(tmp_path / "a.mrcs", images)
    read = ImageReader(
        Particles((tmp_path / "a.mrcs",), np.zeros(2, int), np.arange(2), (BOX,))
    ).read([1, 0])
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, images[::-1].astype(np.float32))


def test_links_and_compressed_stacks_are_read(tmp_path: Path) -> None:
    images = np.random.default_rng(0).normal(size=(2, 8, 8)).astype(np.float32)
    write_stack(tmp_path / "a.mrcs", images)
    with (tmp_path / "a.mrcs").open("rb") as plain, gzip.open(tmp_path / "b.mrcs", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    (tmp_path / "c.mrcs").symlink_to(tmp_path / "a.mrcs")
    paths = (tmp_path / "b.mrcs", tmp_path / "c.mrcs")
    particles = Particles(paths, np.array([0, 1]), np.array([1, 0]), (BOX,))
    np.testing.assert_array_equal(ImageReader(particles).read([0, 1]), images[::-1])


def test_missing_stacks_are_named_and_counted(tmp_path: Path) -> None:
    particles, _ = make(tmp_path)
    particles.stacks[1].unlink()
    particles.stacks[3].unlink()
    with pytest.raises(InputFileError, match=r"2 of 5 stacks with 8 of 20 images") as caught:
        ImageReader(particles)
    assert str(particles.stacks[1]) in str(caught.value)
    assert "\n" not in str(caught.value)
    # a stack that no row needs may be missing
    check_stacks(particles.take(particles.stack == 0))


def test_images_beyond_their_stack_are_named_and_counted(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.mrcs", np.zeros((3, 8, 8), np.float32))
    particles = Particles((tmp_path / "a.mrcs",), np.zeros(5, int), np.arange(5), (BOX,))
    with pytest.raises(InputFileError, match=r"image 4 is asked for, but there are 3 \(2 of 5"):
        ImageReader(particles)


def test_images_of_another_box_than_the_table_says_are_refused(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.mrcs", np.zeros((3, 8, 6), np.float32))
    particles = Particles((tmp_path / "a.mrcs",), np.zeros(1, int), np.zeros(1, int), (BOX,))
    with pytest.raises(InputFileError, match="6 x 8 px, expected 8 x 8"):
        ImageReader(particles)


def test_boxes_may_differ_between_batches_but_not_in_one(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.mrcs", np.zeros((1, 8, 8), np.float32))
    write_stack(tmp_path / "b.mrcs", np.ones((1, 4, 4), np.float32))
    particles = Particles(
        (tmp_path / "a.mrcs", tmp_path / "b.mrcs"),
        np.array([0, 1]),
        np.zeros(2, int),
        (BOX, SMALL),
        np.array([0, 1]),
    )
    reader = ImageReader(particles)
    assert reader.read([0]).shape == (1, 8, 8)
    assert reader.read([1]).shape == (1, 4, 4)
    with pytest.raises(GeometryError, match="4, 8 px in one batch"):
        reader.read([0, 1])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_few_bad_images_are_blank_and_many_are_an_error(tmp_path: Path, bad: float) -> None:
    images = np.ones((200, 8, 8), np.float32)
    images[[7, 90, 150], 3, 4] = bad
    write_stack(tmp_path / "a.mrcs", images)
    particles = Particles((tmp_path / "a.mrcs",), np.zeros(200, int), np.arange(200), (BOX,))
    heard = []
    reader = ImageReader(particles, on_event=heard.append)
    read = reader.read(np.arange(100))
    assert not read[[7, 90]].any()
    assert read.sum() == 98 * 64
    reader.read([7])  # one that is known is not reported again
    assert reader.bad_rows == {7, 90}
    assert [event.level for event in heard] == ["warning"]
    assert "image 8" in heard[0].text
    assert "2 of 200" in heard[0].text
    with pytest.raises(InputFileError, match="3 of 200 images do so far, expected at most 1%"):
        reader.read(np.arange(200))


def test_the_table_wins_over_headers_and_names_with_a_word(tmp_path: Path) -> None:
    write_stack(tmp_path / "ribo_1.82A.mrcs", np.zeros((1, 8, 8), np.float32), 1.5)
    write_stack(tmp_path / "ribo_2.00A_01.mrcs", np.zeros((1, 8, 8), np.float32))
    paths = (tmp_path / "ribo_1.82A.mrcs", tmp_path / "ribo_2.00A_01.mrcs")
    heard = []
    ImageReader(Particles(paths, np.arange(2), np.zeros(2, int), (BOX,)), on_event=heard.append)
    assert [("header says 1.5" in e.text, "name says 1.82" in e.text) for e in heard] == [
        (True, False),
        (False, True),
    ]


def test_real_stacks_of_relion_and_m_are_read(shared_data: Path) -> None:
    path = shared_data / "particles_real" / "relion31.mrcs"
    group = OpticsGroup("g", pixel_size=2.806, box_size=256)
    particles = Particles((path,), np.zeros(5, int), np.arange(5), (group,))
    images = ImageReader(particles).read([4, 1])
    raw = np.fromfile(path, np.float32, offset=1024).reshape(5, 256, 256)
    np.testing.assert_array_equal(images, raw[[4, 1]])
