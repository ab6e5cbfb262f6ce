"""How soon a plane of a large tomogram reaches the workbench, along each axis, and a surface."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.figure import Figure
from icelens.apps.web.worker import Workers
from icelens.core.data.volume import Volume
from icelens.core.io.volumes import new_volume, write_volume

_WORK = "icelens.apps.web.work."
_REACH = "<= 50 ms"


def measure(*, quick: bool) -> list[Figure]:
    """Wall time of planes through the process that cuts them; the file is in the page cache."""
    shape = (60, 200, 200) if quick else (300, 1000, 1000)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "tomogram.mrc"
        rng = np.random.default_rng(0)
        with new_volume(path, shape=shape, pixel_size=5.0) as values:
            for z in range(shape[0]):
                values[z] = rng.standard_normal(shape[1:], np.float32)
        figures = asyncio.run(_planes(path, shape))
        box = 64 if quick else 128
        write_volume(Path(name) / "map.mrc", Volume(_blobs(box), 1.5))
        return figures + asyncio.run(_surface(Path(name) / "map.mrc", box))


async def _planes(path: Path, shape: tuple[int, int, int]) -> list[Figure]:
    workers = Workers()
    x, y, z = shape[::-1]
    what = f"workbench, {x} x {y} x {z} float32"
    start = time.perf_counter()
    await workers.call(f"{_WORK}planes:header", path=str(path))
    figures = [Figure(f"{what}: header and grey range, first", time.perf_counter() - start, "s")]
    for axis, side, slab in (("z", z, 1), ("y", y, 1), ("x", x, 1), ("z", z, 21), ("x", x, 21)):
        call = {"path": str(path), "axis": axis, "slab": slab, "max_size": 1024}
        await workers.call(f"{_WORK}planes:cut", index=0, **call)
        seconds = []
        for index in np.random.default_rng(1).integers(0, side, 25).tolist():
            start = time.perf_counter()
            await workers.call(f"{_WORK}planes:cut", index=index, **call)
            seconds.append(time.perf_counter() - start)
        words = f"{what}: plane across {axis}" + (f", slab of {slab}" if slab > 1 else "")
        figures.append(
            Figure(
                f"{words}, median of 25 (worst {1e3 * max(seconds):.0f} ms)",
                1e3 * statistics.median(seconds),
                "ms",
                "",
                _REACH if slab == 1 else "",
            )
        )
    workers.stop()
    return figures


async def _surface(path: Path, box: int) -> list[Figure]:
    workers = Workers()
    call = f"{_WORK}meshes:surface"
    await workers.call(call, path=str(path), level=0.5)
    seconds = []
    for level in (0.3, 0.4, 0.6, 0.7):
        start = time.perf_counter()
        await workers.call(call, path=str(path), level=level)
        seconds.append(time.perf_counter() - start)
    workers.stop()
    middle = statistics.median(seconds)
    return [Figure(f"workbench, surface of box {box} at a new level", middle, "s", "", "<= 1 s")]


def _blobs(box: int) -> np.ndarray:
    """A map of 80 round parts."""
    rng = np.random.default_rng(0)
    grid = np.indices((box,) * 3, np.float32) - 0.5 * box
    values = np.zeros((box,) * 3, np.float32)
    for centre in rng.normal(0.0, 0.14 * box, (80, 3)):
        offset = grid - centre.astype(np.float32).reshape(3, 1, 1, 1)
        values += np.exp(-np.square(offset).sum(axis=0) / (2.0 * (0.03 * box) ** 2))
    return values
