"""Prepared images are transfer times the slice of the truth plus noise of unit power."""

from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import torch
from hetero_world import BOX, GROUP, PIXEL, ball, body, random_particles, states, write_images

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.events import Event, Message
from icelens.core.fourier.crop import crop_volumes
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.fourier.transforms import volume_rfft
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.core.simulate.particles import simulator_for
from icelens.tasks.hetero.image_grid import choose_grid
from icelens.tasks.hetero.image_noise import residual_noise
from icelens.tasks.hetero.preparation import prepare, prepare_again
from icelens.tasks.hetero.prepared_images import (
    CACHE_NAME,
    FACTS_NAME,
    PreparedImages,
    open_cache,
    read_facts,
)

COUNT = 120


def density(group: OpticsGroup = GROUP) -> torch.Tensor:
    """The particle in the box of a group, on the grey scale of the usual pixel."""
    axis = (torch.arange(group.box_size) - group.box_size // 2) * (group.pixel_size / PIXEL)
    total = torch.zeros(len(axis), len(axis), len(axis))
    for x, y, z in ((0, 0, 0), (3, 1, 0), (-2, 3, 1), (0, -3, 2), (1, 0, -4)):
        squared = (axis[:, None, None] - z) ** 2 + (axis[:, None] - y) ** 2 + (axis - x) ** 2
        total += torch.exp(-0.5 * squared / 1.6**2)
    # a projection sums over voxels: fewer where they are larger
    return total * (group.pixel_size / PIXEL)


def written(
    folder: Path,
    *optics: OpticsGroup,
    count: int = COUNT,
    snr: float = 1.0,
    tilts: int = 1,
    scale: float = 1.0,
    offset: float = 0.0,
) -> Particles:
    """Images of one particle in several optics groups."""
    particles = random_particles(count, tilts=tilts, optics=optics or (GROUP,))
    generator = torch.Generator().manual_seed(3)
    stacks = {}
    for number, group in enumerate(particles.optics):
        own = particles.take(np.flatnonzero(particles.optics_index == number))
        images = simulator_for(density(group), own, snr=snr).images(own, generator)
        stacks[number] = scale * images + offset
    return write_images(folder, particles, stacks)


def prepared(
    folder: Path,
    particles: Particles,
    *,
    box_size: int | None = None,
    mask_diameter: float | None = None,
    contrast: str = "auto",
    told: list[Event] | None = None,
) -> PreparedImages:
    listen = (told if told is not None else []).append
    source = ImageSource(particles, ImageReader(particles, on_event=listen), torch.device("cpu"))
    return prepare(
        source,
        choose_grid(particles, box_size, None),
        mask_diameter=mask_diameter,
        contrast=contrast,  # type: ignore[arg-type]
        folder=folder,
        seed=0,
        on_event=listen,
    )[0]


def rest(images: PreparedImages, volume: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
    """Power in each shell that slices of a map leave of images, in units of noise."""
    slices = central_slices(slice_source(volume), images.rotation(rows))
    expected = images.transfer(rows) * images.samples.of(slices)
    power = (images.values(rows) - expected).abs().square().mean(0)
    count = torch.bincount(images.samples.shell)
    return torch.bincount(images.samples.shell, power)[1:] / count[1:]


def with_noise_of(images: PreparedImages, volume: torch.Tensor) -> PreparedImages:
    """The images whitened by what the truth leaves, as the map of few images fits noise."""
    return residual_noise(images, volume)


def amplitude(images: PreparedImages, volume: torch.Tensor, rows: np.ndarray) -> float:
    """Factor on a map's slices that fits the images best."""
    slices = central_slices(slice_source(volume), images.rotation(rows))
    expected = images.transfer(rows) * images.samples.of(slices)
    product = (images.values(rows) * expected.conj()).real.sum()
    return float(product / expected.abs().square().sum())


@pytest.mark.parametrize(
    "group",
    [
        GROUP,
        replace(GROUP, voltage=200.0, beam_tilt_xy=(4.0, -3.0)),
        replace(GROUP, magnification=(1.06, 0.02, -0.01, 0.95)),
        replace(GROUP, is_premultiplied=True),
        replace(GROUP, is_phase_flipped=True),
    ],
    ids=["plain", "tilted", "magnified", "premultiplied", "flipped"],
)
@pytest.mark.parametrize("diameter", [BOX * PIXEL * 2.0, 0.8 * BOX * PIXEL], ids=["all", "tight"])
def test_noise_of_images_has_unit_power_beside_the_true_slices(
    group: OpticsGroup, diameter: float, tmp_path: Path
) -> None:
    particles = written(tmp_path, group)
    if group.is_phase_flipped:
        # the simulator knows only the CTF that is left: its absolute value
        assert (ImageReader(particles).read([0]) != 0).any()
    images = prepared(tmp_path, particles, mask_diameter=diameter)
    rows = np.arange(COUNT)
    assert amplitude(images, density(), rows) == pytest.approx(1.0, abs=0.06)
    shells = rest(images, density(), rows)
    # a map of 120 images fits some of their noise, and shells of few samples scatter
    assert shells.mean() == pytest.approx(1.0, abs=0.12)
    assert (shells < 1.5).all()
    exact = rest(with_noise_of(images, density()), density(), rows)
    assert exact == pytest.approx(torch.ones(len(exact)), abs=0.02)


def test_groups_of_other_pixels_boxes_and_voltages_see_the_same_map(tmp_path: Path) -> None:
    optics = (
        GROUP,
        OpticsGroup("fine", 4.8, 26, voltage=200.0),  # a little wider
        OpticsGroup("wide", PIXEL, 28, voltage=120.0),
        OpticsGroup("odd", PIXEL, 23),
    )
    particles = written(tmp_path, *optics, count=200, snr=4.0)
    images = prepared(tmp_path, particles, mask_diameter=130.0)
    for number in range(len(optics)):
        rows = np.flatnonzero(particles.optics_index == number)
        assert amplitude(images, density(), rows) == pytest.approx(1.0, abs=0.04), number
        finest = min(8, int(9 * optics[0].box_size / optics[number].box_size))
        assert rest(images, density(), rows)[:finest].mean() < 1.6, number


def test_halves_of_the_box_keep_grey_values(tmp_path: Path) -> None:
    group = OpticsGroup("fine", PIXEL / 2, 2 * BOX)
    particles = written(tmp_path, group, count=60, snr=20.0)
    full = prepared(tmp_path / "full", particles, mask_diameter=500.0)
    half = prepared(tmp_path / "half", particles, box_size=BOX, mask_diameter=500.0)
    assert half.pixel_size == pytest.approx(PIXEL)
    rows = np.arange(60)
    # images keep their greys, so that voxels, of which a projection sums fewer, are as much larger
    small = 2.0 * crop_volumes(density(group), BOX)
    assert amplitude(half, small, rows) == pytest.approx(1.0, abs=0.01)
    assert amplitude(full, density(group), rows) == pytest.approx(1.0, abs=0.01)
    ratio = volume_rfft(small)[1, 2, 3] / volume_rfft(density(group))[1, 2, 3]
    assert float((ratio - 0.25).abs()) < 1e-4


def test_offset_of_images_does_not_show(tmp_path: Path) -> None:
    plain = prepared(tmp_path / "a", written(tmp_path / "a"), mask_diameter=90.0)
    raised = prepared(tmp_path / "b", written(tmp_path / "b", offset=50.0), mask_diameter=90.0)
    rows = np.arange(COUNT)
    difference = (plain.values(rows) - raised.values(rows)).abs()
    # half precision of values of some units
    assert float(difference.max()) < 0.02
    assert raised.facts.mask_diameter == plain.facts.mask_diameter


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_dark_particles_are_found_and_it_is_said(sign: float, tmp_path: Path) -> None:
    particles = written(tmp_path, scale=sign)
    for contrast, is_inverted in (("auto", sign < 0), ("keep", False), ("invert", True)):
        told: list[Event] = []
        images = prepared(tmp_path / contrast, particles, contrast=contrast, told=told)
        assert images.facts.is_inverted == is_inverted
        words = [each.text for each in told if isinstance(each, Message)]
        if contrast == "auto":
            assert any("--contrast keep" in text for text in words) == (sign < 0)
        else:
            is_wrong = is_inverted != (sign < 0)
            assert any(f"--contrast {contrast} was asked for" in each for each in words) == is_wrong
        shown = sign * (-1.0 if is_inverted else 1.0)
        assert amplitude(images, density(), np.arange(COUNT)) == pytest.approx(shown, abs=0.06)


def test_mask_is_a_little_larger_than_the_particle(tmp_path: Path) -> None:
    group = OpticsGroup("wide", PIXEL, 40)
    images = prepared(tmp_path, written(tmp_path, group, snr=2.0))
    # balls up to 4.2 px from the centre, each some 3 px wide at a few per cent
    radius = 0.5 * images.facts.mask_diameter / PIXEL
    assert 6.0 < radius < 11.0


def test_reopened_and_repeated_caches_hold_the_same_values(tmp_path: Path) -> None:
    optics = (GROUP, OpticsGroup("wide", PIXEL, 28))
    particles = written(tmp_path, *optics, scale=-1.0)
    images = prepared(tmp_path, particles)
    rows = np.arange(COUNT)
    values, transfer = images.values(rows), images.transfer(rows)
    again = open_cache(tmp_path, particles)
    assert again is not None
    assert torch.equal(again.values(rows), values)
    assert torch.equal(again.transfer(rows), transfer)
    assert torch.equal(again.values([7]), values[7:8])
    (tmp_path / CACHE_NAME).unlink()
    assert open_cache(tmp_path, particles) is None
    anew = prepare_again(tmp_path, particles, device="cpu", on_event=lambda _: None)
    assert torch.equal(anew.values(rows), values)
    assert torch.equal(anew.transfer(rows), transfer)
    assert open_cache(tmp_path, particles) is not None


def test_images_follow_refined_poses_with_or_without_a_cache(tmp_path: Path) -> None:
    particles = written(tmp_path, OpticsGroup("even", PIXEL, 24), snr=50.0)
    moved = particles.with_poses(particles.rotation, particles.shift_yx + np.asarray([3.0, -5.0]))
    prepared(tmp_path / "one", particles, mask_diameter=1000.0)
    rows = np.arange(COUNT)
    expected = prepared(tmp_path / "two", moved, mask_diameter=1000.0)
    found = open_cache(tmp_path / "one", moved)
    assert found is not None
    ratio = expected.facts.noise_power[0][3] / found.facts.noise_power[0][3]
    low = found.samples.shell == 3
    difference = (found.values(rows) - expected.values(rows) * ratio**0.5)[:, low].abs()
    assert float(difference.max()) < 0.01 * float(found.values(rows)[:, low].abs().max())
    (tmp_path / "one" / CACHE_NAME).unlink()
    anew = prepare_again(tmp_path / "one", moved, device="cpu", on_event=lambda _: None)
    assert torch.equal(anew.values(rows), found.values(rows))


def test_caches_of_other_particles_are_refused(tmp_path: Path) -> None:
    particles = written(tmp_path)
    prepared(tmp_path, particles)
    others = (
        particles.take(np.arange(COUNT - 1)),
        particles.take(np.arange(COUNT)[::-1]),
        replace(particles, stacks=(tmp_path / "other.mrcs",)),
        replace(particles, optics=(replace(GROUP, pixel_size=5.0),)),
    )
    for other in others:
        assert open_cache(tmp_path, other) is None
        with pytest.raises(MetadataError, match="restore the particle file or train again"):
            prepare_again(tmp_path, other, device="cpu", on_event=lambda _: None)
    # a file that moved with its stacks, and has other poses, is the same
    elsewhere = replace(particles, stacks=(Path("elsewhere") / particles.stacks[0].name,))
    assert open_cache(tmp_path, elsewhere) is not None


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"version": 1}', '{"version": 2, "num_images": 3}', "\x00"]
)
def test_damaged_facts_are_named(text: str, tmp_path: Path) -> None:
    (tmp_path / FACTS_NAME).write_text(text)
    with pytest.raises(InputFileError, match=r"images\.cache\.json: .*train again"):
        read_facts(tmp_path)


