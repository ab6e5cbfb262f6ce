"""A network that knows volumes as functions of frequency and latent (Zhong et al. 2021).

The transform of a volume is that of a start, such as the map of all images, plus what the network
says, in units of how strong the signal is in each shell. The network is asked for half of the
space, `k_z <= 0`; the other is its conjugate.
"""

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor, nn

from icelens.core.refinement.samples import DiscSamples
from icelens.tasks.hetero.network.component_part import ComponentPart
from icelens.tasks.hetero.network.decoder import Decoder
from icelens.tasks.hetero.network.encodings import (
    encoded_plane,
    encoded_points,
    encoding_vectors,
)
from icelens.tasks.hetero.network.network_settings import DecoderSettings
from icelens.tasks.hetero.network.residual_mlp import ResidualMLP


class CoordinateDecoder(Decoder):
    """Latents and frequencies to transforms of volumes."""

    scale: Tensor
    vectors: Tensor

    def __init__(
        self,
        settings: DecoderSettings,
        *,
        box_size: int,
        latent_dim: int,
        start: ComponentPart | None,
    ) -> None:
        """Make one; its scale is one until `set_scale`.

        Args:
            settings: Shape of the network.
            box_size: Side of the volumes, in px.
            latent_dim: Coordinates of a latent; 0 for one structure.
            start: What the network adds to; None for nothing.
        """
        super().__init__()
        self.box_size = box_size
        self.latent_dim = latent_dim
        self.start = start
        self.num_embedded = settings.width
        self.is_hartley = settings.domain == "hartley"
        vectors = encoding_vectors(
            settings.encoding,
            box_size,
            settings.num_frequencies or box_size // 2,
            width=settings.encoding_width,
            seed=settings.encoding_seed,
        )
        self.register_buffer("vectors", vectors)
        self.register_buffer("scale", torch.ones(box_size // 2 + 1))
        self.network = ResidualMLP(
            2 * len(vectors) or 3,
            1 if self.is_hartley else 2,
            width=settings.width,
            num_layers=settings.num_layers,
            num_context=latent_dim,
            is_residual=settings.is_residual,
            activation=settings.activation,
        )
        if start is not None:
            # the first volumes are those it starts from
            nn.init.zeros_(self.network.last.weight)
            nn.init.zeros_(self.network.last.bias)

    def set_scale(self, scale: Float[Tensor, " shell"]) -> None:
        """Give the network the strength of the signal in each shell."""
        self.scale.copy_(scale)

    def forward(
        self,
        latent: Float[Tensor, "row latent"],
        axes: Float[Tensor, "row 3 3"],
        samples: DiscSamples,
        places: Tensor,
    ) -> Float[Tensor, "row sample 2"]:
        """Real and imaginary part of slices at some samples.

        Args:
            latent: Of each image.
            axes: Take a sample to the volume; `PreparedImages.rotation`.
            samples: Of images on the volumes' grid.
            places: Which of the samples are asked for.
        """
        frequency_xy = samples.frequency_xy[:, places]
        index_xyz = _in_volume(axes, frequency_xy)
        value = self._network_plane(latent, axes, frequency_xy / self.box_size, index_xyz)
        value = value * self._scale_at(index_xyz.square().sum(1).sqrt())[..., None]
        if self.start is not None:
            coefficients = self.start.coefficients(latent)
            value = value + self.start.slices(coefficients, axes, frequency_xy)
        return value

    def _network_plane(
        self,
        latent: Float[Tensor, "row latent"],
        axes: Float[Tensor, "row 3 3"],
        frequency_xy: Float[Tensor, "2 sample"],
        index_xyz: Float[Tensor, "row 3 sample"],
    ) -> Float[Tensor, "row sample 2"]:
        """What the network says at samples of a plane, in cycles per pixel."""
        context = latent[:, None] if self.latent_dim else None
        if self.is_hartley:
            here = self._asked_plane(axes, frequency_xy, context, 1.0)
            there = self._asked_plane(axes, frequency_xy, context, -1.0)
            return _from_hartley(here, there)
        sign = torch.where(is_upper(index_xyz), -1.0, 1.0)
        value = self._asked_plane(axes, frequency_xy, context, sign).float()
        return torch.stack([value[..., 0], value[..., 1] * sign], dim=-1)

    def _asked_plane(
        self,
        axes: Tensor,
        frequency_xy: Tensor,
        context: Tensor | None,
        sign: Tensor | float,
    ) -> Tensor:
        if not len(self.vectors):
            points = _in_volume(axes, frequency_xy).mT
            signed = points * (sign[..., None] if isinstance(sign, Tensor) else sign)
            value: Tensor = self.network(signed, context)
            return value
        features = encoded_plane(self.vectors, axes, frequency_xy)
        value = self.network(_mirrored(features, sign), context)
        return value  # noqa: RET504 - a module returns anything

    def _scale_at(self, radius: Float[Tensor, "*point"]) -> Float[Tensor, "*point"]:
        """Strength of the signal between shells, linearly."""
        shell = radius.detach().floor().clamp(max=len(self.scale) - 2)
        part = radius - shell
        index = shell.long()
        return torch.lerp(self.scale[index], self.scale[index + 1], part.clamp(max=1.0))

    def embedded_points(
        self, index_xyz: Float[Tensor, "point 3"]
    ) -> tuple[Float[Tensor, "point width"], ...]:
        """What all volumes share at frequencies in cycles per box with `k_z <= 0`."""
        k = index_xyz / self.box_size
        signs = (1.0, -1.0) if self.is_hartley else (1.0,)
        return tuple(self.network.embedded(self._features(k * sign)) for sign in signs)

    def points(
        self,
        latent: Float[Tensor, " latent"],
        index_xyz: Float[Tensor, "point 3"],
        embedded: tuple[Float[Tensor, "point width"], ...],
    ) -> Complex[Tensor, " point"]:
        """The network's part of a volume at the points that were embedded."""
        context = latent[None] if self.latent_dim else None
        asked = [self.network.values_of(each, context) for each in embedded]
        value = _from_hartley(*asked) if self.is_hartley else asked[0].float()
        value = value * self._scale_at(index_xyz.norm(dim=1))[:, None]
        return torch.view_as_complex(value.contiguous())

    def _features(self, k: Float[Tensor, "point 3"]) -> Float[Tensor, "point feature"]:
        return encoded_points(self.vectors, k) if len(self.vectors) else k


def is_upper(index_xyz: Float[Tensor, "*batch 3 point"]) -> Bool[Tensor, "*batch point"]:
    """Whether frequencies lie in the half of space that the network is not asked for.

    Of the plane between the halves one half is, too: the other is its conjugate, as maps are real.
    """
    x, y, z = index_xyz.unbind(-2)
    return (z > 0) | ((z == 0) & ((y > 0) | ((y == 0) & (x > 0))))


def _in_volume(
    axes: Float[Tensor, "row 3 3"], frequency_xy: Float[Tensor, "2 sample"]
) -> Float[Tensor, "row 3 sample"]:
    """Places of samples, product by product: a matrix product could be of low precision."""
    along_x = axes[:, 0, :, None] * frequency_xy[0]
    return torch.addcmul(along_x, axes[:, 1, :, None], frequency_xy[1])


def _mirrored(features: Tensor, sign: Tensor | float) -> Tensor:
    """Features of the opposite frequency where the sign is negative: sines change theirs."""
    half = features.shape[-1] // 2
    turned = sign[..., None] if isinstance(sign, Tensor) else sign
    features[..., :half] *= turned
    return features


def _from_hartley(
    here: Float[Tensor, "*point 1"], there: Float[Tensor, "*point 1"]
) -> Float[Tensor, "*point 2"]:
    """Real and imaginary part from `H = Re - Im` at a frequency and its opposite."""
    here, there = here.float(), there.float()
    return torch.cat([0.5 * (here + there), 0.5 * (there - here)], dim=-1)
