"""Running statistics of batch norm, estimated anew."""

import pytest
import torch
from torch import nn

from icelens.training.statistics import reestimate_batch_norm


def test_statistics_become_the_plain_averages_over_the_batches() -> None:
    network = nn.Sequential(nn.BatchNorm3d(2))
    network[0].running_mean.fill_(99.0)
    batches = [torch.randn(3, 2, 4, 4, 4) + shift for shift in (1.0, 5.0)]
    reestimate_batch_norm(network, batches)
    means = torch.stack([batch.mean((0, 2, 3, 4)) for batch in batches]).mean(0)
    variances = torch.stack([batch.var((0, 2, 3, 4)) for batch in batches]).mean(0)
    torch.testing.assert_close(network[0].running_mean, means)
    torch.testing.assert_close(network[0].running_var, variances)


@pytest.mark.parametrize("is_training", [True, False])
def test_weights_momentum_and_mode_stay(*, is_training: bool) -> None:
    network = nn.Sequential(nn.Conv3d(1, 2, 3), nn.BatchNorm3d(2, momentum=0.03))
    network.train(is_training)
    before = {name: value.clone() for name, value in network.named_parameters()}
    reestimate_batch_norm(network, [torch.randn(2, 1, 5, 5, 5)])
    assert all(torch.equal(value, before[name]) for name, value in network.named_parameters())
    assert network[1].momentum == 0.03
    assert network.training == network[1].training == is_training


def test_network_without_batch_norm_is_not_run() -> None:
    def never():
        raise AssertionError("no batch is needed")
        yield

    network = nn.Conv3d(1, 1, 3)
    before = network.weight.clone()
    reestimate_batch_norm(network, never())
    assert torch.equal(network.weight, before)