def test_cut_off_caches_count_as_none(tmp_path: Path) -> None:
    particles = written(tmp_path, count=30)
    prepared(tmp_path, particles)
    with (tmp_path / CACHE_NAME).open("r+b") as file:
        file.truncate(1000)
    assert open_cache(tmp_path, particles) is None
    (tmp_path / CACHE_NAME).write_bytes(b"")
    assert open_cache(tmp_path, particles) is None


def overwrite(particles: Particles, image: int, value: float) -> None:
    with mrcfile.open(particles.stacks[0], "r+") as stack:
        stack.data[image] = value


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 7.0])
def test_images_that_hold_nothing_count_nothing(value: float, tmp_path: Path) -> None:
    particles = written(tmp_path)
    overwrite(particles, 5, value)
    told: list[Event] = []
    images = prepared(tmp_path, particles, told=told)
    assert images.facts.unusable == (5,)
    assert images.particles.weight[5] == 0.0
    assert (images.values([5]) == 0).all()
    assert torch.isfinite(torch.view_as_real(images.values(np.arange(COUNT)))).all()
    words = [each.text for each in told if isinstance(each, Message)]
    assert any("1 of 120 images hold nothing" in text for text in words)
    again = open_cache(tmp_path, particles)
    assert again is not None
    assert again.particles.weight[5] == 0.0


