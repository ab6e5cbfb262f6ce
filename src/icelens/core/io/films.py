"""Write films: GIF by Pillow, MP4 by ffmpeg where it is installed; no screen is needed."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError
from icelens.core.io.atomic import atomic_path

Frame = npt.NDArray[np.uint8]

_COLOURS = 256
# Frames from which the colours of all are chosen: one palette for all does not flicker.
_SAMPLED = 8


def check_film_name(path: Path) -> None:
    """Refuse a film that could not be written, before its frames are made.

    Raises:
        InputFileError: If the name ends neither in .gif nor .mp4, or ffmpeg is missing for that.
    """
    if path.suffix.lower() not in (".gif", ".mp4"):
        raise InputFileError(f"{path}: expected a film's name that ends in .gif or .mp4")
    if path.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise InputFileError(
            f"{path}: MP4 needs ffmpeg, which is not on the PATH; install it, or write a .gif"
        )


def write_film(path: Path, frames: Sequence[Frame], *, fps: float) -> None:
    """Write frames as a film that begins anew when it ends.

    Args:
        path: Ends in .gif or .mp4.
        frames: RGB `(y, x, 3)`, all of one even size.
        fps: Frames per second.

    Raises:
        InputFileError: If it cannot be written.
    """
    check_film_name(path)
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".gif":
            _write_gif(temporary, frames, fps)
        else:
            _write_mp4(path, temporary, frames, fps)


def _write_gif(path: Path, frames: Sequence[Frame], fps: float) -> None:
    from PIL import Image

    step = max(1, len(frames) // _SAMPLED)
    sample = Image.fromarray(np.concatenate(list(frames[::step]), axis=0))
    palette = sample.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT)
    pictures = [
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
        for frame in frames
    ]
    # GIF counts hundredths of a second, and viewers slow down films of one
    duration = max(20, round(100.0 / fps) * 10)
    pictures[0].save(
        path, format="GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0
    )


def _write_mp4(path: Path, temporary: Path, frames: Sequence[Frame], fps: float) -> None:
    height, width = frames[0].shape[:2]
    command = [
        "ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "-", "-an",
        "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18", "-movflags", "+faststart",
        "-f", "mp4", str(temporary),
    ]  # fmt: skip
    content = b"".join(np.ascontiguousarray(frame).tobytes() for frame in frames)
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InputFileError(
            f"{path}: ffmpeg could not write it ({said[-1] if said else 'no reason given'}); "
            "write a .gif"
        )
