from dataclasses import replace

import numpy as np
import pytest
import torch
from pose_world import BOX, PIXEL, World, make_world

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.geometry.rotations import rotation_distance
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.refinement.refined import Refined
from icelens.core.refinement.refiner import Refiner
from icelens.core.refinement.refiner_settings import RefinerSettings

SETTINGS = RefinerSettings(angular_range=8.0, angular_step=3.0, max_shift=12.0)


def _refiner(world: World, settings: RefinerSettings = SETTINGS) -> Refiner:
    return Refiner(world.volume, pixel_size=PIXEL, noise_power=world.noise_power, settings=settings)


def _refined(
    world: World,
    rotation: torch.Tensor,
    settings: RefinerSettings = SETTINGS,
    top_k: int = 1,
) -> Refined:
    shift = torch.zeros(len(rotation), rotation.shape[1], 2)
    return _refiner(world, settings).refine(world.spectrum, world.ctf, rotation, shift, top_k)


def test_poses_are_found_from_far_off(clean_world: World) -> None:
    found = _refined(clean_world, clean_world.start(7.0)[:, None])
    assert float(rotation_distance(found.rotation[:, 0], clean_world.rotation).max()) < 0.1
    assert float((found.shift_yx_px[:, 0] - clean_world.shift_yx_px).abs().max()) < 0.02


def test_errors_in_noise_are_as_large_as_the_posterior_says(noisy_world: World) -> None:
    found = _refined(noisy_world, noisy_world.start(5.0)[:, None])
    error = rotation_distance(found.rotation[:, 0], noisy_world.rotation)
    assert float(error.median()) < 2.0
    pull = float((error / found.width_degrees[:, 0]).square().mean().sqrt())
    assert 0.6 < pull < 1.6


def test_result_is_never_less_likely_than_the_start(noisy_world: World) -> None:
    still = replace(SETTINGS, angular_range=0.0, max_shift=0.0)
    start = noisy_world.rotation[:, None]
    shift = noisy_world.shift_yx_px[:, None]
    refiner = _refiner(noisy_world)
    found = refiner.refine(noisy_world.spectrum, noisy_world.ctf, start, shift, 1)
    # with nothing to search the climb begins at the start itself
    least = _refiner(noisy_world, still).refine(
        noisy_world.spectrum, noisy_world.ctf, start, shift, 1
    )
    assert bool((found.score >= least.score - 1e-2).all())
    start_error = rotation_distance(noisy_world.start(5.0), noisy_world.rotation)
    far = _refined(noisy_world, noisy_world.start(5.0)[:, None])
    error = rotation_distance(far.rotation[:, 0], noisy_world.rotation)
    assert float((error < start_error).float().mean()) > 0.95


@pytest.mark.parametrize("num_starts", [1, 3])
@pytest.mark.parametrize("top_k", [1, 2, 7])
def test_any_number_of_poses_goes_in_and_out(
    clean_world: World, num_starts: int, top_k: int
) -> None:
    starts = torch.stack(
        [clean_world.start(2.0), clean_world.start(60.0, 8), clean_world.start(120.0, 9)], dim=1
    )[:, :num_starts].flip(1)
    found = _refined(clean_world, starts, top_k=top_k)
    assert found.rotation.shape == (12, top_k, 3, 3)
    assert found.shift_yx_px.shape == (12, top_k, 2)
    for values in (found.score, found.probability, found.width_degrees, found.start):
        assert values.shape == (12, top_k)
    assert bool((found.probability.sum(dim=1) <= 1.0 + 1e-5).all())
    assert bool((found.probability[:, :1] >= found.probability).all())
    # the pose is found from whichever of the starts is near
    assert bool((found.start[:, 0] == num_starts - 1).all())
    assert float(rotation_distance(found.rotation[:, 0], clean_world.rotation).max()) < 0.1


def test_modes_are_separate_or_have_no_share(clean_world: World) -> None:
    found = _refined(clean_world, clean_world.start(2.0)[:, None], top_k=4)
    for first in range(4):
        for second in range(first + 1, 4):
            apart = rotation_distance(found.rotation[:, first], found.rotation[:, second])
            assert bool(((apart > 0.7) | (found.probability[:, second] == 0)).all())


