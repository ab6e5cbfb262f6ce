import math

import torch
from pose_world import World

from icelens.core.geometry.rotations import rotation_distance
from icelens.core.refinement.climb import Candidates, climb, curvature, scores
from icelens.core.refinement.matched import Images
from icelens.core.refinement.reference import slice_table
from icelens.core.refinement.samples import disc_samples


def _problem(world: World) -> Images:
    samples = disc_samples(32, 15)
    weight = (2.0 / world.noise_power[samples.shell]).sqrt()
    ctf = (samples.of(world.ctf) * weight)[:, None]
    return Images(
        (samples.of(world.spectrum) * weight)[:, None],
        torch.complex(ctf, ctf),
        samples.frequency_xy,
        samples.frequency_xy,
        32,
        torch.zeros(len(world.images), 1, 2),
    )


def _starts(rotation: torch.Tensor) -> Candidates:
    num = len(rotation)
    return Candidates(
        torch.arange(num),
        torch.zeros(num, dtype=torch.long),
        rotation,
        torch.zeros(num, 3),
        torch.zeros(num, 3),
        torch.zeros(num),
        torch.zeros(num, 7, 7),
    )


def _table(world: World):
    return slice_table(world.volume, radius=15, padding=2, is_linear=True)


def test_climbing_finds_angles_and_shifts_between_pixels(clean_world: World) -> None:
    found = climb(
        _table(clean_world),
        _problem(clean_world),
        _starts(clean_world.start(2.0)),
        iterations=20,
        max_shift_px=3.0,
    )
    assert float(rotation_distance(found.rotation, clean_world.rotation).max()) < 0.1
    shift = found.shift_xyz[:, :2].flip(-1)
    assert float((shift - clean_world.shift_yx_px).abs().max()) < 0.02


def test_likelihood_never_falls(noisy_world: World) -> None:
    images, table = _problem(noisy_world), _table(noisy_world)
    starts = _starts(noisy_world.start(20.0))
    last = climb(table, images, starts, iterations=0, max_shift_px=1.0).score
    for iterations in (1, 2, 4, 8):
        score = climb(table, images, starts, iterations=iterations, max_shift_px=1.0).score
        assert bool((score >= last - 1e-3).all())
        last = score


def test_shifts_stay_within_their_range(noisy_world: World) -> None:
    images, table = _problem(noisy_world), _table(noisy_world)
    starts = _starts(noisy_world.rotation)
    near = climb(table, images, starts, iterations=10, max_shift_px=0.3)
    assert float(near.shift_xyz.norm(dim=1).max()) <= 0.3001
    still = climb(table, images, starts, iterations=10, max_shift_px=0.0)
    assert float(still.shift_xyz.abs().max()) == 0.0


def test_scale_of_the_image_does_not_matter() -> None:
    gram = torch.randn(4, 7, 20, generator=torch.Generator().manual_seed(0))
    gram = gram @ gram.transpose(1, 2)
    brighter = gram.clone()
    brighter[:, :6] *= 3.0
    brighter[:, :, :6] *= 3.0
    assert torch.allclose(scores(gram), scores(brighter), rtol=1e-4)


def test_no_particle_scores_zero() -> None:
    gram = torch.zeros(1, 7, 7)
    gram[0, 5, 5] = 2.0
    gram[0, 5, 6] = gram[0, 6, 5] = -1.0
    assert float(scores(gram)) == 0.0
    hessian, gradient = curvature(gram)
    assert torch.isfinite(hessian).all()
    assert torch.isfinite(gradient).all()


def test_poses_stay_within_reach_of_their_given_rotation(noisy_world: World) -> None:
    images, table = _problem(noisy_world), _table(noisy_world)
    given = noisy_world.start(20.0)
    near = climb(
        table,
        images,
        _starts(given),
        iterations=10,
        max_shift_px=3.0,
        given=given[:, None],
        max_turn_rad=math.radians(3.0),
    )
    turned = rotation_distance(near.rotation, given)
    assert float(turned.max()) <= 3.01
    free = climb(table, images, _starts(given), iterations=10, max_shift_px=3.0)
    assert float(rotation_distance(free.rotation, given).max()) > 3.01
