"""Settings of the jobs that train or apply a picking network; declared once, imports no torch."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, Angstrom, ComputeConfig, Config
from icelens.tasks.pick.settings import NamedSourceText, SourceText

TargetKind = Literal["centres", "spheres"]
Side = Annotated[int, Field(ge=16, multiple_of=16)]


class AugmentConfig(Config):
    """How crops are varied; none of it turns the missing wedge away from its place."""

    flips: bool = True
    """Mirror along z, y and x, each half of the time; the wedge is the same in a mirror."""

    turn_probability: float = Field(default=0.5, ge=0, le=1)
    """Share of crops that are turned by a few degrees and scaled by a few percent."""

    turn_angle: float = Field(default=6.0, ge=0, le=30, json_schema_extra={"unit": "degrees"})
    """Standard deviation of the small turns about each axis."""

    noise: float = Field(default=0.6, ge=0)
    """Largest noise added to half of the crops, in standard deviations of the tomogram."""

    intensity: float = Field(default=0.15, ge=0, lt=1)
    """Largest change of contrast (as a factor) and of brightness."""

    mixup: float = Field(default=0.5, ge=0, le=1)
    """Share of crops that are blended with another one, targets likewise."""


class PickComputeConfig(ComputeConfig):
    """What all jobs share that run a network on projects."""

    project: tuple[Path, ...] = Field(min_length=1)
    """Configuration of a copick project (JSON) or a plain folder of tomograms; several are
    learnt from together."""

    voxel_size: Annotated[Angstrom, Field(gt=0)] | None = None
    """Sampling of the tomograms to use; without it, the only one there is."""

    tomogram_type: tuple[str, ...] = ()
    """Which reconstructions to learn from, such as denoised; several are views of one run. Without
    it, the only one there is."""

    truth: SourceText | None = None
    """USER,SESSION whose picks of every object are learnt; without it, the only source there is."""

    target: NamedSourceText | None = None
    """NAME,USER,SESSION of a target segmentation to learn from instead of picks."""

    segmentations: tuple[str, ...] = ()
    """NAME,USER,SESSION of continuous things such as membranes, further classes beside the picks;
    repeat the flag for each."""

    objects: tuple[str, ...] = ()
    """Objects to learn; without it, all that have picks."""


class LearningConfig(PickComputeConfig):
    """How a picking network learns."""

    network: str = "half-unet"
    """Architecture: half-unet, unet, dynunet, segresnet, swinunetr, attention-unet, mednext, or one
    that another package registered."""

    network_settings: dict[str, Any] = Field(default={}, json_schema_extra=EXPERT)
    """Settings of the architecture, such as {channels: [32, 64, 96, 96], strides: [2, 2, 1]}."""

    targets: TargetKind = Field(default="centres", json_schema_extra=EXPERT)
    """What the network answers: the centres of particles, or spheres around them."""

    loss: str = Field(default="weighted-cross-entropy", json_schema_extra=EXPERT)
    """Loss of the class maps. Centres have this one alone; for spheres and target segmentations:
    tversky (default there), dice, generalized-dice, focal, focal-tversky, weighted-focal-tversky,
    cross-entropy, cross-entropy-tversky."""

    loss_settings: dict[str, float] = Field(default={}, json_schema_extra=EXPERT)
    """Parameters of the loss, such as {alpha: 0.3, gamma: 1.0}."""

    centre_weight: float = Field(default=256.0, gt=0, json_schema_extra=EXPERT)
    """How much more a centre counts than a voxel of background."""

    unlabelled_weight: float = Field(default=0.05, ge=0, le=1, json_schema_extra=EXPERT)
    """How much background counts that lies farther than the largest radius from every labelled
    particle. Small, so that particles which nobody labelled are not learnt as background; 1 trusts
    that all are labelled."""

    centre_width: Annotated[Angstrom, Field(gt=0)] = Field(
        default=12.0, json_schema_extra=EXPERT | {"unit": "Å"}
    )
    """Standard deviation of the Gaussian that stands for a centre."""

    radius_scale: float = Field(default=0.7, gt=0, le=1.5, json_schema_extra=EXPERT)
    """Radius of target spheres as a share of the object's."""

    crop_size: tuple[Side, Side, Side] = (64, 96, 96)
    """Voxels of a training crop along z, y and x; multiples of 16."""

    batch_size: int = Field(default=1, ge=1)
    """Crops in a step, each from a tomogram of its own choice."""

    steps: int | None = Field(default=None, ge=1)
    """Optimiser steps; without it, ten for each pick to learn from, 800 at least and 20000 at
    most."""

    learning_rate: float = Field(default=2e-3, gt=0, json_schema_extra=EXPERT)
    """Highest rate of AdamW, after the warm-up."""

    weight_decay: float = Field(default=1e-2, ge=0, json_schema_extra=EXPERT)
    """Of AdamW."""

    ema_decay: float = Field(default=0.995, ge=0, lt=1, json_schema_extra=EXPERT)
    """Memory of the weight average that is validated and saved."""

    background_share: float = Field(default=0.0, ge=0, lt=1, json_schema_extra=EXPERT)
    """Share of crops from anywhere; the others hold a particle of a class drawn evenly."""

    augmentation: AugmentConfig = Field(default=AugmentConfig(), json_schema_extra=EXPERT)
    """How crops are varied."""

    validations: int = Field(default=8, ge=1, json_schema_extra=EXPERT)
    """How often the validation runs are picked and scored on the way."""

    patience: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Stop after so many validations without a better score; 0 trains to the end."""

    beta: float = Field(default=4.0, gt=0, json_schema_extra=EXPERT)
    """Of the F-beta score that selects the model and its thresholds; 4 favours finding all."""

    pretrained: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Checkpoint to start from; classes are matched by name, new ones start afresh."""

    @property
    def learns_centres(self) -> bool:
        """Whether maps of centres are learnt; a segmentation as target has labels."""
        return self.target is None and self.targets == "centres"


