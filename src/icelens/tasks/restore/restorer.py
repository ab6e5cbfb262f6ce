"""A trained network with its physics: what predict, previews and assess share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import CheckpointError, IcelensError
from icelens.core.events import OnEvent
from icelens.core.io.slabs import release_pages
from icelens.core.io.volumes import PixelSizeFrom, new_volume
from icelens.core.optics.missing_wedge import TiltScheme
from icelens.tasks.restore.crops import Standardised
from icelens.tasks.restore.inputs import (
    Method,
    Reading,
    source_files,
    sources,
    tilt_scheme,
)
from icelens.tasks.restore.mean_of_halves import MeanOfHalves
from icelens.tasks.restore.network import build_network, load_weights
from icelens.tasks.restore.physics import CtfHandling, Physics, Shape
from icelens.tasks.restore.predict import (
    MARGIN,
    RAMP,
    TURNS,
    Density,
    TilePlan,
    TurnedCopies,
    restore_volume,
)
from icelens.training.checkpoint import load_checkpoint
from icelens.training.device import Compute
from icelens.training.networks.folding import fold_batch_norm

SYMMETRY_SLACK = 3.0  # degrees, about one tilt: a range that is as good as symmetric
NEEDED = frozenset(
    {"network", "box_size", "ctf_mode", *(field.name for field in fields(CtfHandling))} - {"mode"}
)
"""What a prediction must find in a checkpoint's description."""


@dataclass(frozen=True)
class Restorer:
    """Restores tomograms; `network` is in evaluation mode on the device of `compute`."""

    network: nn.Module
    method: Method
    input_column: str
    handling: CtfHandling
    use_tilt_files: bool
    apply_wedge: bool
    reading: Reading
    compute: Compute
    plan: TilePlan
    turned_copies: int = 1
    halves_together: bool = False

    @property
    def fills_wedge(self) -> bool:
        """Whether the network restores what the tilts did not measure."""
        return self.method != "denoise"

    def open(self, row: TomogramRow) -> tuple[tuple[Standardised, ...], tuple[Path, ...]]:
        """The row's densities this network works on, and their files."""
        return sources(row, self.method, self.input_column, self.reading)

    def files(self, row: TomogramRow) -> tuple[Path, ...]:
        """The files of the row's densities, which are not read."""
        return source_files(row, self.method, self.input_column)

    def tile_filter(self, row: TomogramRow) -> Callable[[Shape], Tensor] | None:
        """What every tile is multiplied by before the network; None if by nothing."""
        apply_wedge = self.apply_wedge and self.fills_wedge
        if not apply_wedge and not self.handling.flips_input:
            return None
        scheme = tilt_scheme(row, use_tilt_files=self.use_tilt_files)
        physics = Physics(row, scheme, self.handling, self.compute.device)
        return lambda shape: physics.before_network(shape, apply_wedge=apply_wedge)

    def restore(
        self,
        row: TomogramRow,
        densities: Sequence[Density],
        write: Callable[[int, npt.NDArray[np.float32]], None],
        *,
        on_event: OnEvent,
        stage: str,
    ) -> None:
        """Restore one tomogram; slabs in the first density's grey scale go to `write`."""
        scheme = tilt_scheme(row, use_tilt_files=False)
        turns = turns_that_keep(scheme, self.turned_copies)
        restore_volume(
            TurnedCopies(self.network, turns) if len(turns) > 1 else self.network,
            densities,
            plan=self.plan,
            tile_filter=self.tile_filter(row),
            compute=self.compute,
            write=write,
            on_event=on_event,
            stage=stage,
        )

    def restore_to_file(self, row: TomogramRow, target: Path, *, on_event: OnEvent) -> Path:
        """Restore one tomogram into a file with the STAR's pixel size and the input's origin."""
        densities, _ = self.open(row)
        volume = densities[0].volume
        with new_volume(
            target,
            shape=volume.shape,
            pixel_size=volume.pixel_size,
            origin_xyz=volume.origin_xyz,
        ) as result:

            def write(start: int, slab: npt.NDArray[np.float32]) -> None:
                result[start : start + len(slab)] = slab
                release_pages(result)

            together = self.halves_together and len(densities) == 2
            inputs = (MeanOfHalves(*densities),) if together else densities
            self.restore(row, inputs, write, on_event=on_event, stage=target.stem)
        return target


