"""Films hold the frames that they were given."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from icelens.core.errors import InputFileError
from icelens.core.io.films import write_film


def frames() -> list[np.ndarray]:
    """Three frames of one colour each, with a line that moves."""
    made = []
    for number, colour in enumerate([(200, 30, 30), (30, 200, 30), (30, 30, 200)]):
        image = np.full((20, 30, 3), colour, np.uint8)
        image[number] = 255
        made.append(image)
    return made


def test_gif_keeps_frames_order_and_speed(tmp_path):
    write_film(tmp_path / "a film.gif", frames(), fps=20)
    with Image.open(tmp_path / "a film.gif") as film:
        assert film.info["duration"] == 50
        assert film.info["loop"] == 0
        read = [
            np.asarray(page.convert("RGB")).astype(int) for page in ImageSequence.Iterator(film)
        ]
    assert len(read) == 3
    for found, expected in zip(read, frames(), strict=True):
        assert np.abs(found - expected).mean() < 8


def fake_ffmpeg(folder: Path, script: str) -> None:
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_ffmpeg_gets_the_pixels_and_their_size(tmp_path, monkeypatch):
    fake_ffmpeg(tmp_path, f'echo "$@" > {tmp_path}/words; for last; do :; done; cat > "$last"')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    write_film(tmp_path / "film.mp4", frames(), fps=12.5)
    words = (tmp_path / "words").read_text()
    assert "-s 30x20 -r 12.5" in words
    raw = np.frombuffer((tmp_path / "film.mp4").read_bytes(), np.uint8)
    assert np.array_equal(raw.reshape(3, 20, 30, 3), np.stack(frames()))


def test_failure_of_ffmpeg_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    fake_ffmpeg(tmp_path, "echo 'Unknown encoder libx264' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(InputFileError, match=r"Unknown encoder libx264.*write a \.gif"):
        write_film(tmp_path / "film.mp4", frames(), fps=10)
    assert [path.name for path in tmp_path.iterdir()] == ["ffmpeg"]


@pytest.mark.parametrize(("name", "piece"), [("a.mp4", "write a .gif"), ("a.avi", ".gif or .mp4")])
def test_films_that_cannot_be_written_are_refused(name, piece, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputFileError, match=piece.replace(".", r"\.")):
        write_film(tmp_path / name, frames(), fps=10)
