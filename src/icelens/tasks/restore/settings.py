"""Settings of the jobs that train or run a network; declared once, imports no torch."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from icelens.core.io.volume_header import PixelSizeFrom
from icelens.jobs.config import EXPERT, ComputeConfig

CtfModeName = Literal["none", "phase-only", "network", "wiener"]
LossName = Literal["l2", "l1", "huber", "fsc"]
SAME_SCALE = 0.05
"""Pixel sizes that differ relatively by less show a network structures of one scale."""


class TomogramsConfig(ComputeConfig):
    """What all jobs share that read tomograms with a network."""

    star: Path
    """STAR file listing the tomograms, as `icelens restore prepare` writes it."""

    tomograms: str = "all"
    """Rows to work on: `all`, numbers and ranges such as `1,3-5` (rlnIndex), or `2/5` for the
    second of five shares."""

    pixel_size_from: PixelSizeFrom = Field(default="error", json_schema_extra=EXPERT)
    """Whose pixel size counts where STAR and file header differ by more than 1 %: metadata (the
    STAR), header, or error to stop."""


class TrainConfig(TomogramsConfig):
    """What denoising and refinement share."""

    output: Path
    """Folder for checkpoints, previews, log and report."""

    network: str = "unet-medium"
    """Network: unet-small, unet-medium, unet-large, scunet-fast, or one that you registered."""

    box_size: int = Field(default=96, ge=16, multiple_of=16, json_schema_extra={"unit": "px"})
    """Side of the training boxes; a multiple of 16."""

    epochs: int = Field(default=50, ge=1)
    """How often every tomogram's share of boxes is seen; boxes are drawn anew each time."""

    batch_size: int = Field(default=4, ge=1)
    """Boxes in a step; each counts once although both its halves are used."""

    ctf_mode: CtfModeName = "none"
    """none: ignore the CTF. phase-only: flip phases. network: the network's answer is CTF-free
    and multiplied by the CTF before it is compared. wiener: the target is Wiener filtered."""

    contrast: Literal["dark", "light"] = Field(default="dark", json_schema_extra=EXPERT)
    """How protein looks in the tomograms: dark, as reconstruction programs leave it, or light."""

    subtomograms: int | None = Field(default=None, ge=1, json_schema_extra=EXPERT)
    """Boxes of a tomogram in an epoch; default: the STAR's rlnNumberSubtomo."""

    pretrained: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Checkpoint (file or run folder) to start the weights from."""

    phase_flipped: bool = Field(default=False, json_schema_extra=EXPERT)
    """The tomograms are phase flipped already."""

    phase_flip_input: bool = Field(default=True, json_schema_extra=EXPERT)
    """Flip phases before the network, in training and prediction, when a CTF mode is on."""

    b_factor: float = Field(default=0.0, ge=0, json_schema_extra=EXPERT | {"unit": "Å²"})
    """Envelope of the CTF in network mode; the answer is sharpened by it. 200 to 300 suit
    isolated particles, 0 cells."""

    clip_first_peak: int = Field(default=1, ge=0, le=3, json_schema_extra=EXPERT)
    """Below the first peak the CTF is (0) left, (1) constant, (2) raised by a sine, (3) by a
    cosine: keeps low resolution from being exaggerated (network mode)."""

    snr_falloff: float = Field(default=0.0, ge=0, json_schema_extra=EXPERT)
    """Wiener mode: how fast the signal-to-noise ratio falls with resolution."""

    deconvolution_strength: float = Field(default=1.0, json_schema_extra=EXPERT)
    """Wiener mode: log10 of the signal-to-noise ratio at low resolution."""

    highpass_nyquist: float = Field(default=0.02, gt=0, le=1, json_schema_extra=EXPERT)
    """Wiener mode: high-pass corner as a fraction of Nyquist."""

    isonet2_exact: bool = Field(default=False, json_schema_extra=EXPERT)
    """Apply the B-factor twice beyond the first peak, as IsoNet2 does."""

    loss: LossName = Field(default="l2", json_schema_extra=EXPERT)
    """How answer and target are compared."""

    learning_rate: float = Field(default=4e-3, gt=0, json_schema_extra=EXPERT)
    """Highest rate of AdamW, after the warm-up."""

    min_learning_rate: float = Field(default=4e-5, ge=0, json_schema_extra=EXPERT)
    """Rate at the end of the cosine that spans the whole run."""

    warmup_steps: int = Field(default=20, ge=0, json_schema_extra=EXPERT)
    """Steps over which the rate rises."""

    ema_decay: float = Field(default=0.99, ge=0, lt=1, json_schema_extra=EXPERT)
    """Memory of the weight average that fills wedges and predicts."""

    gradient_clip: float = Field(default=1.0, ge=0, json_schema_extra=EXPERT)
    """Largest norm of a gradient; 0 does not clip."""

    accumulate: int = Field(default=1, ge=1, json_schema_extra=EXPERT)
    """Passes a batch is cut into, to save memory; the gradient stays that of the whole batch."""

    validation_fraction: float = Field(default=0.0, ge=0, le=0.5, json_schema_extra=EXPERT)
    """Share of each tomogram (its far end along y) that is held out for a validation score."""

    patience: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Stop after so many validations without a better score; 0 trains to the end."""

    save_every: int = Field(default=10, ge=1, json_schema_extra=EXPERT | {"unit": "epochs"})
    """Epochs between previews, also after the last; each epoch can be resumed from."""

    preview_tomograms: str = Field(default="none", json_schema_extra=EXPERT)
    """Rows to predict at every save (`1`, `1,3-5`, `all`, `none`): volumes and pictures."""

    compile: bool = Field(default=False, json_schema_extra=EXPERT)
    """Compile the network first; pays off in long runs on GPUs."""