def load_restorer(
    path: Path,
    compute: Compute,
    *,
    plan: TilePlan | None,
    contrast: str = "auto",
    pixel_size_from: PixelSizeFrom = "error",
    input_column: str = "auto",
    apply_wedge: bool = True,
    phase_flipped: bool | None = None,
    turned_copies: int = 1,
    halves: str = "apart",
) -> tuple[Restorer, Mapping[str, Any]]:
    """Read a checkpoint and make its network ready to predict.

    Raises:
        CheckpointError: If the checkpoint is damaged, unsafe or not of this task.
    """
    checkpoint = load_checkpoint(path)
    known = checkpoint.description
    if known.get("task") != "restore" or known.get("method") not in get_args(Method):
        raise CheckpointError(
            f"{checkpoint.path}: made by task {known.get('task')!r}, method "
            f"{known.get('method')!r}, not by `icelens restore refine` or `denoise`"
        )
    missing = sorted(NEEDED - known.keys())
    if missing:
        raise CheckpointError(
            f"{checkpoint.path}: its description lacks {', '.join(missing)}; it was made by "
            "another version of icelens, train again or convert it anew"
        )
    try:
        network = build_network(str(known["network"]))
    except IcelensError as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error
    load_weights(network, checkpoint)
    handling = handling_of(known, phase_flipped=phase_flipped)
    ready = prepare_network(network, compute)
    restorer = Restorer(
        ready,
        known["method"],
        input_column if input_column != "auto" else str(known.get("input_column", "auto")),
        handling,
        bool(known.get("use_tilt_files", False)),
        apply_wedge,
        Reading(
            contrast if contrast != "auto" else str(known.get("contrast", "dark")), pixel_size_from
        ),
        compute,
        plan or default_plan(int(known["box_size"]), compute, str(known["network"])),
        turned_copies,
        halves == "together" or (halves == "auto" and known["method"] == "even-odd"),
    )
    return restorer, known


def prepare_network(network: nn.Module, compute: Compute) -> nn.Module:
    """A copy for prediction: batch norm folded into the convolutions, on the device."""
    return fold_batch_norm(network).to(compute.device)


def turns_that_keep(scheme: TiltScheme, copies: int) -> tuple[tuple[int, ...], ...]:
    """No more than `copies` turns that lay the wedge of a tilt range onto itself."""
    is_symmetric = abs(scheme.tilt_min + scheme.tilt_max) <= SYMMETRY_SLACK
    return TURNS[:copies] if is_symmetric else TURNS[: min(copies, 2)]


def handling_of(known: Mapping[str, Any], *, phase_flipped: bool | None) -> CtfHandling:
    """CTF settings of the training run, with what the new data differ in."""
    return CtfHandling(
        mode=str(known["ctf_mode"]),
        phase_flipped=bool(known["phase_flipped"]) if phase_flipped is None else phase_flipped,
        phase_flip_input=bool(known["phase_flip_input"]),
        b_factor=float(known["b_factor"]),
        clip_first_peak=int(known["clip_first_peak"]),
        snr_falloff=float(known["snr_falloff"]),
        deconvolution_strength=float(known["deconvolution_strength"]),
        highpass_nyquist=float(known["highpass_nyquist"]),
        isonet2_exact=bool(known["isonet2_exact"]),
    )


def check_pixel_size(
    rows: Sequence[TomogramRow], known: Mapping[str, Any], checkpoint: Path, tolerance: float
) -> None:
    """Refuse tomograms of another scale than the network was trained on.

    Raises:
        CheckpointError: Naming the row and both pixel sizes.
    """
    trained_at = known.get("pixel_size")
    if not isinstance(trained_at, float):
        return
    for row in rows:
        if abs(row.pixel_size / trained_at - 1) > tolerance:
            raise CheckpointError(
                f"{checkpoint}: trained at {trained_at:g} Å/px, {row.where} has "
                f"{row.pixel_size:g}; rescale it with `icelens tools resize --pixel-size "
                f"{trained_at:g}` or raise --pixel-size-tolerance"
            )


def default_plan(box_size: int, compute: Compute, network: str) -> TilePlan:
    """Tiles large enough that little is computed twice, small enough for 3 GB on a CPU.

    One tile of 128 takes 1.1 GB for unet-small and 2.3 GB for unet-medium in float32, besides
    0.4 GB for the program and the slabs of the tomogram; wider networks get 96 on a CPU.
    """
    is_wide_on_cpu = compute.device.type == "cpu" and network != "unet-small"
    return TilePlan(
        tile_size=max(box_size, 96 if is_wide_on_cpu else 128), margin=MARGIN, ramp=RAMP
    )
