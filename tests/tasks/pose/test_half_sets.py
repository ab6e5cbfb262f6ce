"""Half sets and held-out particles share nothing, whatever files they come from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from particle_stars import GROUP, write_star

from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Event, Message, ignore
from icelens.core.io.particle_files import read_particles
from icelens.tasks.pose.half_sets import half_sets, hold_out


def joined(folder: Path, *counts: int) -> Particles:
    """Several STAR files read as one."""
    paths = []
    for number, count in enumerate(counts):
        (folder / str(number)).mkdir()
        paths.append(write_star(folder / str(number) / "particles.star", (count,)))
    return read_particles(paths).particles


def series(num_particles: int, num_images: int) -> Particles:
    """Several images of each particle, those of one scattered over the rows."""
    count = num_particles * num_images
    stack, particle = np.zeros(count, np.int64), np.arange(count) % num_particles
    return Particles((Path("a.mrcs"),), stack, np.arange(count), (GROUP,), particle=particle)


def silent(event: Event) -> None:
    raise AssertionError(event)


def parted(particles: Particles, **changes: float) -> tuple[np.ndarray, np.ndarray]:
    usual = {"share": 0.2, "most": 10_000, "seed": 1}
    return hold_out(particles, np.arange(len(particles)), **(usual | changes))


@pytest.mark.parametrize("counts", [(10, 10, 10), (17, 4, 9), (1, 1, 1)])
def test_learning_and_validation_are_disjoint_with_several_files(
    tmp_path: Path, counts: tuple[int, ...]
) -> None:
    particles = joined(tmp_path, *counts)
    learnt, held_out = parted(particles)
    assert not set(learnt) & set(held_out)
    assert sorted([*learnt, *held_out]) == list(range(sum(counts)))
    # by image, too: the same picture is on one side only
    places = np.stack([particles.stack, particles.slice_index], axis=1)
    images = [set(map(tuple, places[part])) for part in (learnt, held_out)]
    assert not images[0] & images[1]


@pytest.mark.parametrize("counts", [(12, 12), (20, 5)])
def test_half_sets_of_several_files_are_disjoint_and_alike_in_number(
    tmp_path: Path, counts: tuple[int, ...]
) -> None:
    particles = joined(tmp_path, *counts)
    told: list[Event] = []
    found = half_sets(particles, seed=1, on_event=told.append)
    assert abs(int((found == 1).sum()) - int((found == 2).sum())) <= 1
    assert set(found) == {1, 2}
    (message,) = [event for event in told if isinstance(event, Message)]
    assert message.level == "warning"
    assert "no half sets" in message.text
    assert f"{len(particles)} images" in message.text


def test_images_of_a_particle_stay_together() -> None:
    particles = series(20, 7)
    learnt, held_out = parted(particles)
    assert not set(particles.particle[learnt]) & set(particles.particle[held_out])
    found = half_sets(particles, seed=3, on_event=ignore)
    for number in range(20):
        assert len(set(found[particles.particle == number])) == 1


def test_a_picture_that_is_listed_twice_is_on_one_side(tmp_path: Path) -> None:
    star = write_star(tmp_path / "particles.star", (20,))
    particles = read_particles([star, star]).particles
    assert len(particles) == 40
    learnt, held_out = parted(particles)
    assert not set(particles.slice_index[learnt]) & set(particles.slice_index[held_out])
    found = half_sets(particles, seed=0, on_event=ignore)
    assert np.array_equal(found[:20], found[20:])


def test_half_sets_of_the_file_are_kept_and_nothing_is_said() -> None:
    particles = replace(series(6, 1), half_set=np.array([1, 2, 2, 1, 1, 1]))
    assert np.array_equal(half_sets(particles, seed=1, on_event=silent), [1, 2, 2, 1, 1, 1])


def test_half_sets_known_of_some_particles_only_are_refused() -> None:
    particles = replace(series(6, 1), half_set=np.array([1, 2, 0, 1, 0, 1]))
    with pytest.raises(MetadataError, match="2 of 6 images have no half set") as caught:
        half_sets(particles, seed=1, on_event=silent)
    assert "\n" not in str(caught.value)


def test_the_seed_alone_decides() -> None:
    particles = series(60, 1)
    draws = [
        [half_sets(particles, seed=seed, on_event=ignore), *parted(particles, seed=seed)]
        for seed in (1, 1, 2)
    ]
    assert all(np.array_equal(*pair) for pair in zip(draws[0], draws[1], strict=True))
    assert not any(np.array_equal(*pair) for pair in zip(draws[0], draws[2], strict=True))


@pytest.mark.parametrize(
    ("count", "share", "most", "expected"),
    [(100, 0.2, 99, 20), (100, 0.2, 5, 5), (100, 0.001, 99, 1), (2, 0.9, 99, 1), (3, 0.89, 9, 2)],
)
def test_the_share_is_held_out_but_something_is_left_on_either_side(
    count: int, share: float, most: int, expected: int
) -> None:
    learnt, held_out = parted(series(count, 1), share=share, most=most)
    assert (len(learnt), len(held_out)) == (count - expected, expected)


def test_those_held_out_are_spread_over_all_rows() -> None:
    _, held_out = parted(series(1000, 1), share=0.5, most=50)
    assert held_out.min() < 150
    assert held_out.max() > 850


def test_only_the_rows_asked_for_are_parted() -> None:
    rows = np.arange(30, 60)
    learnt, held_out = hold_out(series(100, 1), rows, share=0.2, most=99, seed=0)
    assert sorted([*learnt, *held_out]) == list(rows)


@pytest.mark.parametrize("count", [0, 1])
def test_a_set_that_cannot_be_parted_is_refused(count: int) -> None:
    with pytest.raises(MetadataError, match=rf"a set of {count} particle\(s\)"):
        hold_out(series(5, 2), np.array([3, 8])[: 2 * count], share=0.1, most=9, seed=0)
