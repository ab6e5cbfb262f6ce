import pytest
import torch
from pose_world import World

from icelens.core.geometry.so3_ball import rotation_from_vector, so3_ball
from icelens.core.refinement.matched import Images
from icelens.core.refinement.reference import slice_table
from icelens.core.refinement.samples import disc_samples
from icelens.core.refinement.search import search, shift_grid


@pytest.mark.parametrize("num_axes", [2, 3])
def test_shifts_fill_their_disc_zero_first(num_axes: int) -> None:
    grid = shift_grid(4.0, 6.0, num_axes=num_axes)
    length = grid.norm(dim=1)
    assert float(length[0]) == 0.0
    assert float(length.max()) == pytest.approx(4.0, abs=1e-5)
    assert bool((grid[:, 2] == 0).all()) == (num_axes == 2)


def test_no_shift_is_one_shift() -> None:
    assert torch.equal(shift_grid(0.0, 6.0, num_axes=2), torch.zeros(1, 3))


def test_search_finds_the_candidate_next_to_the_truth(clean_world: World) -> None:
    samples = disc_samples(32, 9)
    ball = so3_ball(9.0, 3.0)
    # the truth is a point of the ball
    right = 20
    rotation = rotation_from_vector(ball[right]).T @ clean_world.rotation
    ctf = samples.of(clean_world.ctf)[:, None]
    images = Images(
        samples.of(clean_world.spectrum)[:, None],
        torch.complex(ctf, ctf),
        samples.frequency_xy,
        samples.frequency_xy,
        32,
        torch.zeros(12, 1, 2),
    )
    table = slice_table(clean_world.volume, radius=9, padding=4, is_linear=False)
    shifts = shift_grid(2.0, 32 / 9, num_axes=2)
    start = torch.nn.functional.pad(clean_world.shift_yx_px.flip(-1), (0, 1))
    score, place = search(
        table, images, rotation[:, None], start[:, None], ball=ball, shifts=shifts
    )
    assert score.shape == (12, 1, len(ball))
    assert int((score[:, 0].argmax(dim=1) == right).sum()) >= 11
    assert bool((place[:, 0, right] == 0).all())
