"""The part of a run that learns: student, teacher and optimiser, and one step of theirs."""

import copy
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from icelens.training.contract import BatchSource, FitSettings, Loss, Objective
from icelens.training.device import Compute, autocast
from icelens.training.distributed import (
    mean_over_processes,
    num_processes,
    share_of,
    start_fabric,
    synchronise_batch_norm,
)
from icelens.training.ema import ema_decay_at, make_teacher, update_teacher
from icelens.training.optimiser import (
    build_optimiser,
    load_optimiser_tensors,
    optimiser_tensors,
    update_if,
)
from icelens.training.seed import seed_everything

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class InPrecision(nn.Module):
    """A network that computes in the precision of the run and returns float32."""

    def __init__(self, network: nn.Module, compute: Compute) -> None:
        super().__init__()
        self.network = network
        self.compute = compute

    def forward(self, *inputs: Any) -> Tensor | list[Tensor]:  # noqa: ANN401 - what it takes
        """Run the network; losses of its output, or of each of them, need more than bfloat16."""
        with autocast(self.compute):
            output: Tensor | list[Tensor] = self.network(*inputs)
        if isinstance(output, list):
            return [each.float() for each in output]
        return output.float()


class Learner:
    """Takes optimiser steps; `student` learns, `teacher` is its moving average."""

    def __init__(
        self, network: nn.Module, settings: FitSettings, *, compute: Compute, seed: int
    ) -> None:
        self._settings = settings
        self._seed = seed
        self._compute = compute
        self._fabric: Fabric = start_fabric(compute)
        self.student = _lay_out(network, compute)
        if num_processes() > 1:
            self.student = synchronise_batch_norm(self.student)
        # wrapping gives all processes the weights of the first, so the teacher is copied after it
        wrapped = self._fabric.setup_module(self._compiled(self.student))
        self._synced = wrapped
        self.teacher = make_teacher(self.student)
        self._student_view = InPrecision(wrapped, compute)
        self._teacher_view = InPrecision(self._compiled(self.teacher), compute)
        self._optimiser = build_optimiser(self.student, weight_decay=settings.weight_decay)

    def advance(
        self, step: int, learning_rate: float, objective: Objective, batches: BatchSource
    ) -> dict[str, Tensor]:
        """Take one optimiser step and return what was measured, still on the device.

        A step whose loss or gradient is not finite leaves student, teacher and optimiser as they
        were, running statistics included. Returned are `loss`, the objective's terms,
        `gradient_norm` (before clipping) and `is_finite`.
        """
        before = [buffer.clone() for buffer in self.student.buffers()]
        self.student.train()
        self._optimiser.zero_grad()
        measured = self._backward(step, objective, batches)
        norm = torch.nn.utils.clip_grad_norm_(
            self.student.parameters(), self._settings.gradient_clip or math.inf
        )
        is_finite = torch.isfinite(measured["loss"]) & torch.isfinite(norm)
        update_if(self._optimiser, is_finite, learning_rate=learning_rate)
        with torch.no_grad():
            for buffer, old in zip(self.student.buffers(), before, strict=True):
                buffer.copy_(torch.where(is_finite, buffer, old))
        decay = ema_decay_at(step, self._settings.ema_decay)
        update_teacher(self.teacher, self.student, weight=(1 - decay) * is_finite)
        return {**measured, "gradient_norm": norm, "is_finite": is_finite}

    def published(self, step: int, finalise: Callable[[nn.Module], None] | None) -> nn.Module:
        """Return a copy of the teacher for validation and checkpoints, finished by `finalise`.

        A copy, so that when and how often a run publishes does not change what it learns.
        """
        network = copy.deepcopy(self.teacher)
        if finalise is not None:
            seed_everything(self._seed, step, "finalise")
            finalise(network)
        return network.eval()

    def tensors(self) -> dict[str, Tensor]:
        """Return all that is needed to go on, by name."""
        parts = {
            "student": self.student.state_dict(),
            "teacher": self.teacher.state_dict(),
            "optimiser": optimiser_tensors(self._optimiser, self.student),
        }
        return {
            f"{part}/{name}": value
            for part, values in parts.items()
            for name, value in values.items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to what `tensors` returned."""
        self.student.load_state_dict(_part(tensors, "student"))
        self.teacher.load_state_dict(_part(tensors, "teacher"))
        load_optimiser_tensors(self._optimiser, self.student, _part(tensors, "optimiser"))

    def _backward(self, step: int, objective: Objective, batches: BatchSource) -> dict[str, Tensor]:
        """Add up the gradient of the whole batch; return loss and terms as means over its items."""
        num_parts = self._settings.accumulate
        totals: list[Tensor] = []
        names: list[str] = []
        for part in range(num_parts):
            items = share_of(self._settings.batch_size, part=part, num_parts=num_parts)
            # global streams (dropout) depend on step and items alone, never on what ran before
            seed_everything(self._seed, step, items.start)
            batch = batches(step, items)
            is_last = part == num_parts - 1
            with self._fabric.no_backward_sync(self._synced, enabled=not is_last):
                loss: Loss = objective(self._student_view, self._teacher_view, batch)
                self._fabric.backward(loss.total / num_parts)
            names = ["loss", *loss.terms]
            values = [value.detach().float() for value in (loss.total, *loss.terms.values())]
            totals.append(torch.stack(values))
        means = mean_over_processes(torch.stack(totals).mean(dim=0))
        return dict(zip(names, means.unbind(), strict=True))

    def _compiled(self, network: nn.Module) -> nn.Module:
        if not self._settings.compile:
            return network
        compiled: nn.Module = torch.compile(network, dynamic=False)  # type: ignore[assignment]
        return compiled


def _lay_out(network: nn.Module, compute: Compute) -> nn.Module:
    """Move a network to its device, 3D kernels channels last where convolutions like that."""
    network = network.to(compute.device)
    if compute.device.type == "mps":
        return network
    for weight in network.parameters():
        if weight.ndim == 5:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last_3d)
    return network


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    prefix = f"{part}/"
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
