"""`icelens tools edit-map`: each setting by value, with header and origin right."""

from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.io.volumes import open_volume, read_header, write_volume

SIDE, PIXEL, ORIGIN = 16, 2.0, (10.0, 20.0, 30.0)


def write_map(path: Path, side: int = SIDE, pixel_size: float = PIXEL) -> np.ndarray:
    values = np.random.default_rng(0).normal(1.0, 2.0, (side,) * 3).astype(np.float32)
    write_volume(path, Volume(values, pixel_size, ORIGIN))
    return values


def edit(path: Path, *words: object, output: str = "out.mrc") -> Volume:
    target = path.with_name(output)
    command = ["tools", "edit-map", str(path), "--output", str(target)]
    assert cli.main([*command, *map(str, words)]) == 0
    return open_volume(target)


def centre_of(volume: Volume) -> list[float]:
    """Place of the centre voxel in space, x y z."""
    sides = volume.shape[::-1]
    return [
        origin + (side // 2) * volume.pixel_size
        for origin, side in zip(volume.origin_xyz, sides, strict=True)
    ]


def test_contrast_is_inverted_and_the_header_kept(tmp_path):
    values = write_map(tmp_path / "a.mrc")
    result = edit(tmp_path / "a.mrc", "--invert")
    assert np.array_equal(result.array, -values)
    assert (result.pixel_size, result.origin_xyz) == (PIXEL, ORIGIN)


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        (["--low-pass", 8], lambda k: k < 0.9 / 8),
        (["--high-pass", 8], lambda k: k > 1 / 8),
        (["--low-pass", 6, "--high-pass", 16], lambda k: (k > 1 / 16) & (k < 0.9 / 6)),
    ],
)
def test_pass_bands_keep_and_remove(tmp_path, words, passes):
    values = write_map(tmp_path / "a.mrc")
    result = np.array(edit(tmp_path / "a.mrc", *words).array)
    axis = np.fft.fftfreq(SIDE, PIXEL)
    radius = np.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)
    before, after = np.fft.fftn(values), np.fft.fftn(result)
    kept = passes(radius)
    assert np.allclose(after[kept], before[kept], atol=1e-3)
    low = 1 / 8 if words[0] == "--low-pass" and words[1] == 8 else 1 / 6
    gone = radius > low + 1e-9 if words[0] == "--low-pass" else radius < 0.9 / 8
    assert np.abs(after[gone]).max() < 1e-3


def test_b_factor_scales_amplitudes(tmp_path):
    values = write_map(tmp_path / "a.mrc")
    result = np.array(edit(tmp_path / "a.mrc", "--b-factor", 40).array)
    ratio = np.fft.fftn(result)[1, 2, 3] / np.fft.fftn(values)[1, 2, 3]
    square = (1 + 4 + 9) / (SIDE * PIXEL) ** 2
    assert ratio == pytest.approx(np.exp(-40 * square / 4), rel=1e-4)


