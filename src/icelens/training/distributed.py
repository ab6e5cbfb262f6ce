"""All that knows there may be several processes: shares, agreement and common batch statistics.

`torchrun` starts the processes; without it there is one, and every function here costs nothing.
"""

import atexit
import logging
import os
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from icelens.training.contract import TrainingError
from icelens.training.device import Compute

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def num_processes() -> int:
    """Return how many processes share the run."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_world_size()
    return int(os.environ["WORLD_SIZE"]) if dist.is_torchelastic_launched() else 1


def is_main_process() -> bool:
    """Whether this process writes the files and tells of progress."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank() == 0
    return not dist.is_torchelastic_launched() or os.environ["RANK"] == "0"


def start_fabric(compute: Compute) -> "Fabric":
    """Join the processes of this run, if there are several, and return their Fabric.

    Fabric places and wraps the network (DDP); the precision is ours (`device.autocast`), because
    Fabric's would round the network's input, and with it a residual connection, to bfloat16.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    # what is worth telling goes through events; Fabric's greetings would break progress bars
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    kind = compute.device.type
    if num_processes() == 1:
        fabric = Fabric(
            accelerator=kind,
            devices=[compute.device.index or 0] if kind == "cuda" else 1,
            plugins=[LightningEnvironment()],
        )
    else:
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        fabric = Fabric(
            accelerator=kind,
            devices=local,
            num_nodes=num_processes() // local,
            strategy=DDPStrategy(gradient_as_bucket_view=True),
            plugins=[TorchElasticEnvironment()],
        )
        # gloo's threads must end before the interpreter does; Fabric sees to that for NCCL alone
        atexit.register(_leave)
    fabric.launch()
    return fabric


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def share_of(batch_size: int, *, part: int, num_parts: int) -> range:
    """Return the items of one part of a batch that this process makes.

    Parts follow one another in the batch and processes within a part, so that part `k` holds the
    same items however many processes share it.

    Raises:
        TrainingError: If the batch does not divide evenly; items would then weigh unevenly.
    """
    processes = num_processes()
    share, rest = divmod(batch_size, num_parts * processes)
    if rest:
        raise TrainingError(
            f"batch_size is {batch_size}, which {num_parts} accumulated part(s) on {processes} "
            f"process(es) cannot share evenly; use a multiple of {num_parts * processes}"
        )
    index = dist.get_rank() if processes > 1 else 0
    start = (part * processes + index) * share
    return range(start, start + share)


def mean_over_processes(values: Tensor) -> Tensor:
    """Average a tensor over the processes; the same result, bit for bit, in each."""
    if num_processes() == 1:
        return values
    total = values.clone()
    dist.all_reduce(total)
    return total / num_processes()


def any_process(*, flag: bool, device: torch.device) -> bool:
    """Whether `flag` is true in any process; all wait for the answer, so it is also a barrier."""
    if num_processes() == 1:
        return flag
    votes = torch.tensor(float(flag), device=device)
    dist.all_reduce(votes)
    return bool(votes.item() > 0)


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over the processes; its gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ANN401 - torch's context
        del ctx
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401 - torch's context
        del ctx
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


class CommonBatchNorm3d(nn.BatchNorm3d):
    """Batch norm whose statistics are those of the whole batch, shared by all processes.

    Same parameters, buffers and results as `nn.BatchNorm3d` on the joined batch; exactly
    `nn.BatchNorm3d` in one process and in evaluation mode. Unlike torch's `SyncBatchNorm` it runs
    on any device.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise `input` (item, channel, z, y, x)."""
        if not self.training or num_processes() == 1:
            return super().forward(input)
        mean, variance, count = _common_statistics(input)
        self._track(mean.detach(), variance.detach(), count)
        shape = (1, -1, 1, 1, 1)
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        # centred first: x * scale - mean * scale would cancel, and its gradient more so
        normalised = (input.float() - mean.view(shape)) * scale.view(shape)
        if self.bias is not None:
            normalised = normalised + self.bias.view(shape)
        return normalised.to(input.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Move the running statistics as `nn.BatchNorm3d` does, with the unbiased variance."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        momentum = (
            1.0 / self.num_batches_tracked.to(mean.dtype)
            if self.momentum is None
            else torch.tensor(self.momentum, device=mean.device)
        )
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (count / (count - 1)).to(variance.dtype), momentum)


def _common_statistics(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean, biased variance and count per channel over the processes, in one exchange.

    Exchanged are count, sum and sum of squares. Their difference cancels where the mean is large,
    so the few numbers are float64 while the voxels stay float32.
    """
    variance, mean = torch.var_mean(values.float(), dim=(0, 2, 3, 4), correction=0)
    local_mean, local_variance = mean.double(), variance.double()
    count = torch.full_like(local_mean, values.numel() / values.shape[1])
    sums = torch.stack([count, count * local_mean, count * (local_variance + local_mean**2)])
    count, total, squares = _SumOverProcesses.apply(sums)  # type: ignore[no-untyped-call]
    mean = total / count
    variance = (squares / count - mean**2).clamp_min(0.0)
    return mean.float(), variance.float(), count.detach()


def synchronise_batch_norm(network: nn.Module) -> nn.Module:
    """Return `network` with every `nn.BatchNorm3d` inside replaced by `CommonBatchNorm3d`.

    Parameters and buffers are kept as they are, and so are their names in the state dict.
    """
    if isinstance(network, nn.BatchNorm3d) and not isinstance(network, CommonBatchNorm3d):
        common = CommonBatchNorm3d(
            network.num_features,
            network.eps,
            network.momentum,
            affine=network.affine,
            track_running_stats=network.track_running_stats,
        )
        common.weight, common.bias = network.weight, network.bias
        common.running_mean, common.running_var = network.running_mean, network.running_var
        common.num_batches_tracked = network.num_batches_tracked
        return common.train(network.training)
    for name, child in network.named_children():
        setattr(network, name, synchronise_batch_norm(child))
    return network