class DenoiseConfig(TrainConfig):
    """Learn to remove noise from pairs of even and odd tomograms (Noise2Noise)."""

    output: Path = Path("denoise")
    """Folder for checkpoints, previews, log and report."""


class RefineConfig(TrainConfig):
    """Learn to fill the missing wedge, with denoising and CTF correction in one network."""

    output: Path = Path("refine")
    """Folder for checkpoints, previews, log and report."""

    method: Literal["auto", "even-odd", "single-map"] = "auto"
    """even-odd learns from both halves, single-map from one tomogram; auto takes what is listed."""

    mw_weight: float = 20.0
    """How much more the hidden wedge counts than the rest (20 to 200); 0 or less compares
    everything, the filled-in part of the target included."""

    input_column: Literal["auto", "deconvolved", "full", "denoised", "corrected"] = Field(
        default="auto", json_schema_extra=EXPERT
    )
    """Single map: which column to learn from; auto takes the deconvolved map, else the full one."""

    noise_level: float = Field(default=0.0, ge=0, json_schema_extra=EXPERT)
    """Single map: synthetic noise added to the input, in standard deviations of the map."""

    noise_filter: Literal["none", "ramp", "hamming"] = Field(
        default="none", json_schema_extra=EXPERT
    )
    """Filter of the reconstruction that the synthetic noise should look like."""

    random_rotations: float = Field(default=0.0, ge=0, le=1, json_schema_extra=EXPERT)
    """Share of boxes turned by any angle; the others by right angles, which lose nothing."""

    apply_wedge: bool = Field(default=True, json_schema_extra=EXPERT)
    """Take what the tilts did not measure out of the boxes first."""

    with_deconvolution: bool = Field(default=False, json_schema_extra=EXPERT)
    """Deconvolve the tomograms before training."""

    with_mask: bool = Field(default=False, json_schema_extra=EXPERT)
    """Make masks before training."""

    mask_updates: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """How often, evenly over the run, masks are made anew from the network's own prediction."""

    use_tilt_files: bool = Field(default=True, json_schema_extra=EXPERT)
    """Where the STAR names tilt files, weigh every tilt by dose instead of a sharp wedge."""


class PredictConfig(TomogramsConfig):
    """Restore tomograms with a trained network."""

    checkpoint: Path
    """Run folder of `refine` or `denoise`, or a checkpoint file."""

    output: Path = Path("corrected")
    """Folder for the restored tomograms."""

    tile_size: int = Field(default=0, ge=0, multiple_of=16, json_schema_extra={"unit": "px"})
    """Side of the tiles; 0 chooses by memory. Larger tiles compute less twice."""

    padding_factor: float = Field(default=0.0, ge=0, le=4, json_schema_extra=EXPERT)
    """Side of a tile over what is kept of it, as in IsoNet2 (1.5); 0 drops a fixed margin."""

    prefix: str = Field(default="", pattern=r"^[^/]*$", json_schema_extra=EXPERT)
    """Beginning of the output files' names."""

    input_column: Literal["auto", "deconvolved", "full", "denoised", "corrected"] = Field(
        default="auto", json_schema_extra=EXPERT
    )
    """Networks of single maps: which column to restore."""

    contrast: Literal["auto", "dark", "light"] = Field(default="auto", json_schema_extra=EXPERT)
    """How protein looks in the tomograms; auto takes what the network was trained with."""

    apply_wedge: bool = Field(default=True, json_schema_extra=EXPERT)
    """Take what the tilts did not measure out of each tile first, as in training."""

    phase_flipped: bool | None = Field(default=None, json_schema_extra=EXPERT)
    """The tomograms are phase flipped already; default: as in training."""

    turned_copies: Literal[1, 2, 4] = Field(default=4, json_schema_extra=EXPERT)
    """Average over copies turned by 180° about the axes: a little better, as many times slower."""

    halves: Literal["auto", "together", "apart"] = Field(default="auto", json_schema_extra=EXPERT)
    """together: the mean of even and odd passes the network; apart: each passes, then the mean is
    taken, as in IsoNet2; auto: together for refined networks, apart for denoisers."""

    pixel_size_tolerance: float = Field(default=SAME_SCALE, ge=0, json_schema_extra=EXPERT)
    """Largest relative difference to the pixel size of training."""


class AssessConfig(TomogramsConfig):
    """Ask how far the filled wedge can be trusted, without knowing the truth."""

    checkpoint: Path
    """Run folder of `refine`, or a checkpoint file."""

    output: Path = Path("assess")
    """Folder for figures, curves, maps of disagreement and the report."""

    hidden_wedge: float = Field(default=30.0, gt=0, lt=90, json_schema_extra={"unit": "degrees"})
    """Tilts to hide at the high end of the range, to be predicted and compared."""

    max_voxels: int = Field(default=64_000_000, ge=4096, json_schema_extra=EXPERT)
    """Correlations are computed in the central part of this many voxels."""

    contrast: Literal["auto", "dark", "light"] = Field(default="auto", json_schema_extra=EXPERT)
    """How protein looks in the tomograms; auto takes what the network was trained with."""


class ImportCheckpointConfig(ComputeConfig):
    """Convert a checkpoint of IsoNet2 (`.pt`); only its weights are read, safely."""

    input: Path
    """IsoNet2's network_..._full.pt."""

    output: Path = Path("imported")
    """Folder for the converted checkpoint; give it to --checkpoint or --pretrained."""

    pixel_size: float | None = Field(default=None, gt=0, json_schema_extra={"unit": "Å/px"})
    """Pixel size of its training tomograms, if you know it: predictions then check theirs."""