@pytest.mark.parametrize(("side", "box_size"), [(16, 10), (16, 9), (15, 10), (16, 24), (15, 21)])
def test_boxes_are_cut_and_padded_in_place(tmp_path, side, box_size):
    values = write_map(tmp_path / "a.mrc", side)
    result = edit(tmp_path / "a.mrc", "--box-size", box_size)
    assert result.shape == (box_size,) * 3
    for step in range(-4, 4):
        assert result.array[(box_size // 2 + step,) * 3] == values[(side // 2 + step,) * 3]
    before = open_volume(tmp_path / "a.mrc")
    assert centre_of(result) == pytest.approx(centre_of(before), abs=1e-4)
    assert result.pixel_size == PIXEL


@pytest.mark.parametrize(("side", "new_pixel_size"), [(24, 3.0), (24, 1.5), (25, 3.1)])
def test_resampled_blob_keeps_place_and_height(tmp_path, side, new_pixel_size):
    axis = (np.arange(side) - side // 2) * PIXEL
    z, y, x = np.meshgrid(axis - 3.0, axis + 4.0, axis - 1.0, indexing="ij")
    blob = 7.0 * np.exp(-(z**2 + y**2 + x**2) / (2 * 5.0**2))
    write_volume(tmp_path / "a.mrc", Volume(blob.astype(np.float32), PIXEL, ORIGIN))
    result = edit(tmp_path / "a.mrc", "--new-pixel-size", new_pixel_size)
    assert result.pixel_size == pytest.approx(new_pixel_size)
    assert centre_of(result) == pytest.approx(centre_of(open_volume(tmp_path / "a.mrc")), abs=1e-3)
    new = result.shape[0]
    assert new % 2 == side % 2
    assert new * new_pixel_size == pytest.approx(side * PIXEL, abs=new_pixel_size)
    there = (np.arange(new) - new // 2) * new_pixel_size
    z, y, x = np.meshgrid(there - 3.0, there + 4.0, there - 1.0, indexing="ij")
    expected = 7.0 * np.exp(-(z**2 + y**2 + x**2) / (2 * 5.0**2))
    inner = (slice(2, -2),) * 3
    assert np.allclose(result.array[inner], expected[inner], atol=0.02)


def test_wrong_pixel_size_of_a_header_is_corrected(tmp_path):
    values = write_map(tmp_path / "a.mrc", pixel_size=1.0)
    words = ["--pixel-size", 1.3, "--pixel-size-from", "metadata"]
    result = edit(tmp_path / "a.mrc", *words)
    assert np.array_equal(result.array, values)
    assert read_header(tmp_path / "out.mrc").pixel_size == pytest.approx(1.3)
    assert result.origin_xyz == ORIGIN


def test_masked_and_in_a_folder_of_several(tmp_path):
    values = write_map(tmp_path / "a.mrc")
    write_map(tmp_path / "b.mrc")
    mask = torch.zeros(SIDE, SIDE, SIDE)
    mask[4:12, 4:12, 4:12] = 0.5
    write_volume(tmp_path / "mask.mrc", Volume(mask.numpy(), PIXEL))
    command = ["tools", "edit-map", *(str(tmp_path / f"{name}.mrc") for name in "ab")]
    words = ["--mask", str(tmp_path / "mask.mrc"), "--output", str(tmp_path / "out put")]
    assert cli.main([*command, *words]) == 0
    for name in ("a.mrc", "b.mrc"):
        result = open_volume(tmp_path / "out put" / name).array
        assert np.allclose(result, values * mask.numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        ([], "nothing to do"),
        (["--low-pass", "10", "--high-pass", "5"], "nothing is left"),
        (["--high-pass", "3"], "Nyquist"),
        (["--mask", "small.mrc"], "make it on the map's grid"),
        (["--pixel-size", "3", "--invert"], "decide with"),
        (["--invert", "--output", "a.mrc"], "over itself"),
        (["--invert", "--output", "link.mrc"], "over itself"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(words, piece, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_map(tmp_path / "a.mrc")
    write_volume(tmp_path / "small.mrc", Volume(np.eye(4)[None].repeat(4, 0), PIXEL))
    (tmp_path / "link.mrc").symlink_to(tmp_path / "a.mrc")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert cli.main(["tools", "edit-map", "a.mrc", "--output", "out.mrc", *words]) == 2
    said = capsys.readouterr().err
    assert piece in said
    assert len(said.strip().splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_map_that_would_not_be_finite_is_refused(tmp_path, capsys):
    write_map(tmp_path / "a.mrc")
    words = ["tools", "edit-map", str(tmp_path / "a.mrc"), "--b-factor", "-1e9"]
    assert cli.main([*words, "--output", str(tmp_path / "out.mrc")]) == 2
    assert "a.mrc: would become infinite or NaN (--b-factor -1e+09" in capsys.readouterr().err
    assert not (tmp_path / "out.mrc").exists()
