"""Labels follow the picture; what is not varied is not touched; each image has its own chance."""

from dataclasses import fields, replace
from functools import cache

import pytest
import torch
from pose_world import blobs

from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.slices import project_volume
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.pose.augment import Augmentation, Varied, vary
from icelens.training.seed import generator_for

BOX = 48
NOTHING = Augmentation(
    quarter_turns=0.0, turns=0.0, turn_angle=30.0, shifts=0.0, shift_px=4.0, scale=0.0,
    scale_range=0.1, warp=0.0, blur=0.0, gaussian_noise=0.0, gaussian_sigma=0.5,
    uniform_noise=0.0, uniform_amplitude=2.0, erasing=0.0,
)  # fmt: skip
KINDS = (
    "quarter_turns", "turns", "shifts", "scale", "warp", "blur", "gaussian_noise",
    "uniform_noise", "erasing",
)  # fmt: skip
MOVES = ("quarter_turns", "turns", "shifts", "scale")
EVERYTHING = replace(NOTHING, **dict.fromkeys(KINDS, 1.0))


@cache
def volume() -> torch.Tensor:
    return blobs(BOX)


def pictures(rotation: torch.Tensor, shift_yx: torch.Tensor) -> torch.Tensor:
    """Projections whose particle is centred by `shift_yx` px, as two channels."""
    centred = image_rfft(project_volume(volume(), rotation))
    shown = image_from_rfft(shift_images(centred, -shift_yx), BOX)
    return torch.stack([shown, 2.0 * shown], dim=1)


