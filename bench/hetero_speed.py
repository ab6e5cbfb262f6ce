"""Images per CPU-second of hetero's training step, and CPU-seconds of a decoded volume."""

import time
from collections.abc import Callable

import torch

from bench.figure import Figure
from bench.plain_decoder import PlainDecoder
from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.hetero.latent_weight import LatentWeight
from icelens.tasks.hetero.network.build import build_network
from icelens.tasks.hetero.network.hetero_network import HeteroNetwork, ImageBatch
from icelens.tasks.hetero.network_model import NetworkModel
from icelens.tasks.hetero.objective import HeteroObjective
from icelens.training.device import choose_compute, keep_freed_memory
from icelens.training.learner import InPrecision

_LATENT_DIM = 8
# box, width, images of a step, reach in bfloat16 and float32
STEPS = (
    (64, 256, 16, ">= 55", ">= 40"),
    (128, 256, 8, ">= 9", ""),
    (64, 1024, 8, ">= 5", ""),
)
VOLUMES = ((64, 256, "<= 0.3"), (64, 1024, "<= 3.0"), (128, 256, ""))


def measure(*, quick: bool) -> list[Figure]:
    """Each on one thread, the same points of an image for ours and the plain decoder."""
    torch.set_num_threads(1)
    keep_freed_memory(choose_compute("cpu", "float32", 1))
    repeats = 2 if quick else 5
    rows = []
    for box_size, width, images, low, single in STEPS[: 1 if quick else None]:
        name = f"box {box_size}, {width} x 3, training step"
        plain = images / _best(_plain_step(box_size, width, images), repeats)
        rows.append(Figure(f"{name}, plain, float32", plain, "images/core-s"))
        for precision, reach in (("bfloat16", low), ("float32", single)):
            ours = images / _best(training_step(box_size, width, images, precision), repeats)
            note = f"{ours / plain:.2f} times the plain one"
            rows.append(Figure(f"{name}, {precision}", ours, "images/core-s", note, reach))
    for box_size, width, reach in VOLUMES[: 1 if quick else None]:
        seconds = _best(_decoding(box_size, width), repeats)
        rows.append(Figure(f"box {box_size}, {width} x 3, volume", seconds, "CPU-s", "", reach))
    return rows


def _best(work: Callable[[], object], repeats: int) -> float:
    """CPU-seconds of the fastest of some repeats, after one to warm up."""
    work()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def _network(box_size: int, width: int) -> HeteroNetwork:
    network = build_network(
        {
            "model": "vae",
            "box_size": box_size,
            "radius": box_size // 2 - 1,
            "latent_dim": _LATENT_DIM,
            "num_particles": 1,
            "num_images": 1,
            "start": "map",
            "encoder_settings": {"width": 256},
            "decoder_settings": {"width": width},
        }
    )
    for decoder in network.decoders:
        torch.nn.init.normal_(decoder.network.last.weight, std=0.05)  # type: ignore[union-attr, arg-type]
    return network


def _images(network: HeteroNetwork, count: int) -> ImageBatch:
    samples = len(network.samples.index)
    device = network.samples.index.device
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(count, samples, dtype=torch.cfloat, generator=generator).to(device)
    transfer = torch.randn(count, samples, generator=generator).to(device)
    number = torch.arange(count, device=device)
    return ImageBatch(
        seen=values,
        seen_transfer=transfer,
        values=values,
        transfer=transfer,
        places=torch.arange(samples, device=device),
        sample_weight=torch.ones(samples, device=device),
        axes=random_rotations(count, generator).float().to(device),
        image=number,
        owner=number,
        particle=number,
        half_set=torch.ones(count, dtype=torch.long, device=device),
        noise=torch.randn(count, _LATENT_DIM, generator=generator).to(device),
        known=torch.zeros(count, 0, 2, device=device),
    )


def training_step(
    box_size: int, width: int, count: int, precision: str, device: str = "cpu"
) -> Callable[[], object]:
    """One step of a VAE on random images, ready to be taken again and again."""
    network = _network(box_size, width).to(device)
    batch = _images(network, count)
    objective = HeteroObjective(
        LatentWeight(),
        num_samples=len(network.samples.index),
        independence=1.0,
        turn_deviation=1.0,
        shift_deviation=1.0,
    )
    seen = InPrecision(network, choose_compute(device, precision, 1))
    optimiser = torch.optim.AdamW(network.parameters(), fused=True)

    def step() -> None:
        optimiser.zero_grad()
        objective(seen, seen, batch).total.backward()
        optimiser.step()

    return step


def _plain_step(box_size: int, width: int, count: int) -> Callable[[], object]:
    """The decoder alone, without encoder: an advantage of a few per cent."""
    network = _network(box_size, 8)
    batch = _images(network, count)
    decoder = PlainDecoder(box_size, _LATENT_DIM, width, 3)
    optimiser = torch.optim.Adam([p for p in decoder.parameters() if p.requires_grad])
    plane = torch.nn.functional.pad(network.samples.frequency_xy.T / box_size, (0, 1))

    def step() -> None:
        optimiser.zero_grad()
        slices = decoder(plane @ batch.axes, batch.noise)
        error = torch.view_as_real(batch.values) - batch.transfer[..., None] * slices
        error.square().mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def _decoding(box_size: int, width: int) -> Callable[[], object]:
    """One of several volumes, after what all of them share."""
    compute = choose_compute("cpu", "auto", 1)
    model = NetworkModel(_network(box_size, width), 5.0, compute)
    volumes = model.volumes(torch.randn(100, _LATENT_DIM))
    return lambda: next(volumes)
