"""The whole network: images in, a distribution over rotations and a shift out."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.geometry.so3_functions import invariant_projection
from icelens.tasks.pose.network.spheres import (
    Lift,
    RingHarmonics,
    RotationConvolution,
    RotationReLU,
    ToSphere,
    evened,
)


class RotationNetwork(nn.Module):
    """Encoder -> sphere -> S2 convolution -> SO(3) nonlinearity and convolution -> coefficients."""

    def __init__(
        self,
        encoder: nn.Module,
        operators: Float[Tensor, "operator 3 3"],
        *,
        max_degree: int = 8,
        sphere_channels: int = 32,
        rotation_channels: int = 16,
    ) -> None:
        """Join an encoder and the layers on sphere and rotations.

        Args:
            encoder: Images `(b, 2, y, x)` to features `(b, out_channels, num_radii, num_angles)` on
                rings.
            operators: Rotations of the particle's point group.
            max_degree: Highest degree of all harmonics.
            sphere_channels: Functions on the sphere, a multiple of 8.
            rotation_channels: Functions on the rotations.
        """
        super().__init__()
        self.encoder = encoder
        self.max_degree = max_degree
        self.mix = nn.Conv2d(encoder.out_channels, sphere_channels, 1)
        self.norm = nn.GroupNorm(sphere_channels // 8, sphere_channels)
        self.harmonics = RingHarmonics(encoder.num_angles, max_degree)
        self.to_sphere = ToSphere(sphere_channels, encoder.num_radii, max_degree)
        self.lift = Lift(sphere_channels, rotation_channels, max_degree)
        self.relu = RotationReLU(rotation_channels, max_degree)
        self.convolution = RotationConvolution(rotation_channels, 1, max_degree)
        self.direct = RotationConvolution(rotation_channels, 1, max_degree)
        projection = invariant_projection(operators, max_degree)
        self.register_buffer("projection", projection, persistent=False)
        self.shift = nn.Parameter(torch.zeros(sphere_channels, encoder.num_radii, 2))

    def forward(self, images: Float[Tensor, "b c y x"]) -> list[Tensor]:
        """Logarithm of the density on the rotations, and the shift.

        Returns:
            Coefficients `(m, n, l, b, 2)` as pairs of real numbers (see `so3_functions`), and the
            shift `(b, 2)` in px along y and x that would centre the particle.
        """
        features = self.norm(self.mix(self.encoder(images)))
        with torch.autocast(images.device.type, enabled=False):
            rings = self.harmonics(features.float())
            lifted = evened(self.lift(self.to_sphere(rings)))
            signal = self.convolution(self.relu(lifted)) + self.direct(lifted)
            logits = torch.einsum("mnlb,lkn->mklb", signal[..., 0], self.projection)
            # order 1 turns against the image, a shift with it
            turned = torch.einsum("crb,cr->b", rings[1], torch.view_as_complex(self.shift))
            shift_yx = torch.stack([-turned.imag, turned.real], dim=-1)
        return [torch.view_as_real(logits), shift_yx]