def poses(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    rotation = random_rotations(count, generator)
    return rotation, 6.0 * (torch.rand(count, 2, generator=generator) - 0.5)


def varied(augmentation: Augmentation, count: int = 6, seed: int = 0) -> Varied:
    rotation, shift_yx = poses(count)
    images = pictures(rotation, shift_yx)
    generators = [generator_for(seed, item) for item in range(count)]
    return vary(images, rotation, shift_yx, augmentation, generators)


def correlation(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    axis = torch.arange(BOX) - BOX // 2
    disc = (axis[:, None] ** 2 + axis**2) < (0.42 * BOX) ** 2
    pairs = [each[:, 0][:, disc] for each in (first, second)]
    pairs = [each - each.mean(dim=1, keepdim=True) for each in pairs]
    return torch.nn.functional.cosine_similarity(*pairs)


@pytest.mark.parametrize("kinds", [("quarter_turns",), ("turns",), ("shifts",), MOVES[:3]])
def test_pictures_are_those_of_their_new_labels(kinds: tuple[str, ...]) -> None:
    found = varied(replace(NOTHING, **dict.fromkeys(kinds, 1.0)))
    expected = pictures(found.rotation, found.shift_yx)
    assert (correlation(found.images, expected) > 0.98).all()
    # and not those of the old ones
    assert float(correlation(found.images, pictures(*poses(6))).mean()) < 0.9


def test_shifts_grow_with_the_picture() -> None:
    rotation, shift_yx = poses(6)
    axis = (torch.arange(BOX) - BOX // 2).float()
    away = (axis[:, None] + shift_yx[:, 0, None, None]) ** 2 + (
        axis + shift_yx[:, 1, None, None]
    ) ** 2
    spot = torch.exp(-away / 8.0)[:, None]
    generators = [generator_for(0, item) for item in range(6)]
    grown = replace(NOTHING, scale=1.0, scale_range=0.2)
    found = vary(spot, rotation, shift_yx, grown, generators)
    scale = (found.shift_yx / shift_yx).mean(dim=1)
    assert torch.allclose(found.shift_yx, scale[:, None] * shift_yx, atol=1e-5)
    assert float((scale - 1.0).abs().min()) > 0.0
    assert float((scale - 1.0).abs().max()) <= 0.2
    image = found.images[:, 0] / found.images[:, 0].sum(dim=(1, 2), keepdim=True)
    centre_yx = torch.stack([image.sum(dim=2) @ axis, image.sum(dim=1) @ axis], dim=1)
    assert torch.allclose(centre_yx, -found.shift_yx, atol=0.02)
    # a spot twice as wide has four times the sum
    assert torch.allclose(found.images.sum(dim=(1, 2, 3)), 8 * torch.pi * scale**2, rtol=0.01)


def test_moves_together_are_labelled_as_one() -> None:
    found = varied(replace(NOTHING, **dict.fromkeys(MOVES, 1.0), scale_range=0.02))
    assert (correlation(found.images, pictures(found.rotation, found.shift_yx)) > 0.98).all()


def test_quarter_turns_move_pixels_and_change_none() -> None:
    image = torch.zeros(8, 1, 9, 9)
    image[:, 0, 4, 7] = 1.0
    generators = [generator_for(2, item) for item in range(8)]
    start = torch.eye(3).expand(8, 3, 3), torch.zeros(8, 2)
    found = vary(image, *start, replace(NOTHING, quarter_turns=1.0), generators)
    places = {tuple(each[0].argmax().item() // torch.tensor([9, 1]) % 9) for each in found.images}
    assert {(int(y), int(x)) for y, x in places} == {(7, 4), (4, 1), (1, 4)}
    assert torch.allclose(found.images.amax(dim=(1, 2, 3)), torch.ones(8), atol=1e-5)


def test_without_variation_nothing_changes_at_all() -> None:
    rotation, shift_yx = poses(6)
    found = varied(NOTHING)
    assert torch.equal(found.images, pictures(rotation, shift_yx))
    assert torch.equal(found.rotation, rotation)
    assert torch.equal(found.shift_yx, shift_yx)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_pictures_and_only_moves_change_labels(kind: str) -> None:
    rotation, shift_yx = poses(6)
    before = pictures(rotation, shift_yx)
    found = varied(replace(NOTHING, **{kind: 1.0}))
    assert (found.images != before).flatten(1).any(dim=1).all()
    assert torch.isfinite(found.images).all()
    is_turned = kind in ("quarter_turns", "turns")
    assert torch.equal(found.rotation, rotation) == (not is_turned)
    assert torch.equal(found.shift_yx, shift_yx) == (kind not in MOVES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_of_images_is_varied_and_the_others_are_not(kind: str) -> None:
    count = 400
    images = torch.randn(count, 1, 16, 16, generator=torch.Generator().manual_seed(3))
    start = torch.eye(3).expand(count, 3, 3), torch.zeros(count, 2)
    generators = [generator_for(4, item) for item in range(count)]
    found = vary(images, *start, replace(NOTHING, **{kind: 0.3}), generators)
    share = (found.images != images).flatten(1).any(dim=1).float().mean()
    assert float(share) == pytest.approx(0.3, abs=0.09)  # four standard deviations


def test_limits_are_kept_and_both_sides_are_used() -> None:
    found = varied(replace(NOTHING, turns=1.0, shifts=1.0), count=40)
    rotation, _ = poses(40)
    turn = found.rotation @ rotation.mT
    angle = torch.rad2deg(torch.atan2(turn[:, 0, 1], turn[:, 0, 0]))
    assert float(angle.abs().max()) <= 30.01
    assert float(angle.min()) < -5.0 < 5.0 < float(angle.max())


def test_the_same_generators_give_the_same_in_any_batch() -> None:
    rotation, shift_yx = poses(6)
    images = pictures(rotation, shift_yx)
    whole = varied(EVERYTHING)
    for item in range(6):
        alone = slice(item, item + 1)
        part = vary(
            images[alone], rotation[alone], shift_yx[alone], EVERYTHING, [generator_for(0, item)]
        )
        for each in fields(Varied):
            found, expected = getattr(part, each.name), getattr(whole, each.name)[alone]
            assert torch.allclose(found, expected, atol=1e-5), each.name
    other = varied(EVERYTHING, seed=1)
    assert not torch.allclose(other.images, whole.images)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_sees_the_same_variations() -> None:
    rotation, shift_yx = poses(6)
    images = pictures(rotation, shift_yx)
    generators = [generator_for(0, item) for item in range(6)]
    there = vary(images.cuda(), rotation.cuda(), shift_yx.cuda(), EVERYTHING, generators)
    here = varied(EVERYTHING)
    for each in fields(Varied):
        found, expected = getattr(there, each.name).cpu(), getattr(here, each.name)
        assert torch.allclose(found, expected, atol=1e-3), each.name


def test_noise_is_as_strong_as_asked_and_differs_between_channels() -> None:
    images = torch.zeros(200, 2, 16, 16)
    start = torch.eye(3).expand(200, 3, 3), torch.zeros(200, 2)
    generators = [generator_for(5, item) for item in range(200)]
    gaussian = vary(images, *start, replace(NOTHING, gaussian_noise=1.0), generators).images
    spread = gaussian.flatten(1).std(dim=1)
    assert 0.4 < float(spread.max()) < 0.6
    assert float(spread.mean()) == pytest.approx(0.25, abs=0.04)
    generators = [generator_for(5, item) for item in range(200)]
    uniform = vary(images, *start, replace(NOTHING, uniform_noise=1.0), generators).images
    assert 0.9 < float(uniform.abs().max()) <= 1.0
    assert not torch.equal(gaussian[:, 0], gaussian[:, 1])


def test_an_erased_patch_is_one_to_two_percent() -> None:
    images = torch.ones(100, 2, 64, 64)
    start = torch.eye(3).expand(100, 3, 3), torch.zeros(100, 2)
    generators = [generator_for(6, item) for item in range(100)]
    erased = vary(images, *start, replace(NOTHING, erasing=1.0), generators).images
    share = 1.0 - erased.mean(dim=(1, 2, 3))
    # sides are whole numbers of pixels
    assert float(share.min()) > 0.006
    assert float(share.max()) < 0.026
    assert torch.equal(erased[:, 0], erased[:, 1])


def test_blur_keeps_the_mean_and_lowers_the_contrast() -> None:
    before = pictures(*poses(6))
    found = varied(replace(NOTHING, blur=1.0)).images
    assert torch.allclose(found.mean(dim=(2, 3)), before.mean(dim=(2, 3)), atol=1e-3)
    assert (found.std(dim=(2, 3)) < before.std(dim=(2, 3))).all()
