"""The context joins the inputs, and hidden layers add to what they get."""

import pytest
import torch

from icelens.tasks.hetero.network.residual_mlp import ResidualMLP


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_context_and_input_are_one_input(activation: str) -> None:
    network = ResidualMLP(3, 2, width=8, num_layers=2, num_context=4, activation=activation)  # type: ignore[arg-type]
    inputs, context = torch.randn(5, 7, 3), torch.randn(5, 1, 4)
    hidden = torch.cat([inputs, context.expand(5, 7, 4)], dim=-1)
    act = torch.nn.functional.leaky_relu if activation == "leaky_relu" else torch.relu
    hidden = act(network.first(hidden))
    for layer in network.hidden:
        hidden = act(hidden + layer(hidden))
    assert torch.allclose(network(inputs, context), network.last(hidden), atol=1e-5)
    shared = network.embedded(inputs)
    kept = shared.clone()
    assert torch.allclose(network.values_of(shared, context), network(inputs, context))
    assert torch.equal(shared, kept)


def test_plain_layers_do_not_add() -> None:
    network = ResidualMLP(3, 2, width=8, num_layers=2, is_residual=False)
    inputs = torch.randn(7, 3)
    hidden = torch.relu(network.first(inputs))
    for layer in network.hidden:
        hidden = torch.relu(layer(hidden))
    assert torch.allclose(network(inputs), network.last(hidden), atol=1e-6)
    shared = network.embedded(inputs)
    kept = shared.clone()
    network.values_of(shared, None)
    assert torch.equal(shared, kept)
