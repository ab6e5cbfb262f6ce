"""Volumes at clicked latents from a model that stays warm: as a surface, as slices, as a file."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from icelens.apps.web.work.kept import Kept
from icelens.apps.web.work.latent_points import FARTHEST, support_lines
from icelens.apps.web.work.opened_latents import OpenedLatents, open_latents
from icelens.apps.web.work.saved_files import free_path
from icelens.apps.web.work.surface_nets import Mesh, surface_nets
from icelens.apps.web.worker import Answer
from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.io.volumes import write_volume
from icelens.core.volumes.largest_parts import without_dust
from icelens.core.volumes.masks import usual_level
from icelens.tasks.hetero.costs import SECONDS_PER_VOXEL
from icelens.tasks.hetero.hetero_run import LATENTS_NAME, RUN_NAME, VolumeModel

Array = npt.NDArray[np.float32]

_PATIENCE = 0.8
"""Seconds that a network may take for a volume on a CPU; larger boxes are decoded when asked."""
_LARGEST = 128
"""Box in px that is decoded without being asked for a finer one."""
_CONTRAST = 0.5
"""Percent of the voxels that are drawn black, and white."""


@dataclass(frozen=True, eq=False)
class _Decoded:
    array: Array
    pixel_size: float


_MODELS: Kept[tuple[VolumeModel, torch.device]] = Kept(2)
_VOLUMES: Kept[_Decoded] = Kept(24)


def decode(
    *, run: str, latent: list[float], box_size: int = 0, level: float | None = None
) -> Answer:
    """The surface of the volume at a latent, three slices through its middle, and its support.

    Args:
        run: Folder of the run.
        latent: Coordinates.
        box_size: Side of the volume in px; 0 for one that is decoded within a second.
        level: Of the surface, in standard deviations of the density; None for the usual one.

    Returns:
        As data the support (see `support_lines`), `level`, `levels` (least and most that make
        sense), `box_size`, `pixel_size`, `vertices`, `triangles`; as blob positions and normals
        (float32, xyz, Å from the centre), triangles (uint32), then three slices of grey values
        (uint8, xy, xz, yz).

    Raises:
        MetadataError: If the latent is of another run, or the volume is not finite.
        CheckpointError: If the model is damaged.
    """
    opened = open_latents(Path(run))
    point = checked_latent(opened, latent)
    decoded = _decoded(opened, point, box_size)
    array, spread = decoded.array, float(decoded.array.std()) or 1.0
    mean, highest = float(array.mean()), float(array.max())
    usual = (usual_level(torch.from_numpy(array)) - mean) / spread
    chosen = usual if level is None else level
    field = without_dust(array, mean + chosen * spread)
    mesh = surface_nets(field, mean + chosen * spread)
    answer: dict[str, Any] = support_lines(opened, point[None])[0] | {
        "level": chosen,
        "levels": [0.5, max(1.0, (highest - mean) / spread)],
        "box_size": array.shape[0],
        "full_box_size": opened.run.box_size,
        "pixel_size": decoded.pixel_size,
        "vertices": len(mesh.vertex_zyx),
        "triangles": len(mesh.triangles),
    }
    return Answer(answer, _mesh_bytes(mesh, decoded) + _slices(array))


def save_volume(*, run: str, latent: list[float], project: str, name: str) -> Answer:
    """Write the volume at a latent in full, as MRC, into the project's folder `volumes`.

    Raises:
        IcelensError: As `decode`; or if the file cannot be written.
    """
    opened = open_latents(Path(run))
    point = checked_latent(opened, latent)
    decoded = _decoded(opened, point, opened.run.box_size)
    path = free_path(Path(project) / "volumes", name, [".mrc"])
    write_volume(path, Volume(decoded.array, decoded.pixel_size))
    return Answer({"file": str(path), "command": shlex.join(["chimerax", str(path)])})


def checked_latent(opened: OpenedLatents, latent: list[float]) -> npt.NDArray[np.float64]:
    """A latent that came over the wire, if it is one of this run.

    Raises:
        MetadataError: If it has other coordinates or lies beyond all numbers.
    """
    point = np.asarray(latent, np.float64).ravel()
    if len(point) != opened.run.latent_dim:
        raise MetadataError(
            f"{opened.run.folder}: a latent of {len(point)} coordinates, expected "
            f"{opened.run.latent_dim}; give one of this run"
        )
    if not (np.abs(point) <= FARTHEST).all():
        raise MetadataError(
            f"{opened.run.folder}: a latent that is not finite or beyond {FARTHEST:.0e}; choose a "
            "point nearer to the particles"
        )
    return point


def _decoded(opened: OpenedLatents, point: npt.NDArray[np.float64], box_size: int) -> _Decoded:
    run = opened.run
    files = [run.folder / LATENTS_NAME, *_model_files(run.folder)]
    key = (run.folder, point.tobytes(), box_size)
    return _VOLUMES.get(key, files, lambda: _made(opened, point, box_size))


def _made(opened: OpenedLatents, point: npt.NDArray[np.float64], box_size: int) -> _Decoded:
    run = opened.run
    model, device = _model(opened)
    side = _side(box_size or _quick_box(run.kind, device), run.box_size)
    given = torch.from_numpy(point[None]).float().to(device)
    with torch.inference_mode():
        volume = next(iter(model.volumes(given, box_size=side))).float().cpu().numpy()
    if not np.isfinite(volume).all():
        raise MetadataError(
            f"{run.folder}: the model makes no finite volume there; choose a point nearer to the "
            "particles"
        )
    return _Decoded(np.ascontiguousarray(volume), run.pixel_size * run.box_size / side)


def _model(opened: OpenedLatents) -> tuple[VolumeModel, torch.device]:
    folder = opened.run.folder
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return _MODELS.get(
        folder, _model_files(folder), lambda: (opened.run.volume_model(device), device)
    )


def _model_files(folder: Path) -> list[Path]:
    """What a model may be read from."""
    weights = [*folder.glob("*.safetensors"), *folder.glob("*/*.safetensors")]
    return [folder / RUN_NAME, *sorted(weights)]


def _quick_box(kind: str, device: torch.device) -> int:
    if kind in {"linear", "abinitio"} or device.type == "cuda":
        return _LARGEST
    return int((_PATIENCE / SECONDS_PER_VOXEL) ** (1 / 3))


def _side(wanted: int, largest: int) -> int:
    """An even side that the model can give; its own may be odd."""
    if wanted >= largest:
        return largest
    return max(8, wanted - wanted % 2) if largest >= 8 else largest


def _mesh_bytes(mesh: Mesh, decoded: _Decoded) -> bytes:
    centre = decoded.array.shape[0] // 2
    position = (mesh.vertex_zyx - centre)[:, ::-1] * decoded.pixel_size
    parts = ((position, "<f4"), (mesh.normal_zyx[:, ::-1], "<f4"), (mesh.triangles, "<u4"))
    return b"".join(np.ascontiguousarray(values, kind).tobytes() for values, kind in parts)


def _slices(array: Array) -> bytes:
    """xy, xz and yz through the centre voxel, black and white by percentiles of all three."""
    middle = array.shape[0] // 2
    planes = [array[middle], array[:, middle], array[:, :, middle]]
    low, high = np.percentile(np.stack(planes), [_CONTRAST, 100.0 - _CONTRAST])
    scale = 255.0 / (high - low) if high > low else 0.0
    grey = [np.clip((plane - low) * scale, 0, 255).astype(np.uint8) for plane in planes]
    return b"".join(plane.tobytes() for plane in grey)
