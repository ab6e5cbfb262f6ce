"""Read particle images of cryoSPARC: fields of .cs files in our units and conventions."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.io.cryosparc_records import (
    POSE,
    SHIFT,
    SHIFT_PIXEL_SIZE,
    SPLIT,
    Records,
    field_names,
    joined_records,
    load_records,
    rotations_from_poses,
    text_of,
    with_fields,
)
from icelens.core.io.image_columns import check_defocus
from icelens.core.io.stack_paths import find_stacks

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_IMAGE = ("blob/path", "blob/idx", "blob/shape", "blob/psize_A")
_NOT_CONVERTED = ("ctf/trefoil_A", "ctf/tetra_A", "ctf/anisomag")
_CTF = ("df1_A", "df2_A", "df_angle_rad", "phase_shift_rad", "accel_kv", "cs_mm", "amp_contrast")
_NUMBERS = (
    *("blob/psize_A", "blob/sign", "ctf/tilt_A", "ctf/scale", "ctf/bfactor", POSE, SHIFT),
    *(f"ctf/{name}" for name in _CTF),
)
_MM = 1e7  # Å


def read_cryosparc(
    path: Path,
    passed_through: Sequence[Path] = (),
    *,
    stack_root: Path | None = None,
    need_poses: bool = False,
    pixel_size: float | None = None,
    on_event: OnEvent = ignore,
) -> ParticleFile:
    """Read particles of cryoSPARC.

    `alignments3D/pose` is the rotation vector of the transpose of `rotation`, and
    `alignments3D/shift`, xy in pixels of `alignments3D/psize_A`, centres the particle as RELION's
    origin does; these are the conventions of pyem and cryoDRGN. Images that are dark on light
    (`blob/sign` -1) get a negative `ctf_scale`, so that densities come out positive. The beam tilt
    is `arcsin(tilt_A / Cs)`. Trefoil, tetrafoil and anisotropic magnification are left out, with a
    warning, because their conventions are not published.

    Args:
        path: The `.cs` file.
        passed_through: Files with further fields of the same particles; else one is looked for
            beside the file if images, CTF or poses are missing.
        stack_root: Folder of the stacks, if they are not in cryoSPARC's project.
        need_poses: Refuse a file without three-dimensional poses.
        pixel_size: Of the images in Å/px, whatever the file says.
        on_event: Hears of what is joined and left out.

    Raises:
        InputFileError: If a file cannot be read.
        MetadataError: If fields are missing or hold what cannot be.
    """
    records = joined_records(path, load_records(path), passed_through, on_event)
    missing = [name for name in _IMAGE if name not in field_names(records)]
    if missing:
        raise MetadataError(
            f"{path}: field {missing[0]} is missing, expected particle images; give the "
            "pass-through file too"
        )
    if not len(records):
        raise MetadataError(f"{path}: no rows, expected particles; give another file")
    _refuse_infinite(path, records)
    paths, stack = np.unique(records["blob/path"], return_inverse=True)
    names = [text_of(name) for name in paths]
    optics, optics_index = _optics(path, records, pixel_size, on_event)
    sizes = np.asarray([group.pixel_size for group in optics])[optics_index]
    particles = Particles(
        find_stacks(path, names, stack_root),
        stack.astype(np.int64),
        records["blob/idx"].astype(np.int64),
        optics,
        optics_index,
        **_pose_fields(path, records, sizes, need_poses=need_poses),
        **_ctf_fields(path, records),
    )
    if pixel_size is not None:
        records = with_fields(records, {"blob/psize_A": sizes.astype(np.float32)})
    return ParticleFile(particles, path, np.arange(len(records)), records=records)


def _optics(
    path: Path, records: Records, pixel_size: float | None, on_event: OnEvent
) -> tuple[tuple[OpticsGroup, ...], Integers]:
    """Groups of equal exposure group, microscope, sampling and box."""
    import pandas as pd

    count = len(records)
    shape = np.asarray(records["blob/shape"]).reshape(count, -1)
    if (shape != shape[:, :1]).any():
        raise MetadataError(f"{path}: blob/shape is not square in some rows; extract square boxes")
    sphere = _field(records, "ctf/cs_mm", 2.7)
    has_ctf = "ctf/df1_A" in field_names(records)
    tilt = np.zeros((count, 2))
    if "ctf/tilt_A" in field_names(records) and (sphere > 0).all():
        sine = np.asarray(records["ctf/tilt_A"], np.float64) / (sphere * _MM)[:, None]
        tilt = np.arcsin(np.clip(sine, -1.0, 1.0)) * 1e3
    if not has_ctf:
        on_event(Message(f"{path}: no ctf/df1_A; images are taken to have no CTF"))
    for name in _NOT_CONVERTED:
        if name in field_names(records) and np.any(records[name]):
            on_event(Message(f"{path}: {name} is not used", level="warning"))
    sizes = np.asarray(records["blob/psize_A"], np.float64)
    frame = pd.DataFrame(
        {
            "group": _field(records, "ctf/exp_group_id", 0.0),
            "pixel_size": sizes if pixel_size is None else np.full(count, pixel_size),
            "box_size": shape[:, 0],
            "voltage": _field(records, "ctf/accel_kv", 300.0),
            "sphere": sphere if has_ctf else np.zeros(count),
            "contrast": _field(records, "ctf/amp_contrast", 0.1) if has_ctf else np.ones(count),
            "tilt_x": tilt[:, 0],
            "tilt_y": tilt[:, 1],
        }
    )
    index = np.asarray(frame.groupby(list(frame.columns), sort=False).ngroup(), np.int64)
    kinds = frame.drop_duplicates().to_dict("records")
    try:
        groups = tuple(_group(number, kind) for number, kind in enumerate(kinds, start=1))
    except MetadataError as error:
        raise MetadataError(f"{path}: {error}") from error
    return groups, index


def _refuse_infinite(path: Path, records: Records) -> None:
    """Fields of numbers that are used have to hold some in each row."""
    for name in sorted(set(_NUMBERS) & set(field_names(records))):
        bad = np.flatnonzero(~np.isfinite(records[name].reshape(len(records), -1)).all(axis=1))
        if len(bad):
            raise MetadataError(
                f"{path}: {name} is not finite in row {bad[0] + 1} ({len(bad)} rows), expected "
                "finite numbers; leave those particles out and export it again"
            )


def _group(number: int, kind: Mapping[Hashable, float]) -> OpticsGroup:
    return OpticsGroup(
        name=f"opticsGroup{number}",
        pixel_size=_seven_digits(kind["pixel_size"]),
        box_size=int(kind["box_size"]),
        voltage=_seven_digits(kind["voltage"]),
        spherical_aberration=_seven_digits(kind["sphere"]),
        amplitude_contrast=_seven_digits(kind["contrast"]),
        beam_tilt_xy=(float(kind["tilt_x"]), float(kind["tilt_y"])),
    )


def _seven_digits(value: float) -> float:
    """A number that was float32, as it was meant: 1.345 and not 1.345000147819519."""
    return float(f"{value:.7g}")


def _field(records: Records, name: str, absent: float) -> Floats:
    if name not in field_names(records):
        return np.full(len(records), absent)
    return np.asarray(records[name], np.float64)


def _ctf_fields(path: Path, records: Records) -> dict[str, Any]:
    u = _field(records, "ctf/df1_A", 0.0)
    check_defocus(path, u)
    scale = _field(records, "ctf/scale", 1.0)
    sign = np.where(_field(records, "blob/sign", 1.0) < 0, -1.0, 1.0)
    return {
        "defocus_u": u,
        "defocus_v": _field(records, "ctf/df2_A", 0.0)
        if "ctf/df2_A" in field_names(records)
        else u,
        "astigmatism_angle": np.rad2deg(_field(records, "ctf/df_angle_rad", 0.0)),
        "phase_shift": np.rad2deg(_field(records, "ctf/phase_shift_rad", 0.0)),
        "b_factor": _field(records, "ctf/bfactor", 0.0),
        # 0 is what files hold that were never told a scale
        "ctf_scale": sign * np.where(scale == 0.0, 1.0, scale),
    }


def _pose_fields(
    path: Path, records: Records, pixel_size: Floats, *, need_poses: bool
) -> dict[str, Any]:
    if POSE not in field_names(records):
        if need_poses:
            raise MetadataError(
                f"{path}: field {POSE} is missing, expected particles with poses; refine them "
                "first, or give the pass-through file too"
            )
        return {}
    fields: dict[str, Any] = {"rotation": rotations_from_poses(records[POSE])}
    if SHIFT in field_names(records):
        sizes = pixel_size
        if SHIFT_PIXEL_SIZE in field_names(records):
            sizes = np.asarray(records[SHIFT_PIXEL_SIZE], np.float64)
        fields["shift_yx"] = np.asarray(records[SHIFT], np.float64)[:, ::-1] * sizes[:, None]
    split = _field(records, SPLIT, 0.0)
    # One value for all rows means that nothing was split.
    if len(np.unique(split)) > 1:
        fields["half_set"] = split.astype(np.int64) + 1
    return fields
