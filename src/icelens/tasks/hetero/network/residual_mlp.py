"""A multilayer perceptron whose hidden layers add to what they get."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.tasks.hetero.network.network_settings import Activation


class ResidualMLP(nn.Module):
    """Linear, then layers `h = act(h + W h + b)`, then linear.

    Input and context enter the first layer together; the context is one vector for many inputs and
    is multiplied once.
    """

    def __init__(
        self,
        num_inputs: int,
        num_outputs: int,
        *,
        width: int,
        num_layers: int,
        num_context: int = 0,
        is_residual: bool = True,
        activation: Activation = "relu",
    ) -> None:
        """Make one with torch's usual weights.

        Args:
            num_inputs: Features of each input.
            num_outputs: Values for each input.
            width: Of the hidden layers.
            num_layers: Hidden layers after the first.
            num_context: Features of the context.
            is_residual: False leaves out the `h +`.
            activation: Of every layer but the last.
        """
        super().__init__()
        self.first = nn.Linear(num_inputs + num_context, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(num_layers))
        self.last = nn.Linear(width, num_outputs)
        self._num_inputs = num_inputs
        self._slope = 0.01 if activation == "leaky_relu" else 0.0
        self._diagonal = 1.0 if is_residual else 0.0

    def forward(
        self,
        inputs: Float[Tensor, "*batch feature"],
        context: Float[Tensor, "*#batch context"] | None = None,
    ) -> Float[Tensor, "*batch value"]:
        """Values of inputs; `context` is broadcast against them, usually `(row, 1, context)`."""
        return self.values_of(self.embedded(inputs), context)

    def embedded(self, inputs: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch width"]:
        """What the first layer makes of inputs; the same whatever their context."""
        return nn.functional.linear(
            inputs, self.first.weight[:, : self._num_inputs], self.first.bias
        )

    def values_of(
        self,
        embedded: Float[Tensor, "*batch width"],
        context: Float[Tensor, "*#batch context"] | None,
    ) -> Float[Tensor, "*batch value"]:
        """Values of what `embedded` gave."""
        hidden = embedded
        if context is not None:
            weight = self.first.weight[:, self._num_inputs :]
            hidden = hidden + nn.functional.linear(context, weight)
        hidden = self._act(hidden if context is not None else hidden.clone())
        for layer in self.hidden:
            assert isinstance(layer, nn.Linear)
            hidden = self._act(nn.functional.linear(hidden, self._weight(layer), layer.bias))
        values: Tensor = self.last(hidden)
        return values

    def _weight(self, layer: nn.Linear) -> Tensor:
        """The layer's weight with the identity in it, which costs nothing at the many inputs."""
        weight: Tensor = layer.weight
        if not self._diagonal:
            return weight
        return weight + torch.eye(len(weight), device=weight.device, dtype=weight.dtype)

    def _act(self, hidden: Tensor) -> Tensor:
        if self._slope:
            return nn.functional.leaky_relu_(hidden, self._slope)
        return nn.functional.relu_(hidden)
