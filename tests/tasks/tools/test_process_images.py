"""`icelens tools process-images`: each switch does what it says, image by image."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from image_stars import (
    write_cs,
    write_noise,
    write_noise_star,
    write_old_star,
    write_tilt_stacks,
)

from icelens.apps import cli
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.volume import Volume
from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.mrc import read_mrc_stack_header
from icelens.core.io.particle_files import read_particles
from icelens.core.io.star import read_star, write_star
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.optics.phase_flip import flip_phases

GROUP = OpticsGroup("one", 2.5, 24)
FLAG = "rlnCtfDataArePhaseFlipped"


def process(source: Path, output: Path, *words: str) -> int:
    command = ["tools", "process-images", "--particles", str(source), "--output", str(output)]
    return cli.main([*command, *words])


def images_of(path: Path) -> np.ndarray:
    particles = read_particles(path).particles
    return ImageReader(particles).read(range(len(particles)))


def distance_px(side: int) -> np.ndarray:
    axis = np.arange(side) - side // 2
    return np.hypot(axis[:, None], axis)


@pytest.fixture
def star(tmp_path: Path) -> Path:
    groups = (GROUP, replace(GROUP, name="two", pixel_size=3.0))
    return write_noise_star(tmp_path / "all.star", (3, 2), groups, rlnClassNumber=range(5))


@pytest.mark.parametrize("kind", ["star", "old"])
def test_phases_flipped_twice_are_as_before(tmp_path, star, kind):
    if kind == "old":
        star = write_old_star(tmp_path / "old.star", 4, side=24, pixel_size=2.5)
    before = images_of(star)
    assert process(star, tmp_path / "once.star", "--phase-flip") == 0
    assert process(tmp_path / "once.star", tmp_path / "twice.star", "--phase-flip") == 0
    once, twice = images_of(tmp_path / "once.star"), images_of(tmp_path / "twice.star")
    assert np.allclose(twice, before, atol=2e-5)
    particles = read_particles(star).particles
    for row in range(len(before)):
        alone = flip_phases(image_rfft(torch.from_numpy(before[[row]])), particles, [row])
        assert np.allclose(once[row], image_from_rfft(alone, 24)[0], atol=2e-5)
        assert once[row].std() == pytest.approx(before[row].std(), rel=1e-3)
    flipped = [read_particles(tmp_path / f"{n}.star").particles for n in ("once", "twice")]
    assert [{g.is_phase_flipped for g in each.optics} for each in flipped] == [{True}, {False}]


def test_switches_by_value(tmp_path, star):
    before = images_of(star)
    assert process(star, tmp_path / "a.star", "--invert") == 0
    assert np.array_equal(images_of(tmp_path / "a.star"), -before)
    assert process(star, tmp_path / "b.star", "--normalise", "--mask-diameter", "30") == 0
    normal = images_of(tmp_path / "b.star")
    for row, size in enumerate([2.5, 2.5, 2.5, 3.0, 3.0]):
        outside = normal[row][distance_px(24) * size > 15.0]
        assert outside.mean() == pytest.approx(0.0, abs=1e-6)
        assert outside.std() == pytest.approx(1.0, abs=1e-5)
        assert np.corrcoef(normal[row].ravel(), before[row].ravel())[0, 1] > 0.9999
    assert process(star, tmp_path / "c.star", "--window") == 0
    windowed, radius = images_of(tmp_path / "c.star"), distance_px(24)
    assert np.allclose(windowed[:, radius <= 10.2], before[:, radius <= 10.2], atol=1e-6)
    for image, old in zip(windowed, before, strict=True):
        rim = image[radius >= 11.88]
        assert np.allclose(rim, old[radius > 9.0].mean(), atol=1e-5)


def test_centred_images_need_no_shifts(tmp_path, star):
    before, particles = images_of(star), read_particles(star).particles
    assert process(star, tmp_path / "centred.star", "--centre") == 0
    after = read_particles(tmp_path / "centred.star").particles
    assert not after.shift_yx.any()
    assert np.allclose(after.rotation, particles.rotation, atol=1e-6)
    shift_px = particles.shift_yx / particles.pixel_size()[:, None]
    spectrum = image_rfft(torch.from_numpy(before))
    moved = image_from_rfft(shift_images(spectrum, torch.from_numpy(shift_px).float()), 24)
    assert np.allclose(images_of(tmp_path / "centred.star"), moved, atol=1e-5)
    # a whole number of pixels moves pixels
    table = read_star(star)
    table["particles"] = table["particles"].assign(rlnOriginXAngst=[5.0] * 3 + [6.0] * 2)
    table["particles"] = table["particles"].assign(rlnOriginYAngst=0.0)
    write_star(star, table)
    assert process(star, tmp_path / "whole.star", "--centre") == 0
    assert np.allclose(images_of(tmp_path / "whole.star"), np.roll(before, 2, axis=2), atol=1e-4)


def test_table_and_header_say_what_the_images_are(tmp_path, star):
    output = tmp_path / "new.star"
    assert process(star, output, "--phase-flip", "--centre", "--normalise", "--window") == 0
    old, new = read_star(star), read_star(output)
    assert new["optics"][FLAG].tolist() == [1, 1]
    assert old["optics"].equals(new["optics"].drop(columns=FLAG))
    moved = ["rlnImageName", "rlnOriginXAngst", "rlnOriginYAngst"]
    assert old["particles"].drop(columns=moved).equals(new["particles"].drop(columns=moved))
    assert new["particles"]["rlnImageName"].tolist()[3] == "000001@new_002.mrcs"
    assert read_mrc_stack_header(tmp_path / "new_002.mrcs").pixel_size == pytest.approx(3.0)


def test_records_of_cryosparc_are_centred(tmp_path):
    source = write_cs(tmp_path / "all.cs", 4, side=16, pixel_size=1.5)
    assert process(source, tmp_path / "new.cs", "--centre") == 0
    assert not read_particles(tmp_path / "new.cs").particles.shift_yx.any()
    assert process(source, tmp_path / "new.star", "--phase-flip") == 0
    assert read_particles(tmp_path / "new.star").particles.optics[0].is_phase_flipped


def test_tilts_are_flipped_and_centred(tmp_path):
    source = write_tilt_stacks(tmp_path)
    before, particles = images_of(source), read_particles(source).particles
    assert process(source, tmp_path / "new.star", "--phase-flip", "--centre") == 0
    after = read_particles(tmp_path / "new.star").particles
    assert np.abs(after.shift_yx).max() < 1e-6
    assert all(group.is_phase_flipped for group in after.optics)
    spectrum = flip_phases(image_rfft(torch.from_numpy(before)), particles, range(4))
    shift_px = torch.from_numpy(particles.shift_yx / 4.0).float()
    expected = image_from_rfft(shift_images(spectrum, shift_px), 8)
    assert np.allclose(images_of(tmp_path / "new.star"), expected, atol=1e-4)


def test_bare_stack_becomes_a_bare_stack(tmp_path):
    images = write_noise(tmp_path / "a.mrcs", 3, 12, 2.0)
    assert process(tmp_path / "a.mrcs", tmp_path / "b.mrcs", "--invert") == 0
    assert np.array_equal(open_volume(tmp_path / "b.mrcs").array, -images)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mrcs", "b.mrcs"]


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        ([], "nothing to do"),
        (["--normalise", "--mask-diameter", "200"], "fills the images of 24 px"),
        (["--invert", "--output", "new.cs"], "ends in .star"),
    ],
)
def test_settings_that_cannot_be_are_refused(words, piece, tmp_path, star, capsys):
    before = sorted(tmp_path.iterdir())
    assert process(star, tmp_path / "new.star", *words) == 2
    said = capsys.readouterr().err
    assert piece in said
    assert len(said.strip().splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_images_that_cannot_be_flipped_are_refused(tmp_path, capsys):
    done = write_noise_star(tmp_path / "done.star", (2,), (replace(GROUP, is_premultiplied=True),))
    assert process(done, tmp_path / "new.star", "--phase-flip") == 2
    assert "multiplied by their CTF" in capsys.readouterr().err
    write_noise(tmp_path / "bare.mrcs", 2, 12, 2.0)
    for words, piece in ((["--phase-flip"], "no defocus"), (["--centre"], "no poses")):
        assert process(tmp_path / "bare.mrcs", tmp_path / "new.mrcs", *words) == 2
        assert piece in capsys.readouterr().err
    source = write_cs(tmp_path / "all.cs", 2, side=16, pixel_size=1.5)
    assert process(source, tmp_path / "new.cs", "--phase-flip") == 2
    assert "write a .star" in capsys.readouterr().err


def test_blank_images_stay_finite(tmp_path):
    write_volume(tmp_path / "a.mrcs", Volume(np.full((3, 12, 12), 7.0, np.float32), 2.0))
    assert process(tmp_path / "a.mrcs", tmp_path / "b.mrcs", "--normalise", "--window") == 0
    assert not np.array(open_volume(tmp_path / "b.mrcs").array).any()
