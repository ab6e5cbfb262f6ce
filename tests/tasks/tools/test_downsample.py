"""`icelens tools downsample`: the same field on fewer pixels, and tables that say so."""

from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import torch
from image_stars import write_cs, write_noise_star, write_old_star, write_tilt_stacks

from icelens.apps import cli
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.volume import Volume
from icelens.core.fourier.crop import crop_images, crop_volumes
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.mrc import read_mrc_stack_header
from icelens.core.io.particle_files import read_particles
from icelens.core.io.star import read_star
from icelens.core.io.volumes import open_volume, read_header, write_volume

GROUP = OpticsGroup("one", 2.806, 16)


def downsample(source: Path, output: Path, *words: str, box_size: int = 8) -> int:
    command = ["tools", "downsample", "--particles", str(source), "--output", str(output)]
    return cli.main([*command, "--box-size", str(box_size), *words])


def images_of(path: Path) -> np.ndarray:
    particles = read_particles(path).particles
    return ImageReader(particles).read(range(len(particles)))


@pytest.mark.parametrize("box_size", [8, 7, 16])
def test_images_table_and_header_agree_and_grey_values_stay(tmp_path, box_size):
    star = write_noise_star(tmp_path / "all.star", (3, 2), (GROUP,))
    assert downsample(star, tmp_path / "small.star", box_size=box_size) == 0
    before, after = images_of(star), images_of(tmp_path / "small.star")
    assert np.allclose(after, crop_images(torch.from_numpy(before), box_size).numpy(), atol=1e-6)
    assert np.allclose(after.mean(axis=(1, 2)), before.mean(axis=(1, 2)), atol=1e-5)
    header = read_mrc_stack_header(tmp_path / "small.mrcs")
    assert header.shape == (5, box_size, box_size)
    assert header.pixel_size == pytest.approx(2.806 * 16 / box_size)
    optics = read_star(tmp_path / "small.star")["optics"]
    assert optics["rlnImagePixelSize"].tolist() == [pytest.approx(2.806 * 16 / box_size)]
    assert optics["rlnImageSize"].tolist() == [box_size]


def test_nothing_else_in_the_table_changes(tmp_path):
    star = write_noise_star(tmp_path / "all.star", (3, 2), (GROUP,), rlnClassNumber=range(5))
    assert downsample(star, tmp_path / "small.star") == 0
    old, new = (read_star(tmp_path / name) for name in ("all.star", "small.star"))
    for block, changed in (
        ("optics", ["rlnImagePixelSize", "rlnImageSize"]),
        ("particles", ["rlnImageName"]),
    ):
        assert list(old[block].columns) == list(new[block].columns)
        assert old[block].drop(columns=changed).equals(new[block].drop(columns=changed))


def test_origins_in_pixels_are_counted_anew_and_shifts_stay(tmp_path):
    star = write_old_star(tmp_path / "old.star", 3, side=16, pixel_size=2.0)
    assert downsample(star, tmp_path / "small.star") == 0
    before, after = (read_particles(tmp_path / n).particles for n in ("old.star", "small.star"))
    assert np.allclose(before.shift_yx, after.shift_yx, atol=1e-5)
    assert after.pixel_size().tolist() == [4.0] * 3
    table = read_star(tmp_path / "small.star")[""]
    old = read_star(star)[""]
    assert np.allclose(table["rlnOriginX"], old["rlnOriginX"] / 2)
    assert table["rlnDetectorPixelSize"].equals(old["rlnDetectorPixelSize"])


def test_each_optics_group_keeps_its_field(tmp_path):
    groups = (GROUP, replace(GROUP, name="big", box_size=20, pixel_size=1.5))
    star = write_noise_star(tmp_path / "all.star", (2, 3), groups)
    assert downsample(star, tmp_path / "small.star") == 0
    after = read_particles(tmp_path / "small.star").particles
    assert [path.name for path in after.stacks] == ["small_001.mrcs", "small_002.mrcs"]
    assert after.pixel_size().tolist() == [2 * 2.806] * 2 + [1.5 * 2.5] * 3
    for stack, size in zip(after.stacks, (2 * 2.806, 3.75), strict=True):
        assert read_mrc_stack_header(stack).pixel_size == pytest.approx(size)
    assert ImageReader(after).read(range(5)).shape == (5, 8, 8)


