"""CPU-seconds of training steps, ours and one shaped as the reference's in the same process."""

import torch

from bench.boxes import make_batch, make_physics
from bench.figure import Figure, cpu_seconds
from bench.plain_steps import PlainSteps
from icelens.tasks.restore.network import build_network
from icelens.tasks.restore.objective import Denoise, FillWedge
from icelens.tasks.restore.physics import Physics
from icelens.tasks.restore.spectral_loss import SpectralLoss
from icelens.training.contract import FitSettings, Objective
from icelens.training.device import Compute, choose_compute, keep_freed_memory
from icelens.training.learner import Learner

BOX_SIZE = 64


def measure(*, quick: bool) -> list[Figure]:
    """Refine and denoise steps with both halves, unet-small, box 64, batch 1."""
    compute = choose_compute("cpu", threads=1)
    torch.set_num_threads(1)
    keep_freed_memory(compute)
    repeats = 2 if quick else 5
    full = torch.fft.fftshift(_mirrored(make_physics(compute.device).measured((BOX_SIZE,) * 3)))
    halves = make_batch(BOX_SIZE, 1).boxes
    plain = PlainSteps(halves, full, torch.ones_like(full))
    figures = []
    works = (
        ("refine", plain.refine, "5.94 CPU-s", "<= 5.0 fp32, <= 2.4 bf16"),
        ("denoise", plain.denoise, "2.4 CPU-s", "<= 1.0 bf16"),
    )
    for name, plain_step, reference, reach in works:
        ours = step_seconds(name, compute, repeats)
        theirs = cpu_seconds(plain_step, repeats=repeats)
        title = f"{name} step, unet-small, box {BOX_SIZE}, batch 1"
        figures += [
            Figure(f"{title}, {compute.precision}", ours, "CPU-s", reference, reach),
            Figure(f"{title}, shaped as the reference's, float32", theirs, "CPU-s", reference),
            Figure(f"{name} step, ours / reference's shape", ours / theirs, ""),
        ]
    return figures


def step_seconds(name: str, compute: Compute, repeats: int) -> float:
    """CPU time of a whole step: objective, backward pass, optimiser, teacher."""
    objective = objective_of(name, make_physics(compute.device))
    settings = FitSettings(num_steps=1000, batch_size=1)
    learner = Learner(build_network("unet-small"), settings, compute=compute, seed=1)
    batch = make_batch(BOX_SIZE, 1)
    return cpu_seconds(
        lambda: learner.advance(0, 1e-4, objective, lambda step, items: batch), repeats=repeats
    )


def objective_of(name: str, physics: Physics) -> Objective:
    """The objective as `icelens restore NAME` makes it, network CTF mode, L2."""
    loss = SpectralLoss("l2")
    if name == "denoise":
        return Denoise([physics], "network", loss)
    return FillWedge(
        [physics],
        "network",
        loss,
        mw_weight=20.0,
        noise_level=0.0,
        noise_filter="none",
        apply_wedge=True,
    )


def _mirrored(half: torch.Tensor) -> torch.Tensor:
    """The full mask of a half one: what is at -k equals what is at k."""
    n = half.shape[0]
    negative = -torch.arange(n) % n
    columns = torch.arange(n // 2 + 1, n)
    mates = half[negative][:, negative][:, :, n - columns]
    return torch.cat([half, mates], dim=-1)
