"""Particles per second of `icelens pose infer` on a CUDA device, box 256: network, then whole."""

import tempfile
import time
from pathlib import Path

from bench.figure import Figure
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.jobs import registry
from icelens.jobs.run import run_job
from icelens.tasks.pose.infer_settings import InferConfig
from icelens.tasks.pose.model import read_models
from icelens.tasks.pose.predict import predict
from icelens.training.device import choose_compute

BOX_SIZE, PIXEL_SIZE = 256, 1.0


def inference(*, quick: bool) -> list[Figure]:
    """Wall time; the model is trained for a moment only, which does not change its speed."""
    count = 200 if quick else 4000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run("simulate.particles", output=folder / "sim", count=count, box_size=BOX_SIZE,
             pixel_size=PIXEL_SIZE)  # fmt: skip
        star = folder / "sim" / "particles.star"
        _run("pose.train", particles=(star,), output=folder / "model", halves=False, epochs=1,
             validations=1, device="cuda")  # fmt: skip
        particles = read_particles(star).particles
        models = tuple(read_models(folder / "model").values())
        reader = ImageReader(particles)
        started = 0.0
        for _ in range(2):  # the first pass warms up
            started = time.perf_counter()
            predict(
                models,
                particles,
                particles.particle,
                reader=reader,
                compute=choose_compute("cuda"),
                top_k=3,
                on_done=lambda done: None,
            )
        network = count / (time.perf_counter() - started)
        started = time.perf_counter()
        config = InferConfig(
            particles=(star,), model=folder / "model", output=folder / "poses", device="cuda"
        )
        run_job(registry.find_job("pose.infer"), config)
        whole = count / (time.perf_counter() - started)
    return [
        Figure(f"pose network, box {BOX_SIZE}", network, "particles/s", "", ">= 1000"),
        Figure(f"pose infer, box {BOX_SIZE}, all of it", whole, "particles/s", "96 (box 356)",
               ">= 300"),
    ]  # fmt: skip


def _run(name: str, **settings: object) -> None:
    job = registry.find_job(name)
    run_job(job, job.config_type.model_validate(settings))
