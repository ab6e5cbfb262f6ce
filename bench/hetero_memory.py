"""How much memory many particles take in training, and what reading them from disk costs."""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from bench.figure import Figure
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.refinement.samples import disc_samples
from icelens.tasks.hetero.image_batches import ImageBatches
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import ImageFacts, PreparedImages
from icelens.tasks.hetero.sample_choice import SampleChoice

_BOX_SIZE, _BATCH = 128, 32
_STEPS = 300


def measure(*, quick: bool) -> list[Figure]:
    """Batches of particles from a file of half precision, against the same held in memory."""
    torch.set_num_threads(1)
    count = 2000 if quick else 100_000
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "images.npy"
        num_samples = _write(path, count)
        before = _resident()
        on_disk = np.load(path, mmap_mode="r")
        streamed = _seconds(on_disk, count, is_streamed=True)
        anonymous = _resident() - before
        held = _seconds(np.array(on_disk[: min(count, 20_000)]), min(count, 20_000))
    million = anonymous / count * 1e6 / 1e9
    return [
        Figure(f"{count} particles, box {_BOX_SIZE}: file", 4e-9 * num_samples * count, "GB"),
        Figure(f"{count} particles: memory beside the file's pages", anonymous / 1e9, "GB"),
        Figure("1 million particles at this rate", million, "GB", "", "<= 8"),
        Figure("a batch from the file, over one from memory", streamed / held, "", "", "<= 1.3"),
        Figure("batches from the file", _BATCH / streamed, "images/core-s"),
    ]


def _write(path: Path, count: int) -> int:
    """A file of random images; what is in them costs nothing."""
    num_samples = len(disc_samples(_BOX_SIZE, _BOX_SIZE // 2 - 1).index)
    stored = np.lib.format.open_memmap(path, "w+", np.float16, (count, num_samples, 2))
    block = np.random.default_rng(0).standard_normal((500, num_samples, 2)).astype(np.float16)
    for start in range(0, count, 500):
        stored[start : start + 500] = block
    stored.flush()
    return num_samples


def _seconds(stored: np.ndarray, count: int, *, is_streamed: bool = False) -> float:
    """Wall time of a batch, disk included."""
    drawn = np.random.default_rng(1)
    group = OpticsGroup(name="all", pixel_size=2.0, box_size=_BOX_SIZE, voltage=300.0)
    rotation = np.linalg.qr(drawn.standard_normal((count, 3, 3)))[0]
    particles = Particles(
        (Path("none"),),
        np.zeros(count, np.int64),
        np.arange(count),
        (group,),
        rotation=rotation,
        defocus_u=drawn.uniform(5e3, 3e4, count),
    )
    radius = _BOX_SIZE // 2 - 1
    power = ((1.0,) * (_BOX_SIZE // 2 + 1),)
    facts = ImageFacts(count, _BOX_SIZE, 2.0, radius, 200.0, False, 1.0, power, power)  # noqa: FBT003
    images = PreparedImages(particles, facts, stored)
    choice = SampleChoice(images.samples, 1.0, 0, radius, 0, 0)
    batches = ImageBatches(
        images,
        particle_rows(particles, tilts=0, seed=0),
        choice,
        latent_dim=8,
        known=torch.zeros(count, 0, 2),
        batch_size=_BATCH,
        seed=0,
        is_streamed=is_streamed,
    )
    steps = min(_STEPS, count // _BATCH)
    batches(0, range(_BATCH))
    started = time.monotonic()
    for step in range(1, steps):
        batches(step, range(_BATCH))
    return (time.monotonic() - started) / (steps - 1)


def _resident() -> int:
    """Bytes of this process that no file backs."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return 1024 * int(line.split()[1])
    return 0