def test_one_pose_without_a_search_is_repeated(clean_world: World) -> None:
    still = replace(SETTINGS, angular_range=0.0)
    found = _refined(clean_world, clean_world.rotation[:, None], still, top_k=5)
    assert found.rotation.shape == (12, 5, 3, 3)
    assert torch.allclose(found.probability[:, 0], torch.tensor(1.0))
    assert float(found.probability[:, 1:].max()) == 0.0


@pytest.mark.parametrize("tilt", [0.0, 180.0])
def test_poles_of_euler_angles_are_as_good_as_any_place(clean_world: World, tilt: float) -> None:
    from icelens.core.fourier.slices import project_volume
    from icelens.core.fourier.transforms import image_rfft
    from icelens.core.geometry.rotations import relion_angles_to_matrix

    angles = torch.tensor([[10.0, tilt, 35.0], [0.0, tilt, -120.0]])
    rotation = relion_angles_to_matrix(angles)
    spectrum = image_rfft(project_volume(clean_world.volume, rotation))
    off = rotation_from_vector(torch.deg2rad(torch.tensor([4.0, -3.0, 3.0])))
    found = _refiner(clean_world).refine(
        spectrum, torch.ones(spectrum.shape), (off @ rotation)[:, None], torch.zeros(2, 1, 2)
    )
    assert float(rotation_distance(found.rotation[:, 0], rotation).max()) < 0.1


def test_resolution_limit_is_heeded(clean_world: World) -> None:
    coarse = _refiner(clean_world, replace(SETTINGS, max_resolution=24.0))
    assert coarse.samples.radius == BOX * PIXEL / 24.0


