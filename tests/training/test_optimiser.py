import copy

import pytest
import torch
from torch import nn

from icelens.training.optimiser import (
    build_optimiser,
    load_optimiser_tensors,
    optimiser_tensors,
    update_if,
)

YES, NO = torch.ones((), dtype=torch.bool), torch.zeros((), dtype=torch.bool)


def network_with_gradient(seed=0):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv3d(1, 2, 3), nn.BatchNorm3d(2))
    for weight in network.parameters():
        weight.grad = torch.randn_like(weight)
    return network


def plain(network):
    """The unfused kernel, which MPS takes and which asks the host."""
    optimiser = build_optimiser(network, weight_decay=0.1)
    for group in (optimiser.defaults, *optimiser.param_groups):
        group["fused"] = False
    return optimiser


def fused(network):
    return build_optimiser(network, weight_decay=0.1)


@pytest.mark.parametrize("build", [fused, plain])
def test_refused_step_changes_neither_weights_nor_moments(build):
    network = network_with_gradient()
    optimiser = build(network)
    update_if(optimiser, YES, learning_rate=0.1)
    before = copy.deepcopy([network.state_dict(), optimiser_tensors(optimiser, network)])
    for weight in network.parameters():
        weight.grad.fill_(torch.nan)
    update_if(optimiser, NO, learning_rate=0.1)
    after = [network.state_dict(), optimiser_tensors(optimiser, network)]
    for old, new in zip(before, after, strict=True):
        assert all(torch.equal(old[name], new[name]) for name in old)


def test_fused_and_plain_steps_agree():
    networks = [network_with_gradient(), network_with_gradient()]
    for network, build in zip(networks, (fused, plain), strict=True):
        optimiser = build(network)
        for _ in range(3):
            update_if(optimiser, YES, learning_rate=0.1)
    for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_only_kernels_decay():
    network = network_with_gradient()
    for weight in network.parameters():
        weight.grad.zero_()
    before = copy.deepcopy(network.state_dict())
    update_if(fused(network), YES, learning_rate=0.5)
    torch.testing.assert_close(network[0].weight.data, before["0.weight"] * (1 - 0.5 * 0.1))
    assert torch.equal(network[0].bias, before["0.bias"])
    assert torch.equal(network[1].weight, before["1.weight"])


def test_restored_moments_take_the_layout_of_the_weights():
    network = network_with_gradient()
    optimiser = fused(network)
    update_if(optimiser, YES, learning_rate=0.1)
    stored = {
        name: value.contiguous() for name, value in optimiser_tensors(optimiser, network).items()
    }
    kernel = network[0].weight
    kernel.data = kernel.data.contiguous(memory_format=torch.channels_last_3d)
    load_optimiser_tensors(optimiser, network, stored)
    assert optimiser.state[kernel]["exp_avg"].stride() == kernel.stride()
    assert torch.equal(optimiser.state[kernel]["exp_avg"], stored["0.weight/exp_avg"])