def test_stacks_are_parted_on_request(tmp_path):
    star = write_noise_star(tmp_path / "all.star", (3, 4), (GROUP,))
    assert downsample(star, tmp_path / "small.star", "--output-stack-size", "3") == 0
    sizes = [read_header(tmp_path / f"small_00{n}.mrcs").shape[0] for n in (1, 2, 3)]
    assert sizes == [3, 3, 1]
    expected = crop_images(torch.from_numpy(images_of(star)), 8).numpy()
    assert np.allclose(images_of(tmp_path / "small.star"), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int8, ">i2", ">f4"])
def test_any_type_of_stack_becomes_float32_without_loss(tmp_path, dtype):
    values = np.random.default_rng(0).integers(0, 120, (4, 12, 12))
    with mrcfile.new(tmp_path / "stack.mrcs") as file:
        file.set_data(values.astype(np.dtype(dtype).newbyteorder("=")))
        file.voxel_size = 1.5
    if np.dtype(dtype).byteorder == ">":
        raw = np.fromfile(tmp_path / "stack.mrcs", np.uint8)
        header = raw[:1024].view("<i4").byteswap().view(np.uint8)
        header[208:212] = np.frombuffer(b"MAP ", np.uint8)
        header[212:216] = (0x11, 0x11, 0, 0)
        body = raw[1024:].view(np.dtype(dtype).newbyteorder("<")).byteswap()
        (tmp_path / "stack.mrcs").write_bytes(header.tobytes() + body.tobytes())
    output = tmp_path / "small.mrcs"
    assert downsample(tmp_path / "stack.mrcs", output, box_size=6) == 0
    small = open_volume(output, pixel_size=3.0).array
    assert small.dtype == np.float32
    expected = crop_images(torch.from_numpy(values.astype(np.float32)), 6).numpy()
    assert np.allclose(small, expected, atol=1e-4)
    assert read_mrc_stack_header(output).pixel_size == pytest.approx(3.0)


@pytest.mark.parametrize("ending", ["cs", "star"])
def test_cryosparc_records_follow_their_images(tmp_path, ending):
    source = write_cs(tmp_path / "all.cs", 4, side=16, pixel_size=1.5)
    output = tmp_path / "out" / f"small.{ending}"
    assert downsample(source, output) == 0
    before, after = (read_particles(path).particles for path in (source, output))
    assert after.box_size().tolist() == [8] * 4
    assert np.allclose(after.pixel_size(), 3.0)
    assert np.allclose(before.shift_yx, after.shift_yx, atol=1e-5)
    expected = crop_images(torch.from_numpy(images_of(source)), 8).numpy()
    assert np.allclose(images_of(output), expected, atol=1e-6)


def test_stacks_of_tilts_stay_stacks_of_tilts(tmp_path):
    source = write_tilt_stacks(tmp_path)
    output = tmp_path / "out" / "small.star"
    assert downsample(source, output, box_size=4) == 0
    before, after = (read_particles(path).particles for path in (source, output))
    assert len(after) == len(before) == 4
    assert after.particle.tolist() == [0, 0, 1, 1]
    for name in ("rotation", "shift_yx", "defocus_u"):
        assert np.allclose(getattr(after, name), getattr(before, name), atol=1e-5)
    expected = crop_images(torch.from_numpy(images_of(source)), 4).numpy()
    assert np.allclose(images_of(output), expected, atol=1e-6)
    optics = read_star(output)["optics"]
    assert optics["rlnImagePixelSize"].tolist() == [8.0]
    assert optics["rlnTomoSubtomogramBinning"].tolist() == [4.0]
    assert (output.parent / "small_stacks" / "000002.mrcs").is_file()


