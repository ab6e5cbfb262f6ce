"""Particles that no model can learn from are refused before their images are read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hetero_world import GROUP, random_particles, two_states

from icelens.apps import cli
from icelens.core.errors import MetadataError
from icelens.core.events import Event, Message
from icelens.tasks.hetero.particle_checks import check_half_sets, check_shifts, shows_something

PATH = Path("particles.star")
COUNT = 12


def half_sets(**changes: Any) -> list[Event]:
    told: list[Event] = []
    particles = replace(random_particles(COUNT), **changes)
    check_half_sets(PATH, particles, seed=0, on_event=told.append)
    return told


def test_both_half_sets_show_something() -> None:
    assert not half_sets()
    # those that are not known are dealt
    assert not half_sets(half_set=np.zeros(COUNT, np.int64))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"half_set": np.ones(COUNT, np.int64)}, "half set 2 is empty"),
        ({"weight": np.zeros(COUNT)}, "half set 1 shows nothing"),
        ({"ctf_scale": np.zeros(COUNT)}, "half set 1 shows nothing"),
    ],
)
def test_one_half_set_alone_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(MetadataError, match=f"particles.star: {words}.*rlnRandomSubset"):
        half_sets(**changes)


def test_images_in_both_half_sets_are_told() -> None:
    particles = random_particles(COUNT)
    twice = particles.slice_index.copy()
    twice[1::2] = twice[::2]
    half_set = 1 + np.arange(COUNT) % 2
    (event,) = half_sets(slice_index=twice, half_set=half_set)
    assert isinstance(event, Message)
    assert "6 images are in both half sets" in event.text


def test_images_without_weight_or_transfer_show_nothing() -> None:
    weight, scale = np.ones(COUNT), np.ones(COUNT)
    weight[0], scale[1] = 0.0, 0.0
    shown = shows_something(replace(random_particles(COUNT), weight=weight, ctf_scale=scale))
    assert shown.tolist() == [False, False, *[True] * (COUNT - 2)]


@pytest.mark.parametrize("num_out", [1, COUNT])
def test_shifts_out_of_the_images_are_told_or_refused(num_out: int) -> None:
    particles = random_particles(COUNT)
    told: list[Event] = []
    check_shifts(PATH, particles, on_event=told.append)
    assert not told
    shift = particles.shift_yx.copy()
    shift[-num_out:, 1] = GROUP.box_size * GROUP.pixel_size
    moved = replace(particles, shift_yx=shift)
    if num_out == COUNT:
        with pytest.raises(MetadataError, match=r"12 of 12 shifts lead out.*row 0.*origins"):
            check_shifts(PATH, moved, on_event=told.append)
        return
    check_shifts(PATH, moved, on_event=told.append)
    (event,) = told
    assert isinstance(event, Message)
    assert "1 of 12 shifts" in event.text
    assert "row 11" in event.text


def refused(folder: Path, capsys: pytest.CaptureFixture[str], words: str, *flags: str) -> str:
    star = folder / "particles.star"
    command = f"hetero {words} --particles {star} --output {folder / 'run'} --threads 1"
    assert cli.main([*command.split(), *flags]) == 2
    heard = capsys.readouterr().err
    assert "prepare" not in heard
    assert not list((folder / "run").glob("*.mrc"))
    return heard


@pytest.mark.parametrize("job", ["train", "linear", "abinitio"])
def test_jobs_refuse_one_half_set_before_they_read_images(
    job: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two_states(tmp_path, 20, half_set=np.ones(20, np.int64))
    heard = refused(tmp_path, capsys, job)
    assert f"{tmp_path / 'particles.star'}: half set 2 is empty" in heard


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--encoder", "nobody"), "no encoder nobody"),
        (("--encoder-settings", "{foo: 3}"), "no setting foo"),
        (("--decoder-settings", "{encoding: nothing}"), "encoding is 'nothing'"),
        (("--decoder-settings", "{width: -3}"), "width is -3"),
        (("--batch-size", "1", "--accumulate", "4"), "multiple of 4"),
        (("--box-size", "22"), "particles.star: --box-size 22"),
        (("--max-resolution", "90"), "particles.star: --max-resolution 90"),
    ],
)
def test_impossible_choices_are_refused_before_images_are_read(
    flags: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two_states(tmp_path, 20)
    assert words in refused(tmp_path, capsys, "train", "--latent-dim", "2", *flags)


def test_tiny_mask_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_states(tmp_path, 20)
    heard = refused(tmp_path, capsys, "train", "--latent-dim", "2", "--mask-diameter", "5")
    assert "particles.star: --mask-diameter 5 Å is less than 4 px of 6 Å" in heard
