"""Images per CPU-second of pose: network, refinement, insertion, and the size of a checkpoint."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from bench.figure import Figure, cpu_seconds
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.transforms import image_rfft
from icelens.core.geometry.rotations import random_rotations, rotation_distance
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.optics.particle_ctf import particle_ctf
from icelens.core.refinement.noise import noise_spectrum
from icelens.core.refinement.refiner import Refiner
from icelens.core.refinement.refiner_settings import RefinerSettings
from icelens.core.simulate.chains import generated_species
from icelens.core.simulate.particles import simulator_for
from icelens.core.volumes.to_box import to_box
from icelens.tasks.pose.distribution import DistributionReader
from icelens.tasks.pose.network.build import build_network
from icelens.tasks.pose.objective import PoseBatch, PoseObjective
from icelens.training.checkpoint import save_checkpoint
from icelens.training.device import choose_compute, keep_freed_memory
from icelens.training.learner import InPrecision

SMALL = {
    "encoder": "unet",
    "encoder_settings": {"first_channels": 4},
    "box_size": 64,
    "max_degree": 6,
    "sphere_channels": 64,
    "rotation_channels": 16,
}
DEFAULT = {"box_size": 64}
_BATCH = 32


def measure(*, quick: bool) -> list[Figure]:
    """Each on one thread."""
    torch.set_num_threads(1)
    keep_freed_memory(choose_compute("cpu", "float32", 1))
    rows = [*_network("small model (U-Net, 4 channels, degree 6)", SMALL, quick=quick)]
    rows += _network("default model (polar, degree 8)", DEFAULT, quick=quick)
    rows += _refinement(quick=quick)
    rows.append(_insertion(quick=quick))
    return rows


def _network(name: str, settings: dict[str, object], *, quick: bool) -> list[Figure]:
    """Inference with its search for modes, and a training step, both with auto precision."""
    compute = choose_compute("cpu", "auto", 1)
    network = build_network(settings, "C1")  # type: ignore[arg-type]
    degree = network.max_degree
    view = InPrecision(network, compute)
    reader = DistributionReader(degree, symmetry_operators("C1"))
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(_BATCH, 2, 64, 64, generator=generator)
    repeats = 2 if quick else 5

    def answer() -> None:
        with torch.inference_mode():
            coefficients, _ = view(images)
            reader(torch.view_as_complex(coefficients.contiguous()), 1)

    objective = PoseObjective(
        degree,
        symmetry_operators("C1"),
        grid_order=3,
        target_width=3.0,
        label_smoothing=0.05,
        shift_weight=0.25,
        device=compute.device,
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)
    batch = PoseBatch(
        images,
        random_rotations(_BATCH, generator),
        torch.zeros(_BATCH, 2),
        torch.ones(_BATCH),
        random_rotations(1, generator)[0],
    )

    def learn() -> None:
        optimiser.zero_grad()
        objective(view, network, batch).total.backward()
        optimiser.step()

    network.eval()
    answering = _BATCH / cpu_seconds(answer, repeats=repeats)
    network.train()
    learning = _BATCH / cpu_seconds(learn, repeats=repeats)
    is_small = name.startswith("small")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "best.safetensors"
        save_checkpoint(path, network.state_dict(), {"network": network.settings})
        size = path.stat().st_size / 1e9
    return [
        Figure(f"{name}, {compute.precision}, inference with its modes", answering,
               "images/core-s", "11.2" if is_small else "", ">= 40" if is_small else ""),
        Figure(f"{name}, {compute.precision}, training", learning, "images/core-s",
               "7.6" if is_small else "", ">= 25" if is_small else ""),
        Figure(f"{name}, checkpoint", size, "GB", "10 to 40", "<= 0.3"),
    ]  # fmt: skip


def _refinement(*, quick: bool) -> list[Figure]:
    """Particles per core-second and error from 4 degrees off, box 64, 3 Å/px, SNR 0.1."""
    count = 128 if quick else 512
    generator = torch.Generator().manual_seed(1)
    density = _ribosome_like(generator)
    particles = _particles(count, 64, 3.0, generator)
    # over the whole box, as the reference counts
    simulator = simulator_for(density, particles, snr=0.1, radius_px=32)
    images = simulator.images(particles, generator)
    spectrum = image_rfft(images)
    transfer = particle_ctf(particles, np.arange(count), box_size=64, pixel_size=3.0)
    truth = torch.from_numpy(particles.rotation).float()
    axis = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
    start = rotation_from_vector(axis * np.deg2rad(4.0)) @ truth
    shift = torch.from_numpy(particles.shift_yx / 3.0).float()
    rows = []
    for words, angular_range, step, reference, reach in (
        ("about 125", 5.0, 1.9, "15.3", ">= 150"),
        ("about 343", 6.5, 1.6, "6.0", ">= 60"),
    ):
        settings = RefinerSettings(angular_range=angular_range, angular_step=step)
        refiner = Refiner(
            density, pixel_size=3.0, noise_power=noise_spectrum(images, None), settings=settings
        )
        started = time.process_time()
        found = _refined(refiner, spectrum, transfer, start, shift)
        spent = time.process_time() - started
        name = f"refinement, box 64, {words} candidates ({len(refiner.ball)})"
        rows.append(Figure(name, count / spent, "particles/core-s", reference, reach))
    error = rotation_distance(found, truth).median()
    name = "refinement from 4 degrees off, SNR 0.1 over the box: median error"
    rows.append(Figure(name, float(error), "degrees", "3.46 (1.88 normalised)", "<= 0.7"))
    limit = rotation_distance(_refined(refiner, spectrum, transfer, truth, shift), truth).median()
    rows.append(Figure("the same, started from the truth", float(limit), "degrees"))
    return rows


def _refined(
    refiner: Refiner,
    spectrum: torch.Tensor,
    transfer: torch.Tensor,
    start: torch.Tensor,
    shift_px: torch.Tensor,
) -> torch.Tensor:
    parts = [slice(at, at + 128) for at in range(0, len(spectrum), 128)]
    found = [
        refiner.refine(spectrum[at], transfer[at], start[at, None], shift_px[at, None])
        for at in parts
    ]
    return torch.cat([each.rotation[:, 0] for each in found])


def _insertion(*, quick: bool) -> Figure:
    """FFT, shift, CTF and insertion of images of 128 px."""
    count = 256 if quick else 1000
    generator = torch.Generator().manual_seed(2)
    particles = _particles(count, 128, 1.5, generator)
    images = torch.randn(count, 128, 128, generator=generator)
    rotation = torch.from_numpy(particles.rotation).float()
    shift = torch.from_numpy(particles.shift_yx / 1.5).float()
    sums = SliceSums(128)

    def insert() -> None:
        transfer = particle_ctf(particles, np.arange(count), box_size=128, pixel_size=1.5)
        sums.insert(shift_images(image_rfft(images), shift), transfer, rotation)

    rate = count / cpu_seconds(insert, repeats=1 if quick else 3)
    what = "back-projection of images of 128 px with CTF"
    return Figure(what, rate, "images/core-s", "136 images/s on 2 threads", ">= 1000")


def _ribosome_like(generator: torch.Generator) -> torch.Tensor:
    """An asymmetric molecule that fills two thirds of a box of 64 px at 3 Å/px."""
    species = generated_species(("C1",), 3.0, generator, mass_range=(900.0, 900.0))[0]
    return to_box(species.density, pixel_size=3.0, box_size=64, new_pixel_size=3.0)


def _particles(
    count: int, box_size: int, pixel_size: float, generator: torch.Generator
) -> Particles:
    draw: Callable[[int], torch.Tensor] = lambda width: torch.rand(  # noqa: E731
        count, width, generator=generator, dtype=torch.float64
    )
    return Particles(
        stacks=(Path("none.mrcs"),),
        stack=np.zeros(count, np.int64),
        slice_index=np.arange(count),
        optics=(OpticsGroup("bench", pixel_size, box_size),),
        rotation=random_rotations(count, generator, dtype=torch.float64).numpy(),
        shift_yx=(4.0 * draw(2) - 2.0).numpy(),
        defocus_u=(15_000.0 + 0.0 * draw(1)[:, 0]).numpy(),
    )


if __name__ == "__main__":
    for figure in measure(quick=False):
        print(figure.row())
