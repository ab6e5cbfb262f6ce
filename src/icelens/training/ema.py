"""The teacher: an exponential moving average of the network that learns."""

import copy

import torch
from torch import Tensor, nn


def make_teacher(student: nn.Module) -> nn.Module:
    """Return a frozen copy of `student` in evaluation mode."""
    return copy.deepcopy(student).requires_grad_(requires_grad=False).eval()


def ema_decay_at(step: int, decay: float) -> float:
    """Return the decay of `step`, counted from 0: `min(decay, (1 + step) / (10 + step))`.

    The ramp lets the teacher forget the random start quickly (it is TensorFlow's
    `ExponentialMovingAverage(num_updates=step)`).
    """
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, *, weight: Tensor) -> None:
    """Move `teacher` towards `student` by `weight`, a scalar tensor: `t + weight * (s - t)`.

    Running statistics of batch norm are averaged like the weights they belong to; counters are
    copied. A weight of 0 changes no average, bit for bit; it is a tensor so that a skipped step
    need not be known on the host.
    """
    student_state = student.state_dict()
    averages, targets = [], []
    for name, value in teacher.state_dict().items():
        if value.is_floating_point():
            averages.append(value)
            targets.append(student_state[name])
        else:
            value.copy_(student_state[name])
    steps = torch._foreach_sub(targets, averages)
    torch._foreach_mul_(steps, weight)
    torch._foreach_add_(averages, steps)
