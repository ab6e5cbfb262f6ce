"""Settings of the networks of hetero."""

from typing import Any, Literal

from pydantic import Field

from icelens.jobs.config import Config

Encoding = Literal[
    "gaussian", "geom_ft", "geom_full", "geom_lowf", "geom_nohighf", "linear_lowf", "none"
]
Activation = Literal["relu", "leaky_relu"]


class DecoderSettings(Config):
    """Shape of the network that knows the volumes."""

    width: int = Field(default=256, ge=1)
    """Of its hidden layers."""

    num_layers: int = Field(default=3, ge=0)
    """Hidden layers after the first."""

    encoding: Encoding = "gaussian"
    """How frequencies are told apart."""

    encoding_width: float = Field(default=0.5, gt=0)
    """Deviation of the Gaussian encoding, in units of half of the box."""

    encoding_seed: int = Field(default=0, ge=0)
    """Draws the Gaussian encoding."""

    num_frequencies: int | None = Field(default=None, ge=1)
    """Of the encoding along each axis; without it, half of the box."""

    domain: Literal["fourier", "hartley"] = "fourier"
    """Whether complex values of half of the space, or real ones of all, are learnt."""

    is_residual: bool = True
    """Whether hidden layers add to what they get."""

    activation: Activation = "relu"
    """Of every layer but the last."""


class EncoderSettings(Config):
    """Shape of the network that looks at images."""

    width: int = Field(default=256, ge=1)
    """Of its hidden layers."""

    num_layers: int = Field(default=3, ge=0)
    """Hidden layers after the first."""

    max_radius: int | None = Field(default=None, ge=2)
    """Shell of the finest samples that it sees; without it, all that are compared."""


class NetworkSettings(Config):
    """All of a network of hetero, as a checkpoint stores it."""

    model: Literal["vae", "autodecoder", "homogeneous"]
    """Latents from an encoder, from a table, or none."""

    box_size: int = Field(ge=8)
    """Side of images and volumes, in px."""

    radius: int = Field(ge=1)
    """Shell of the finest samples."""

    latent_dim: int = Field(ge=0)
    """Coordinates of a latent."""

    num_particles: int = Field(ge=0)
    """Lines of the tables of latents and poses."""

    num_images: int = Field(ge=0)
    """Rows of the table of poses."""

    has_halves: bool = False
    """Whether each half set has a decoder of its own."""

    start: Literal["nothing", "map", "linear"] = "map"
    """What decoders add to: nothing, the map of all images, or that with linear components."""

    num_components: int = Field(default=0, ge=0)
    """Linear components, where decoders start from them."""

    support: float = Field(default=1.0, gt=0)
    """Diameter of the particle as a share of the box."""

    has_poses: bool = False
    """Whether poses are learnt, too."""

    encoder: str = "mlp"
    """mlp, conv, or one that another package registered."""

    encoder_settings: dict[str, Any] = Field(default={})
    """Settings of the encoder."""

    decoder: str = "coordinates"
    """coordinates, or one that another package registered."""

    decoder_settings: dict[str, Any] = Field(default={})
    """Settings of the decoder."""
