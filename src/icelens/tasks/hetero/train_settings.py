"""Settings of `icelens hetero train`; declared once, imports no torch."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, Angstrom, ComputeConfig, Config, Degrees
from icelens.tasks.hetero.image_settings import ImagesConfig


class LatentWeightConfig(Config):
    """How much the prior of latents weighs beside the images; 1 is what probability asks for."""

    weight: float | None = Field(default=None, ge=0)
    """Of the divergence from the prior, in the end; without it 1 for --start linear, else 0.06, as
    encoders that know nothing at first would never begin to tell particles apart."""

    warmup_epochs: float = Field(default=1.0, ge=0)
    """Epochs over which it rises from 0."""

    schedule: Literal["a", "b", "c", "d"] | None = None
    """One of cryoDRGN's schedules over the images seen instead."""

    target: float | None = Field(default=None, ge=0)
    """Divergence in nats to aim at instead; without it, none."""

    control: float = Field(default=1.0, gt=0)
    """Weight of the squared distance from the target."""


class TrainConfig(ImagesConfig, ComputeConfig):
    """Settings of `icelens hetero train`."""

    output: Path
    """Folder of the run."""

    model: Literal["vae", "autodecoder", "homogeneous"] = "vae"
    """Latents by an encoder (vae), from a table that is learnt (autodecoder), or none."""

    latent_dim: int = Field(default=8, ge=1, le=128)
    """Coordinates of a latent; 1 to 12 suit most data."""

    epochs: int = Field(default=20, ge=1)
    """How often each particle is seen."""

    batch_size: int = Field(default=16, ge=1)
    """Particles in a step."""

    width: int = Field(default=256, ge=8)
    """Of the hidden layers of the decoder; 1024 on a GPU shows more detail."""

    num_layers: int = Field(default=3, ge=0)
    """Hidden layers of the decoder."""

    halves: bool = False
    """Learn a decoder for each half set over one latent: every volume then has half maps."""

    refine_poses: bool = False
    """Learn small corrections of rotations and shifts, too."""

    start: Literal["linear", "map", "nothing"] = "linear"
    """What the network starts from: the linear model of `hetero linear`, the map of all images, or
    nothing, as cryoDRGN does."""

    components: int = Field(default=10, ge=1, le=30, json_schema_extra=EXPERT)
    """Principal components that are tried where the linear model is the start."""

    encoder: str = Field(default="mlp", json_schema_extra=EXPERT)
    """mlp, conv, or one that another package registered."""

    encoder_settings: dict[str, Any] = Field(default={}, json_schema_extra=EXPERT)
    """Settings of the encoder, such as {width: 512, num_layers: 3, max_radius: 16}."""

    decoder: str = Field(default="coordinates", json_schema_extra=EXPERT)
    """coordinates, or one that another package registered."""

    decoder_settings: dict[str, Any] = Field(default={}, json_schema_extra=EXPERT)
    """Further settings of the decoder, such as {encoding: geom_lowf, domain: hartley}."""

    latent_weight: LatentWeightConfig = Field(
        default=LatentWeightConfig(), json_schema_extra=EXPERT
    )
    """How much the prior of latents weighs."""

    sample_share: float = Field(default=1.0, gt=0, le=1, json_schema_extra=EXPERT)
    """Share of the fine samples of an image that a step compares, drawn at random."""

    sure_resolution: Angstrom = Field(default=30.0, gt=0, json_schema_extra=EXPERT)
    """Detail up to which all samples are compared."""

    first_resolution: Angstrom | None = Field(default=None, gt=0, json_schema_extra=EXPERT)
    """Finest detail of the first step; it grows over half of the training. Without it, all."""

    turn_deviation: Degrees = Field(default=2.0, gt=0, json_schema_extra=EXPERT)
    """How far off rotations are expected to be where they are refined."""

    shift_deviation: Angstrom = Field(default=2.0, gt=0, json_schema_extra=EXPERT)
    """How far off shifts are expected to be where they are refined."""

    keep_every: int = Field(default=5, ge=1, json_schema_extra=EXPERT)
    """Keep latents and weights of every so many epochs, to look at convergence."""

    learning_rate: float = Field(default=1e-3, gt=0, json_schema_extra=EXPERT)
    """Highest rate of AdamW, after the warm-up."""

    weight_decay: float = Field(default=0.0, ge=0, json_schema_extra=EXPERT)
    """Weight decay of AdamW."""

    ema_decay: float = Field(default=0.99, ge=0, lt=1, json_schema_extra=EXPERT)
    """Memory of the weight average that is saved."""

    accumulate: int = Field(default=1, ge=1, json_schema_extra=EXPERT)
    """Passes that a step is cut into, to save memory."""

    compile: bool = Field(default=False, json_schema_extra=EXPERT)
    """Let torch compile the network; pays on long runs on a GPU."""
