"""`icelens tools montage` shows the images that were asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from image_stars import write_noise, write_noise_star
from PIL import Image

from icelens.apps import cli
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.volume import Volume
from icelens.core.io.volumes import write_volume
from icelens.tasks.tools import montage as module
from icelens.tasks.tools.image_jobs import MontageConfig
from icelens.tasks.tools.montage import chosen_images

GROUP = OpticsGroup("one", 2.5, 16)


def montage(source: Path, *words: str) -> int:
    output = source.with_name("montage.png")
    command = ["tools", "montage", "--particles", str(source), "--output", str(output)]
    return cli.main([*command, *words])


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What was given to the plot."""
    seen: dict[str, object] = {}

    def remember(images: object, captions: object, pixel_sizes: object) -> object:
        seen.update(images=images, captions=captions)
        return plot(images, captions, pixel_sizes)  # type: ignore[arg-type]

    plot = module.montage
    monkeypatch.setattr(module, "montage", remember)
    return seen


def test_given_images_are_drawn_with_their_numbers(tmp_path, drawn):
    images = write_noise(tmp_path / "a.mrcs", 9, 12, 2.0)
    assert montage(tmp_path / "a.mrcs", "--rows", "2,8-9") == 0
    assert drawn["captions"] == ["2", "8", "9"]
    assert np.array_equal(np.stack(drawn["images"]), images[[1, 7, 8]])
    with Image.open(tmp_path / "montage.png") as picture:
        assert min(picture.size) > 100


def test_sorted_images_spread_over_all_values(tmp_path, drawn):
    groups = (GROUP, replace(GROUP, box_size=20))
    score = [0.5, 0.1, 0.9, 0.3, 0.7]
    star = write_noise_star(tmp_path / "all.star", (3, 2), groups, rlnScore=score)
    assert montage(star, "--sort-by", "rlnScore", "--descending", "--count", "3") == 0
    assert drawn["captions"] == ["3: 0.9", "1: 0.5", "2: 0.1"]


def test_low_pass_and_contrast_are_applied(tmp_path, drawn):
    images = write_noise(tmp_path / "a.mrcs", 1, 32, 2.0)
    assert montage(tmp_path / "a.mrcs", "--low-pass", "20", "--invert") == 0
    shown = np.stack(drawn["images"])
    assert shown.mean() == pytest.approx(-images.mean(), abs=1e-5)
    power = np.abs(np.fft.rfft2(shown - shown.mean())) ** 2
    radius = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.rfftfreq(32)) / 2.0
    assert power[0, radius > 1 / 19.9].sum() < 1e-6 * power.sum()
    assert power.sum() > 0


def test_draw_repeats_with_its_seed():
    def draw(seed: int) -> list[int]:
        config = MontageConfig(particles=Path("a.star"), count=4, seed=seed)
        return chosen_images(config, 50, None).tolist()

    assert draw(1) == draw(1) == sorted(draw(1))
    assert len({tuple(draw(seed)) for seed in range(5)}) > 1
    assert len(chosen_images(MontageConfig(particles=Path("a.star")), 3, None)) == 3


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--rows", "7"], "expected numbers from 1 to 5"),
        (["--sort-by", "rlnClassNumbr"], "did you mean rlnClassNumber"),
        (["--output", "montage.gif"], "ends in .png"),
    ],
)
def test_settings_that_cannot_be_are_refused(words, piece, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    star = write_noise_star(tmp_path / "all.star", (5,), (GROUP,), rlnClassNumber=range(5))
    assert montage(star, *words) == 2
    assert piece in capsys.readouterr().err
    assert not list(tmp_path.glob("montage*"))


def test_stack_without_a_table_has_no_columns(tmp_path, capsys):
    write_noise(tmp_path / "a.mrcs", 2, 12, 2.0)
    assert montage(tmp_path / "a.mrcs", "--sort-by", "rlnScore") == 2
    assert "no columns to sort by" in capsys.readouterr().err


def test_images_that_are_not_finite_are_named(tmp_path, capsys):
    write_volume(tmp_path / "a.mrcs", Volume(np.full((2, 8, 8), np.nan, np.float32), 2.0))
    assert montage(tmp_path / "a.mrcs") == 2
    assert "not finite" in capsys.readouterr().err
