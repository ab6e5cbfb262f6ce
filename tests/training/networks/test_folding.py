"""Folded networks predict the same."""

import torch
from torch import nn

from icelens.training.networks.folding import fold_batch_norm
from icelens.training.networks.unet_3d import UNet3D


def trained_a_little() -> nn.Module:
    network = UNet3D((4, 8, 8))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    for _ in range(3):
        network(2 * torch.randn(2, 1, 16, 16, 16) + 1)
    return network


def test_folded_network_predicts_the_same_and_has_no_norms() -> None:
    network = trained_a_little()
    folded = fold_batch_norm(network)
    image = torch.randn(1, 1, 16, 16, 16)
    expected = network.eval()(image).detach()
    assert not any(isinstance(module, nn.BatchNorm3d) for module in folded.modules())
    assert not any(parameter.requires_grad for parameter in folded.parameters())
    # float32 rounding through nine layers, against an output of order one
    torch.testing.assert_close(folded(image), expected, rtol=1e-4, atol=1e-5)


def test_original_is_left_as_it_was() -> None:
    network = trained_a_little()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    fold_batch_norm(network)
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_folding_twice_changes_nothing() -> None:
    once = fold_batch_norm(trained_a_little())
    image = torch.randn(1, 1, 16, 16, 16)
    assert torch.equal(fold_batch_norm(once)(image), once(image))


def test_network_without_such_layers_is_copied() -> None:
    network = nn.Sequential(nn.Conv3d(1, 1, 3, padding=1), nn.BatchNorm3d(1)).eval()
    image = torch.randn(1, 1, 4, 4, 4)
    assert torch.equal(fold_batch_norm(network)(image), network(image))
