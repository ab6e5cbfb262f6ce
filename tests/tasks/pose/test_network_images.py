"""What a network sees has its own sampling in Å, noise of 0 and 1, and the centre where it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pose_models import BOX, GROUP, PIXEL, simulated

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.events import Event, Message, Progress
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import write_volume
from icelens.core.optics.particle_ctf import particle_ctf
from icelens.tasks.pose.network_images import (
    ImageShape,
    network_images,
    read_network_images,
    same_optics,
)


def some(group: OpticsGroup = GROUP, count: int = 4, **changes: object) -> Particles:
    particles = Particles(
        (Path("none.mrcs"),), np.zeros(count, np.int64), np.arange(count), (group,),
        defocus_u=np.full(count, 12000.0),
    )  # fmt: skip
    return replace(particles, **changes)


def noise(count: int, side: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, side, side, generator=torch.Generator().manual_seed(seed))


def rows(particles: Particles) -> np.ndarray:
    return np.arange(len(particles))


def spot(
    side: int, pixel_size: float, width: float, centre_yx: tuple[float, float]
) -> torch.Tensor:
    axis = (torch.arange(side) - side // 2) * pixel_size
    away = (axis[:, None] - centre_yx[0]) ** 2 + (axis - centre_yx[1]) ** 2
    return torch.exp(-0.5 * away / width**2)


@pytest.mark.parametrize("pixel_size", [1.0, 1.7, 3.0])
@pytest.mark.parametrize("radius", [20.0, 35.0])
def test_the_mask_has_its_radius_in_angstrom(pixel_size: float, radius: float) -> None:
    mask = ImageShape(96, pixel_size, radius).mask()
    at = ImageShape(96, pixel_size, radius).distance_px() * pixel_size
    assert (mask[at <= radius] == 1.0).all()
    assert (mask[at >= radius + 3.0 * pixel_size] == 0.0).all()
    between = (at > radius) & (at < radius + 3.0 * pixel_size)
    assert ((mask > 0) & (mask < 1))[between].all()
    # its area is that of a disc one and a half pixels wider
    expected = np.pi * (radius + 1.5 * pixel_size) ** 2
    assert float(mask.sum()) * pixel_size**2 == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(
    ("side", "size", "new_side", "new_size"),
    [(120, 1.7, 64, 3.0), (63, 1.7, 32, 3.0), (64, 3.0, 64, 1.7), (48, 2.0, 48, 2.0)],
)
def test_things_lie_where_they_were_in_angstrom(
    side: int, size: float, new_side: int, new_size: float
) -> None:
    particles = some(OpticsGroup("g", size, side), 1)
    shape = ImageShape(new_side, new_size, 20.0, is_ctf_corrected=False)
    image = spot(side, size, 8.0, (6.0, -11.0))[None]
    seen = network_images(image, particles, rows(particles), shape)[0, 0]
    expected = spot(new_side, new_size, 8.0, (6.0, -11.0))
    near = shape.distance_px() * new_size < 40.0
    pair = torch.stack([seen[near], expected[near]])
    assert float(torch.corrcoef(pair)[0, 1]) > 0.999


def test_the_centre_pixel_stays_the_centre_pixel() -> None:
    for side, new in ((40, 32), (41, 32), (30, 48)):
        particles = some(OpticsGroup("g", 2.0, side), 1)
        shape = ImageShape(new, 2.0, 16.0, is_ctf_corrected=False)
        image = spot(side, 2.0, 4.0, (0.0, 0.0))[None]
        seen = network_images(image, particles, rows(particles), shape)[0, 0]
        assert divmod(int(seen.argmax()), new) == (new // 2, new // 2)


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (40.0, 3000.0), (1e-6, 1e-5)])
def test_noise_outside_the_mask_has_mean_zero_and_deviation_one(gain: float, offset: float) -> None:
    particles = some(OpticsGroup("g", 1.7, 100))
    shape = ImageShape(48, 3.0, 45.0)
    seen = network_images(gain * noise(4, 100) + offset, particles, rows(particles), shape)
    outside = seen[..., shape.distance_px() * 3.0 > 45.0].flatten(1)
    assert torch.allclose(outside.mean(dim=1), torch.zeros(4), atol=1e-3)
    assert torch.allclose(outside.std(dim=1), torch.ones(4), atol=1e-3)


def test_grey_scale_and_offset_do_not_matter() -> None:
    particles, shape = some(), ImageShape(32, PIXEL, 70.0)
    images = noise(4, BOX)
    first = network_images(images, particles, rows(particles), shape)
    second = network_images(7.0 * images + 55.0, particles, rows(particles), shape)
    assert torch.allclose(first, second, atol=1e-3)


def test_the_second_channel_has_right_phases() -> None:
    particles = some(count=6)
    shape = ImageShape(BOX, PIXEL, 60.0)
    true = image_rfft(noise(6, BOX))
    transfer = particle_ctf(particles, rows(particles), box_size=BOX, pixel_size=PIXEL)
    seen = network_images(image_from_rfft(true * transfer, BOX), particles, rows(particles), shape)
    product = (image_rfft(seen[:, 1]) * true.conj()).real
    inner = product[:, 1:10, 1:10]
    assert (inner >= -1e-2 * inner.amax()).all()
    raw = (image_rfft(seen[:, 0]) * true.conj()).real[:, 1:10, 1:10]
    assert (raw < -1e-2 * raw.amax()).any()
    blind = replace(shape, is_ctf_corrected=False)
    plain = network_images(noise(6, BOX), particles, rows(particles), blind)
    assert torch.equal(plain[:, 0], plain[:, 1])


def test_images_that_were_multiplied_by_their_ctf_are_not_flipped_again() -> None:
    shape = ImageShape(BOX, PIXEL, 60.0)
    multiplied = some(replace(GROUP, is_premultiplied=True), 6)
    true = image_rfft(noise(6, BOX))
    transfer = particle_ctf(multiplied, rows(multiplied), box_size=BOX, pixel_size=PIXEL)
    images = image_from_rfft(true * transfer**2, BOX)
    seen = network_images(images, multiplied, rows(multiplied), shape)
    inner = (image_rfft(seen[:, 1]) * true.conj()).real[:, 1:10, 1:10]
    assert (inner >= -1e-2 * inner.amax()).all()
    # and the first channel carries the signs that those of other images carry
    raw = (image_rfft(seen[:, 0]) * true.conj() * transfer).real[:, 1:10, 1:10]
    assert (raw >= -1e-2 * raw.amax()).all()


def test_beam_tilt_is_taken_out() -> None:
    tilted = some(replace(GROUP, beam_tilt_xy=(2.0, -1.0), pixel_size=2.0))
    straight = some(replace(GROUP, pixel_size=2.0))
    shape = ImageShape(BOX, 2.0, 25.0)
    images = noise(4, BOX)
    first = network_images(images, tilted, rows(tilted), shape)
    second = network_images(images, straight, rows(straight), shape)
    assert not torch.allclose(first, second, atol=0.1)


@pytest.mark.parametrize("value", [0.0, 1.0, -5e4])
def test_an_image_of_one_value_is_seen_as_nothing(value: float) -> None:
    particles = some(OpticsGroup("g", 1.7, 60))
    for shape in (ImageShape(32, 3.0, 30.0), ImageShape(32, 3.0, 30.0, is_ctf_corrected=False)):
        seen = network_images(torch.full((4, 60, 60), value), particles, rows(particles), shape)
        assert float(seen.abs().max()) < 1e-6


@pytest.mark.parametrize("is_ctf_corrected", [False, True])
def test_images_masked_before_keep_a_sane_scale(*, is_ctf_corrected: bool) -> None:
    particles = some(OpticsGroup("g", 2.0, 64))
    shape = ImageShape(48, 3.0, 50.0, is_ctf_corrected)
    disc = ImageShape(64, 2.0, 40.0).distance_px() * 2.0 < 40.0
    seen = network_images(noise(4, 64) * disc, particles, rows(particles), shape)
    assert 1.0 < float(seen.abs().max()) < 60.0


def test_where_the_images_do_not_reach_there_is_nothing() -> None:
    particles = some(OpticsGroup("g", 2.0, 32))
    shape = ImageShape(64, 2.0, 62.0, is_ctf_corrected=False)
    seen = network_images(noise(4, 32) + 100.0, particles, rows(particles), shape)
    assert not seen[..., :16].any()
    assert not seen[..., 48:, :].any()
    # nothing is left outside the mask, so all of the image is measured
    assert float(seen[..., 16:48, 16:48].std()) == pytest.approx(1.0, abs=0.05)


def test_optics_groups_with_other_boxes_are_read_together(tmp_path: Path) -> None:
    optics = (OpticsGroup("a", 6.0, 32), OpticsGroup("b", 4.0, 48), OpticsGroup("c", 3.0, 63))
    particles = read_particles(simulated(tmp_path, 12, optics=optics, snr=None)).particles
    shape = ImageShape(32, 6.0, 80.0)
    told: list[Event] = []
    seen = read_network_images(
        particles, rows(particles), shape, reader=ImageReader(particles), on_event=told.append
    )
    assert seen.shape == (12, 2, 32, 32)
    assert seen.dtype == torch.half
    assert [e.done for e in told if isinstance(e, Progress)] == [4, 8, 12]
    # row by row is the same as all together, in any order
    for row in (5, 0, 11):
        alone = read_network_images(
            particles, np.array([row]), shape, reader=ImageReader(particles)
        )
        assert torch.allclose(alone[0].float(), seen[row].float(), atol=1e-2)
    shuffled = np.array([7, 2, 9, 4])
    again = read_network_images(particles, shuffled, shape, reader=ImageReader(particles))
    assert torch.allclose(again.float(), seen[shuffled].float(), atol=1e-2)


def test_places_are_given_once_and_share_their_optics() -> None:
    optics = (GROUP, replace(GROUP, name="two", box_size=40))
    group = np.array([0, 1, 1, 0, 1, 1, 0])
    particles = some(count=7, optics=optics, optics_index=group)
    chosen = np.array([6, 5, 4, 2, 0])
    found = list(same_optics(particles, chosen, 2))
    assert sorted(np.concatenate(found)) == [0, 1, 2, 3, 4]
    assert all(len(places) <= 2 for places in found)
    assert all(len(set(group[chosen[places]])) == 1 for places in found)


def test_images_that_are_not_finite_are_empty_and_said(tmp_path: Path) -> None:
    path = simulated(tmp_path, 120)
    particles = read_particles(path).particles
    images = ImageReader(particles).read(rows(particles))
    images[17] = np.nan
    write_volume(particles.stacks[0], Volume(images, PIXEL))
    told: list[Event] = []
    reader = ImageReader(particles, on_event=told.append)
    seen = read_network_images(
        particles, rows(particles), ImageShape(32, PIXEL, 80.0), reader=reader
    )
    assert torch.isfinite(seen).all()
    assert not seen[17].any()
    assert reader.bad_rows == {17}
    assert "1 of 120 images" in next(e.text for e in told if isinstance(e, Message))
