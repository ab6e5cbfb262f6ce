"""AdamW as the loop uses it: fused, skippable without asking the device, stored by weight name."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

_MOMENTS = ("exp_avg", "exp_avg_sq")


def build_optimiser(network: nn.Module, *, weight_decay: float) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov & Hutter 2019) for `network`; the loop sets the learning rate.

    Kernels decay; biases and the scales of normalisation, which are vectors, do not.
    """
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in weights if w.ndim > 1], "weight_decay": weight_decay},
        {"params": [w for w in weights if w.ndim <= 1], "weight_decay": 0.0},
    ]
    # one kernel per step instead of a dozen per weight; on MPS it is young and not trusted yet
    fused = all(weight.device.type in {"cpu", "cuda"} for weight in weights)
    return torch.optim.AdamW([group for group in groups if group["params"]], fused=fused)


def update_if(optimiser: torch.optim.AdamW, is_good: Tensor, *, learning_rate: float) -> None:
    """Take a step where `is_good` (a scalar tensor) is true, and change nothing where it is not.

    The fused kernel reads the answer on the device, as it does for a gradient scaler, so that the
    host can run ahead of a GPU.
    """
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
    if optimiser.defaults["fused"]:
        optimiser.found_inf = (~is_good).float()  # type: ignore[attr-defined]
        optimiser.step()
    elif bool(is_good):
        optimiser.step()


def optimiser_tensors(optimiser: torch.optim.AdamW, network: nn.Module) -> dict[str, Tensor]:
    """Return moments and step counts, named after the weights they belong to."""
    return {
        f"{name}/{moment}": value
        for name, weight in network.named_parameters()
        for moment, value in optimiser.state.get(weight, {}).items()
    }


def load_optimiser_tensors(
    optimiser: torch.optim.AdamW, network: nn.Module, tensors: Mapping[str, Tensor]
) -> None:
    """Put back what `optimiser_tensors` gave, in the memory layout that the weights have here."""
    optimiser.state.clear()
    for name, weight in network.named_parameters():
        if f"{name}/step" not in tensors:
            continue
        moments = {
            key: torch.empty_like(weight.data).copy_(tensors[f"{name}/{key}"]) for key in _MOMENTS
        }
        step = tensors[f"{name}/step"].clone()
        # only the fused kernel counts steps where the weights are
        moments["step"] = step.to(weight.device) if optimiser.defaults["fused"] else step
        optimiser.state[weight] = moments
