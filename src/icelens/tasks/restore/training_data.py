"""The data of a training run: which boxes it sees, and the physics of each tomogram."""

from collections.abc import Sequence

import torch

from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import MetadataError
from icelens.jobs.run import Run
from icelens.tasks.restore.costs import boxes_per_epoch
from icelens.tasks.restore.crops import Centres, Crops, TrainingTomogram
from icelens.tasks.restore.inputs import (
    Method,
    Reading,
    crop_starts,
    read_mask,
    sources,
    tilt_scheme,
)
from icelens.tasks.restore.physics import CtfHandling, Physics
from icelens.tasks.restore.renewed_masks import RenewedMasks, batches, update_steps
from icelens.tasks.restore.settings import SAME_SCALE, RefineConfig, TrainConfig
from icelens.training.device import Compute
from icelens.training.loop import BatchSource


def common_pixel_size(rows: Sequence[TomogramRow]) -> float:
    """The pixel size that all rows share to 5 %; a network learns structures of one scale.

    Raises:
        MetadataError: If they do not.
    """
    sizes = [row.pixel_size for row in rows]
    if max(sizes) > (1.0 + SAME_SCALE) * min(sizes):
        raise MetadataError(
            f"{rows[0].source}: pixel sizes range from {min(sizes):g} to {max(sizes):g} Å; train "
            "on rows of one pixel size (--tomograms) or rescale with `icelens tools resize`"
        )
    return sum(sizes) / len(sizes)


def open_crops(
    config: TrainConfig, rows: Sequence[TomogramRow], method: Method, *, held_out: bool = False
) -> Crops:
    """Open every tomogram and say where boxes may be cut."""
    reading = Reading(config.contrast, config.pixel_size_from)
    input_column = getattr(config, "input_column", "auto")
    tomograms = []
    for row in rows:
        halves, paths = sources(row, method, input_column, reading)
        shape = halves[0].volume.shape
        centres = Centres(
            None if method == "denoise" else read_mask(row, shape),
            shape,
            config.box_size,
            paths[0],
            held_out_fraction=config.validation_fraction,
            held_out=held_out,
        )
        truth = None
        if all(other.ground_truth is not None for other in rows):  # scored only where all have it
            truth = reading.open(row.require("ground_truth"), row.pixel_size)
        tomograms.append(
            TrainingTomogram(
                halves,
                centres,
                centres.on_own_side(crop_starts(row, shape, config.box_size)),
                boxes_per_epoch(row, config, len(rows)),
                truth,
                physics_of(row, config, torch.device("cpu")).turn_weights(),
            )
        )
    return Crops(
        tomograms,
        box_size=config.box_size,
        batch_size=config.batch_size,
        random_rotation_probability=getattr(config, "random_rotations", 0.0),
        seed=config.seed + (1 if held_out else 0),
    )


def physics_of(row: TomogramRow, config: TrainConfig, device: torch.device) -> Physics:
    """Masks and transfers of a row."""
    scheme = tilt_scheme(row, use_tilt_files=getattr(config, "use_tilt_files", False))
    return Physics(row, scheme, ctf_handling(config), device)


def ctf_handling(config: TrainConfig) -> CtfHandling:
    """The CTF settings of a training run."""
    return CtfHandling(
        mode=config.ctf_mode,
        phase_flipped=config.phase_flipped,
        phase_flip_input=config.phase_flip_input,
        b_factor=config.b_factor,
        clip_first_peak=config.clip_first_peak,
        snr_falloff=config.snr_falloff,
        deconvolution_strength=config.deconvolution_strength,
        highpass_nyquist=config.highpass_nyquist,
        isonet2_exact=config.isonet2_exact,
    )


def batch_source(
    config: TrainConfig,
    rows: Sequence[TomogramRow],
    method: Method,
    crops: Crops,
    compute: Compute,
    run: Run,
) -> BatchSource:
    """Boxes on the device of the run; with mask updates, from masks that follow the network."""
    if not isinstance(config, RefineConfig) or config.mask_updates == 0:
        return batches(crops, compute)
    return RenewedMasks(
        folder=run.folder,
        rows=rows,
        update_steps=update_steps(config.mask_updates, config.epochs, crops.steps_per_epoch()),
        open_crops=lambda masked: open_crops(config, masked, method),
        compute=compute,
        contrast=config.contrast,
        on_event=run.on_event,
    )
