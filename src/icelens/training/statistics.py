"""Estimate the running statistics of batch norm anew, for weights that never ran in training."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def reestimate_batch_norm(network: nn.Module, inputs: Iterable[Tensor]) -> None:
    """Replace means and variances by plain averages over `inputs`; weights stay as they are.

    Args:
        network: Left in the mode it came in.
        inputs: Batches as the network will meet them; at least one.

    References:
        Izmailov et al., UAI (2018), section 3.2.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    was_training = network.training
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # cumulative average
    network.train()
    for batch in inputs:
        network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.train(was_training)