class TrainConfig(LearningConfig):
    """Settings of `icelens pick train`."""

    output: Path
    """Folder of the model, its report and its curves."""

    train_runs: tuple[str, ...] = ()
    """Runs to learn from; without them, all that are not named below, or as --split says."""

    validation_runs: tuple[str, ...] = ()
    """Runs that choose the best step and the thresholds."""

    test_runs: tuple[str, ...] = ()
    """Runs that are scored once at the end and never looked at before."""

    split: tuple[float, ...] = ()
    """Shares of runs to train, validate and test on, such as 0.7,0.15,0.15; drawn by the seed."""


class SegmentConfig(ComputeConfig):
    """Settings of `icelens pick segment`."""

    project: Path
    """Configuration of a copick project (JSON), or a plain folder of tomograms."""

    model: tuple[Path, ...] = Field(min_length=1)
    """Model folder or checkpoint of `icelens pick train`; several are averaged."""

    runs: tuple[str, ...] = ()
    """Names of the runs to work on; without them, all."""

    voxel_size: Annotated[Angstrom, Field(gt=0)] | None = None
    """Sampling of the tomograms to use; without it, that of the model."""

    tomogram_type: str | None = None
    """Which reconstruction to use; without it, that of the model."""

    segmentation: NamedSourceText = ("predict", "icelens", "1")
    """NAME,USER,SESSION to write."""

    soup: bool = Field(default=False, json_schema_extra=EXPERT)
    """Average the weights of several models into one network, instead of their answers; for models
    that started from the same weights."""

    views: int = Field(default=4, ge=1, le=8)
    """Mirrored copies that are averaged; 1 is fastest, 8 uses all that keep the missing wedge."""

    window: tuple[Side, Side, Side] | None = Field(default=None, json_schema_extra=EXPERT)
    """Voxels that pass the network at once; without it, what suits the tomogram and memory."""

    overlap: float = Field(default=0.25, ge=0, lt=0.9, json_schema_extra=EXPERT)
    """Part of a window that its neighbour sees, too."""

    labels: bool = Field(default=True, json_schema_extra=EXPERT)
    """Also write a segmentation with one label for each voxel, for viewers and mask modes."""

    output: Path = Path("segment")
    """Folder of the record and the report."""
