"""What a decoder starts from: a map, or a map and components that latents add in some measure."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.fourier.channel_slices import corners_of, read_channels
from icelens.tasks.hetero.linear.stage_grid import StageGrid
from icelens.tasks.hetero.network.residual_mlp import ResidualMLP

_CURVE_WIDTH = 64
_CURVE_LAYERS = 2


class ComponentPart(nn.Module):
    """`map + sum of a_j(latent) component_j`, where `a` is linear at first and may bend."""

    channels: Tensor

    def __init__(
        self, num_components: int, latent_dim: int, *, box_size: int, radius: int, support: float
    ) -> None:
        """Make one of zeros; `set_channels` fills it.

        Args:
            num_components: Components beside the map.
            latent_dim: Coordinates of a latent.
            box_size: Side of the volumes, in px.
            radius: Shell of the finest samples.
            support: Diameter of the sphere that holds the particle, as a share of the box.
        """
        super().__init__()
        self.num_components = num_components
        self._shape = (box_size, radius, support)
        self.register_buffer(
            "channels", torch.zeros(1 + num_components, box_size, box_size, box_size)
        )
        if num_components:
            self.linear = nn.Parameter(torch.eye(num_components, latent_dim))
            self.curve = ResidualMLP(
                latent_dim, num_components, width=_CURVE_WIDTH, num_layers=_CURVE_LAYERS
            )
            nn.init.zeros_(self.curve.last.weight)
            nn.init.zeros_(self.curve.last.bias)
        # made of the channels when first asked for; no buffer, as averages of weights must not
        # touch it
        self._table: Tensor | None = None

    def set_channels(self, channels: Float[Tensor, "channel n n n"]) -> None:
        """Start from a map and components."""
        self.channels.copy_(channels)
        self._table = None

    def coefficients(self, latent: Float[Tensor, "row latent"]) -> Float[Tensor, "row channel"]:
        """Measures of the map, which is 1, and of the components."""
        ones = latent.new_ones(len(latent), 1)
        if not self.num_components:
            return ones
        bent = self.curve(latent).float()
        # coefficients are as exact as the components are
        with torch.autocast(latent.device.type, enabled=False):
            return torch.cat([ones, latent.float() @ self.linear.T + bent], dim=1)

    def slices(
        self,
        coefficients: Float[Tensor, "row channel"],
        axes: Float[Tensor, "row 3 3"],
        frequency_xy: Float[Tensor, "2 sample"],
    ) -> Float[Tensor, "row sample 2"]:
        """Real and imaginary part at samples of images, in cycles per box."""
        with torch.autocast(axes.device.type, enabled=False):
            return self._exact_slices(coefficients.float(), axes, frequency_xy)

    def _exact_slices(
        self, coefficients: Tensor, axes: Tensor, frequency_xy: Tensor
    ) -> Float[Tensor, "row sample 2"]:
        grid = self._grid()
        if self._table is None or self._table.device != axes.device:
            self._table = grid.table(grid.narrowed(self._on_grid(grid)))
        padding = grid.padded_size / grid.box_size
        corners = corners_of(axes[:, :2], frequency_xy * padding, grid.padded_size)
        numbers = read_channels(self._table, corners)
        parts = numbers.view(len(axes), frequency_xy.shape[1], -1, 2)
        real, imaginary = (parts[..., part] for part in (0, 1))
        measured = coefficients[:, None]
        sign = corners.sign.view(len(axes), -1)
        return torch.stack(
            [(real * measured).sum(-1), (imaginary * measured).sum(-1) * sign], dim=-1
        )

    def volume(self, coefficients: Float[Tensor, " channel"]) -> Float[Tensor, "n n n"]:
        """The map with its components, in real space."""
        return torch.einsum("k,kzyx->zyx", coefficients, self.channels)

    def _grid(self) -> StageGrid:
        box_size, radius, support = self._shape
        return StageGrid(box_size, radius, support, self.channels.device)

    def _on_grid(self, grid: StageGrid) -> Float[Tensor, "channel m m m"]:
        """Channels on the sampling that just holds the radius."""
        return grid.resampled(self.channels)