@pytest.mark.parametrize(("side", "box_size"), [(12, 6), (12, 5), (11, 6)])
def test_volume_keeps_grey_values_and_the_place_of_its_centre(tmp_path, side, box_size):
    array = np.random.default_rng(0).normal(2.0, 1.0, (side,) * 3).astype(np.float32)
    write_volume(tmp_path / "map.mrc", Volume(array, 2.0, (10.0, 20.0, 30.0)))
    output = tmp_path / "small.mrc"
    assert downsample(tmp_path / "map.mrc", output, "--volume", box_size=box_size) == 0
    small = open_volume(output)
    assert np.allclose(small.array, crop_volumes(torch.from_numpy(array), box_size), atol=1e-5)
    assert small.pixel_size == pytest.approx(2.0 * side / box_size)
    centres = [
        origin[0] + (n // 2) * size
        for origin, n, size in (
            ((10.0,), side, 2.0),
            (small.origin_xyz, box_size, small.pixel_size),
        )
    ]
    assert centres[0] == pytest.approx(centres[1], abs=1e-4)


def test_names_with_blanks_letters_and_links_work(tmp_path):
    folder = tmp_path / "größe 1"
    folder.mkdir()
    star = write_noise_star(folder / "alle Teilchen.star", (2,), (GROUP,))
    (tmp_path / "link").symlink_to(folder)
    output = tmp_path / "link" / "kleine Teilchen.star"
    assert downsample(star, output) == 0
    assert images_of(folder / "kleine Teilchen.star").shape == (2, 8, 8)


SPOILED = {
    "NaN": np.full((4, 16, 16), np.nan, np.float32),
    "not square": np.ones((4, 16, 18), np.float32),
    "other box": np.ones((4, 18, 18), np.float32),
}


def prepared(kind: str, folder: Path) -> tuple[Path, Path, list[str]]:
    """A hostile input: what is given, where it goes, and further words."""
    star, output = write_noise_star(folder / "all.star", (4,), (GROUP,)), folder / "small.star"
    stack = folder / "all_0.mrcs"
    if kind in SPOILED:
        write_volume(stack, Volume(SPOILED[kind], 2.806))
    elif kind == "missing stack":
        stack.unlink()
    elif kind in ("truncated", "empty"):
        stack.write_bytes(stack.read_bytes()[:-100] if kind == "truncated" else b"")
    elif kind == "bare, not square":
        write_volume(stack, Volume(SPOILED["not square"], 2.806))
        return stack, folder / "small.mrcs", []
    elif kind == "volume, no cube":
        write_volume(folder / "a.mrc", Volume(np.eye(16)[None].astype(np.float32), 2.0))
        return folder / "a.mrc", folder / "small.mrc", ["--volume"]
    outputs = {
        "over itself": star,
        "over its stack": folder / "all_0.star",
        "other ending": folder / "small.mrcs",
    }
    words = ["--box-size", "20"] if kind == "upsampling" else []
    return star, outputs.get(kind, output), words


@pytest.mark.parametrize(
    ("kind", "piece"),
    [
        ("upsampling", "images of 16 px, expected 20 px"),
        ("missing stack", "all_0.mrcs: no such stack"),
        ("NaN", "not finite"),
        ("truncated", "truncated"),
        ("empty", "empty"),
        ("not square", "images of 18 x 16 px, expected 16 x 16"),
        ("other box", "images of 18 x 18 px, expected 16 x 16"),
        ("over itself", "over itself"),
        ("over its stack", "over itself"),
        ("other ending", "ends in .star"),
        ("bare, not square", "expected square"),
        ("volume, no cube", "expected a cube"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(kind, piece, tmp_path, capsys):
    source, output, words = prepared(kind, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert downsample(source, output, *words) == 2
    said = capsys.readouterr().err
    assert piece in said
    assert len(said.strip().splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_few_bad_images_are_blank_and_told(tmp_path, capsys):
    star = write_noise_star(tmp_path / "all.star", (120,), (replace(GROUP, box_size=8),))
    array = np.array(open_volume(tmp_path / "all_0.mrcs").array)
    array[7, 0, 0] = np.inf
    write_volume(tmp_path / "all_0.mrcs", Volume(array, 2.806))
    assert downsample(star, tmp_path / "small.star", box_size=4) == 0
    assert "image 8 holds values that are not finite" in capsys.readouterr().err
    small = images_of(tmp_path / "small.star")
    assert not small[7].any()
    assert small[6].any()


def test_dry_run_says_what_it_costs(tmp_path, capsys):
    star = write_noise_star(tmp_path / "all.star", (4,), (GROUP,))
    assert downsample(star, tmp_path / "small.star", "--dry-run") == 0
    assert "disk" in capsys.readouterr().out
    assert not (tmp_path / "small.star").exists()
