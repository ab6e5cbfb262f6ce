"""Settings of `icelens pose train`; declared once, imports no torch."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, ComputeConfig, Config, Degrees, PositiveAngstrom

Share = Annotated[float, Field(ge=0, le=1)]


class AugmentConfig(Config):
    """How training images are varied: the share of images, and how much."""

    quarter_turns: Share = 0.0
    """Share of images turned by 90, 180 or 270 degrees; the default encoder needs none of it."""

    turns: Share = 0.0
    """Share of images turned by a small angle; the default encoder needs none of it."""

    turn_angle: Degrees = Field(default=10.0, ge=0, le=180)
    """Largest of the small angles."""

    shifts: Share = 0.5
    """Share of images that are shifted."""

    shift_px: float = Field(default=1.6, ge=0, json_schema_extra={"unit": "px"})
    """Largest translation along x and y, in pixels of the network."""

    scale: Share = 0.2
    """Share of images whose size is changed, as errors of magnification would."""

    scale_range: float = Field(default=0.025, ge=0, lt=0.5)
    """Largest change of size; 0.025 is 2.5 %."""

    warp: Share = 0.1
    """Share of images that are smoothly distorted."""

    blur: Share = 0.2
    """Share of images that are blurred."""

    gaussian_noise: Share = 0.1
    """Share of images that get more noise, Gaussian."""

    gaussian_sigma: float = Field(default=0.5, ge=0)
    """Largest standard deviation of the added Gaussian noise; that of the images' noise is 1."""

    uniform_noise: Share = 0.2
    """Share of images that get more noise, uniform."""

    uniform_amplitude: float = Field(default=2.0, ge=0)
    """Largest width of the added uniform noise; the images' noise has a standard deviation of 1."""

    erasing: Share = 0.1
    """Share of images in which a rectangle of 1 to 2 % is set to zero."""


class TrainConfig(ComputeConfig):
    """Settings of `icelens pose train`."""

    particles: tuple[Path, ...] = Field(min_length=1)
    """STAR files (RELION) or .cs files (cryoSPARC) with known poses; several are learnt from
    together."""

    output: Path
    """Folder of the model, its report and its curves."""

    symmetry: str = "C1"
    """Point group of the particle, in RELION's axes: Cn, Dn, T, O, I1 to I4."""

    epochs: int = Field(default=10, ge=1)
    """How often each image is seen."""

    batch_size: int = Field(default=32, ge=1)
    """Images in a step."""

    box_size: int = Field(default=64, ge=16, multiple_of=16, json_schema_extra={"unit": "px"})
    """Side of the images that the network sees."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling that the network sees; without it, the whole box of the images fits."""

    mask_diameter: PositiveAngstrom | None = None
    """Diameter of the disc that holds the particle; without it, 0.95 of the box."""

    halves: bool = True
    """Train one network for each half set, so that half maps stay independent; no trains one."""

    stack_root: Path | None = None
    """Folder of the image stacks, if they are not where the particle files say."""

    encoder: str = "polar"
    """polar, unet, resnet, convmixer, or one that another package registered."""

    pretrained: Path | None = None
    """Model to start from (fine-tuning)."""

    simulate_from: Path | None = None
    """Map: first learn from images simulated with it at the particles' own poses, optics and pixel
    size, then from the images."""

    simulated_epochs: int = Field(default=5, ge=1, json_schema_extra=EXPERT)
    """Epochs on simulated images."""

    simulated_snr: float = Field(default=0.1, gt=0, json_schema_extra=EXPERT)
    """Signal-to-noise ratio of simulated images, within the particle's disc."""

    overfit: int | None = Field(default=None, ge=1, json_schema_extra=EXPERT)
    """Learn and validate on this many images alone, without variations: a test that the network can
    learn them."""

    encoder_settings: dict[str, Any] = Field(default={}, json_schema_extra=EXPERT)
    """Settings of the encoder, such as {channels: 32, num_blocks: 3}."""

    max_degree: int = Field(default=8, ge=2, le=24, json_schema_extra=EXPERT)
    """Highest degree of the harmonics on sphere and rotations; I needs 12."""

    sphere_channels: int = Field(default=32, ge=8, multiple_of=8, json_schema_extra=EXPERT)
    """Functions on the sphere."""

    rotation_channels: int = Field(default=16, ge=1, json_schema_extra=EXPERT)
    """Functions on the rotations."""

    ctf: Literal["phase-flip", "none"] = Field(default="phase-flip", json_schema_extra=EXPERT)
    """Second channel of the network: the image with its phases flipped, or the image again."""

    target_width: Degrees = Field(default=3.0, ge=0, json_schema_extra=EXPERT)
    """Standard deviation of the target about the true pose."""

    label_smoothing: float = Field(default=0.05, ge=0, lt=1, json_schema_extra=EXPERT)
    """Share of the target that is spread over all rotations, which keeps probabilities humble."""

    shift_weight: float = Field(default=0.25, ge=0, json_schema_extra=EXPERT)
    """How much the squared error of the shift in px counts beside the likelihood of rotations."""

    grid_order: int = Field(default=3, ge=1, le=4, json_schema_extra=EXPERT)
    """Order of the grid of rotations that the likelihood is normalised on: 2 is every 15 degrees,
    3 every 7.5."""

    validation: float = Field(default=0.1, gt=0, lt=0.9, json_schema_extra=EXPERT)
    """Share of particles that is not learnt from, but chooses the best step."""

    validations: int = Field(default=10, ge=1, json_schema_extra=EXPERT)
    """How often the held-out particles are looked at during the training."""

    max_validation: int = Field(default=2000, ge=1, json_schema_extra=EXPERT)
    """Held-out particles at most."""

    use_weights: bool = Field(default=True, json_schema_extra=EXPERT)
    """Weigh particles by rlnMaxValueProbDistribution where it is there."""

    learning_rate: float = Field(default=2e-3, gt=0, json_schema_extra=EXPERT)
    """Highest rate of AdamW, after the warm-up."""

    weight_decay: float = Field(default=1e-4, ge=0, json_schema_extra=EXPERT)
    """Weight decay of AdamW."""

    ema_decay: float = Field(default=0.995, ge=0, lt=1, json_schema_extra=EXPERT)
    """Memory of the weight average that is validated and saved."""

    accumulate: int = Field(default=1, ge=1, json_schema_extra=EXPERT)
    """Passes that a step is cut into, to save memory."""

    patience: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Stop after so many validations without a better score; 0 trains to the end."""

    compile: bool = Field(default=False, json_schema_extra=EXPERT)
    """Let torch compile the network; pays on long runs on a GPU."""

    augmentation: AugmentConfig = Field(default=AugmentConfig(), json_schema_extra=EXPERT)
    """How images are varied."""