def test_mask_diameter_is_in_angstrom(clean_world: World) -> None:
    """What lies beyond the sphere may be anything."""
    axis = (torch.arange(BOX) - BOX // 2) * PIXEL
    distance = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    junk = torch.where(distance > 80.0, 5.0, 0.0)
    settings = replace(SETTINGS, mask_diameter=160.0)
    spoilt = replace(clean_world, volume=clean_world.volume + junk)
    found = _refined(spoilt, clean_world.start(3.0)[:, None], settings)
    plain = _refined(clean_world, clean_world.start(3.0)[:, None], settings)
    assert torch.allclose(found.score, plain.score, rtol=1e-3)


def test_equivalent_poses_are_one_mode() -> None:
    world = make_world(6, None)
    operators = symmetry_operators("C2")
    flipped = world.volume.flip(1, 2).roll((1, 1), (1, 2))  # a turn by 180 degrees about z
    world = replace(world, volume=world.volume + flipped)
    from icelens.core.fourier.slices import project_volume

    images = project_volume(world.volume, world.rotation)
    # what interpolation does differently to either of them is not worth telling
    world = replace(world, images=images, noise_power=1e7 * world.noise_power)
    starts = torch.stack([world.start(2.0), world.start(2.0) @ operators[1]], dim=1)
    shift = torch.zeros(6, 2, 2)
    ones = torch.ones(world.spectrum.shape)
    for symmetry, shares in (("C2", 1), ("C1", 2)):
        refiner = _refiner(world, replace(SETTINGS, symmetry=symmetry))
        found = refiner.refine(world.spectrum, ones, starts, shift, 2)
        assert bool(((found.probability > 0.01).sum(dim=1) == shares).all())


def test_anisotropic_magnification_is_followed() -> None:
    stretched = OpticsGroup("one", PIXEL, BOX, magnification=(1.05, 0.01, 0.01, 0.96))
    world = make_world(8, None, optics=stretched)
    shift = torch.zeros(8, 1, 2)
    refiner = Refiner(
        world.volume,
        pixel_size=PIXEL,
        noise_power=world.noise_power,
        settings=SETTINGS,
        magnification=stretched.magnification,
    )
    found = refiner.refine(world.spectrum, world.ctf, world.start(4.0)[:, None], shift)
    assert float(rotation_distance(found.rotation[:, 0], world.rotation).max()) < 0.2


def test_tilt_series_share_one_pose(noisy_world: World) -> None:
    """Images of one particle from several sides; the pose is that of the particle."""
    from icelens.core.simulate.particles import simulate_images

    num, tilts = 6, 7
    stage = torch.stack(
        [
            rotation_from_vector(torch.tensor([0.0, a, 0.0]))
            for a in torch.linspace(-0.9, 0.9, tilts)
        ]
    )
    own = noisy_world.rotation[:num]
    shift_xyz = (torch.rand(num, 3, generator=torch.Generator().manual_seed(1)) - 0.5) * 2.0
    moved = (stage @ shift_xyz[:, None, :, None]).squeeze(-1)[..., :2].flip(-1)
    particles = noisy_world.particles.take(np.repeat(np.arange(num), tilts)).with_poses(
        (stage @ own[:, None]).flatten(0, 1).double().numpy(),
        (moved * PIXEL).flatten(0, 1).double().numpy(),
    )
    generator = torch.Generator().manual_seed(3)
    images = simulate_images(noisy_world.volume, particles, snr=0.1, generator=generator)
    world = replace(noisy_world, particles=particles, images=images)
    shape = (num, tilts, BOX, BOX // 2 + 1)
    start = rotation_from_vector(torch.tensor([0.05, -0.06, 0.04])) @ own
    # the last particle has fewer images
    transfer = world.ctf.view(shape).clone()
    transfer[-1, 5:] = 0.0
    refiner = _refiner(noisy_world)
    found = refiner.refine_series(
        world.spectrum.view(shape),
        transfer,
        stage.expand(num, tilts, 3, 3),
        torch.zeros(num, tilts, 2),
        start[:, None],
        2,
    )
    assert float(rotation_distance(found.rotation[:, 0], own).max()) < 3.0
    assert found.shift_yx_px.shape == (num, 2, tilts, 2)
    assert float((found.shift_xyz_px[:, 0] - shift_xyz).abs().median()) < 0.15
    assert float((found.shift_yx_px[:, 0] - moved).abs().median()) < 0.15


def test_image_of_nothing_keeps_its_pose(clean_world: World) -> None:
    nothing = torch.zeros_like(clean_world.spectrum)
    start = clean_world.start(3.0)[:, None]
    found = _refiner(clean_world).refine(nothing, clean_world.ctf, start, torch.ones(12, 1, 2), 2)
    assert torch.equal(found.rotation[:, 0], start[:, 0])
    assert torch.equal(found.shift_yx_px[:, 0], torch.ones(12, 2))
    assert float(found.score.max()) == 0.0
    assert torch.isfinite(found.probability).all()


def test_batches_do_not_matter(noisy_world: World) -> None:
    refiner = _refiner(noisy_world)
    start, shift = noisy_world.start(4.0)[:, None], torch.zeros(48, 1, 2)
    spectrum, ctf = noisy_world.spectrum, noisy_world.ctf
    whole = refiner.refine(spectrum, ctf, start, shift)
    part = refiner.refine(spectrum[5:12], ctf[5:12], start[5:12], shift[5:12])
    assert torch.allclose(whole.rotation[5:12], part.rotation, atol=2e-3)


def test_impossible_requests_are_refused(clean_world: World) -> None:
    refiner = _refiner(clean_world)
    start, shift = clean_world.rotation[:, None], torch.zeros(12, 1, 2)
    with pytest.raises(GeometryError, match="expected 1 or more"):
        refiner.refine(clean_world.spectrum, clean_world.ctf, start, shift, 0)
    with pytest.raises(GeometryError, match="resample the map"):
        refiner.refine(clean_world.spectrum[:, :20], clean_world.ctf[:, :20], start, shift)
    with pytest.raises(GeometryError, match="the noise is known for 3 shells"):
        refiner.with_noise(torch.ones(3))
    with pytest.raises(GeometryError, match="not positive"):
        refiner.with_noise(torch.zeros(17))
    with pytest.raises(MetadataError, match="unknown symmetry"):
        _refiner(clean_world, replace(SETTINGS, symmetry="Q4"))