def test_images_beyond_half_precision_count_nothing(tmp_path: Path) -> None:
    particles = written(tmp_path)
    with mrcfile.open(particles.stacks[0], "r+") as stack:
        stack.data[9, 8, 8] = 1e9
    images = prepared(tmp_path, particles)
    assert torch.isfinite(torch.view_as_real(images.values(np.arange(COUNT)))).all()


def test_stacks_of_constants_are_refused(tmp_path: Path) -> None:
    particles = written(tmp_path, count=20)
    for image in range(20):
        overwrite(particles, image, 3.0)
    with pytest.raises(GeometryError, match="are they constant"):
        prepared(tmp_path, particles)
    assert not (tmp_path / CACHE_NAME).exists()


def test_big_endian_and_integer_stacks_are_read(tmp_path: Path) -> None:
    particles = written(tmp_path / "a", count=40, scale=100.0)
    expected = prepared(tmp_path / "a", particles).values(np.arange(40))
    with mrcfile.open(particles.stacks[0]) as stack:
        data = stack.data.copy()
    for name, values in (
        ("big", data.astype(">f4")),
        ("integer", np.round(data).astype(np.int16)),
        ("both", np.round(data).astype(">i2")),
    ):
        path = tmp_path / f"{name}.mrcs"
        _write_raw(path, values)
        found = prepared(tmp_path / name, replace(particles, stacks=(path,)))
        assert found.facts.fingerprint
        difference = (found.values(np.arange(40)) - expected).abs()
        # rounding to whole numbers is noise of 0.3, the images' is some hundred
        assert float(difference.mean()) < 0.02, name


def _write_raw(path: Path, values: np.ndarray) -> None:
    """An MRC file in the byte order of the values."""
    header = np.zeros(1024, np.uint8)
    order = ">" if values.dtype.byteorder == ">" else "<"
    count, side, _ = values.shape
    mode = 1 if values.dtype.kind == "i" else 2
    header[:40].view(f"{order}i4")[:] = (side, side, count, mode, 0, 0, 0, side, side, count)
    cell = header[40:52].view(f"{order}f4")
    cell[:] = (side * PIXEL, side * PIXEL, count * PIXEL)
    header[64:76].view(f"{order}i4")[:] = (1, 2, 3)
    header[208:212] = np.frombuffer(b"MAP ", np.uint8)
    header[212:214] = 17 if order == ">" else 68
    path.write_bytes(header.tobytes() + values.tobytes())


def test_states_of_the_tests_are_far_apart() -> None:
    # else what follows from them would prove nothing
    one, other = states()
    assert float((one - other).norm() / body().norm()) > 1.0
    assert float(ball(0, 0, 0).max()) == 1.0


@pytest.mark.parametrize(("box_size", "words"), [(21, "even"), (22, "16 to 20"), (14, "16 to 20")])
def test_impossible_grids_are_refused(box_size: int, words: str) -> None:
    with pytest.raises(MetadataError, match=words):
        choose_grid(random_particles(4), box_size, None)
    with pytest.raises(MetadataError, match="--max-resolution"):
        choose_grid(random_particles(4), None, 90.0)


def test_odd_boxes_lose_their_finest_sample() -> None:
    grid = choose_grid(random_particles(4, optics=(OpticsGroup("odd", PIXEL, 21),)), None, None)
    assert grid.box_size == 20
    assert grid.box_size * grid.pixel_size == pytest.approx(21 * PIXEL)


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["bright", "dark"])
@pytest.mark.parametrize("offset", [-300.0, 300.0])
def test_contrast_is_seen_whatever_offset_images_have(
    offset: float, sign: float, tmp_path: Path
) -> None:
    particles = written(tmp_path, snr=0.5, scale=sign, offset=offset)
    assert prepared(tmp_path, particles).facts.is_inverted == (sign < 0)


def test_one_image_far_stronger_than_the_others_counts_nothing(tmp_path: Path) -> None:
    particles = written(tmp_path)
    plain = prepared(tmp_path, particles).facts
    with mrcfile.open(tmp_path / "images_0.mrcs", "r+", permissive=True) as file:
        file.data[7] *= 1e3
    told: list[Event] = []
    facts = prepared(tmp_path, particles, told=told).facts
    assert facts.unusable == (7,)
    assert facts.mask_diameter == plain.mask_diameter
    assert facts.noise_power[0] == pytest.approx(plain.noise_power[0], rel=0.1)
    words = [event.text for event in told if isinstance(event, Message)]
    assert any("1 of 120 images hold nothing" in text and "row 7" in text for text in words)


def test_images_of_which_most_hold_nothing_are_refused(tmp_path: Path) -> None:
    particles = written(tmp_path)
    with mrcfile.open(tmp_path / "images_0.mrcs", "r+", permissive=True) as file:
        file.data[:70] = 0.0
    with pytest.raises(GeometryError, match=r"70 of 120 images .*extract them again"):
        prepared(tmp_path, particles)
    assert not (tmp_path / CACHE_NAME).exists()


def test_images_of_too_few_pixels_are_refused_by_what_they_are() -> None:
    small = random_particles(4, optics=(OpticsGroup("small", PIXEL, 10),))
    with pytest.raises(MetadataError, match=r"some\.star: images of 10 px, expected 16 or more"):
        choose_grid(small, None, None, path=Path("some.star"))
