"""Records of cryoSPARC's .cs files: loaded without pickles, joined by uid, and written again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.io.atomic import atomic_path
from icelens.core.io.image_columns import HALF_SET
from icelens.core.io.plain_file import open_plain
from icelens.core.io.stack_paths import stack_name

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Records = npt.NDArray[Any]

POSE = "alignments3D/pose"
SHIFT = "alignments3D/shift"
SHIFT_PIXEL_SIZE = "alignments3D/psize_A"
SPLIT = "alignments3D/split"
_UID = "uid"
# What a file may leave to its pass-through file: images, CTF and poses.
_PASSED = ("blob/path", "ctf/df1_A", POSE)
_NUMPY, _COMPRESSED = b"\x93NUMPY", b"\x94CSDAT"


def load_records(path: Path) -> Records:
    """The records of a `.cs` file.

    Raises:
        InputFileError: If it is missing, empty, compressed, or holds something else.
    """
    try:
        with open_plain(path) as stream:
            start = stream.read(len(_NUMPY))
        if start == _COMPRESSED:
            raise InputFileError(
                f"{path}: a compressed cryoSPARC data set, expected a numpy array; save it again "
                "with cryosparc-tools in the numpy format"
            )
        if not start:
            raise InputFileError(f"{path}: the file is empty, expected a .cs; export it again")
        records = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise InputFileError(f"{path}: no such .cs file; check the path") from error
    except (ValueError, OSError, EOFError) as error:
        reason = str(error).split("\n")[0]
        raise InputFileError(
            f"{path}: not a readable .cs file ({reason}), expected a numpy array without objects; "
            "export it again"
        ) from error
    # an archive of arrays (.npz) is none either
    if not isinstance(records, np.ndarray) or records.dtype.names is None or records.ndim != 1:
        raise InputFileError(
            f"{path}: a plain array, expected records of cryoSPARC; check the path"
        )
    return records


def joined_records(
    path: Path, records: Records, given: Sequence[Path], on_event: OnEvent
) -> Records:
    """The records with the fields of pass-through files, found by uid."""
    missing = [name for name in _PASSED if name not in field_names(records)]
    beside = sorted(path.parent.glob("*passthrough*.cs")) if missing and not given else []
    for other in given or [each for each in beside if each != path]:
        further = load_records(other)
        fields = [name for name in field_names(further) if name not in field_names(records)]
        if _UID not in field_names(records) or _UID not in field_names(further):
            raise MetadataError(f"{other}: field uid is missing, expected it to join by; add it")
        order = np.argsort(further[_UID])
        known = further[_UID][order]
        place = np.minimum(np.searchsorted(known, records[_UID]), max(len(known) - 1, 0))
        lost = int((known[place] != records[_UID]).sum()) if len(known) else len(records)
        if lost and given:
            raise MetadataError(
                f"{other}: {lost} of {len(records)} particles of {path} are not in it, expected "
                "all; give the pass-through file of the same job"
            )
        if lost or not set(fields) & set(missing):
            continue
        rows = further[order[place]]
        records = with_fields(records, {name: rows[name] for name in fields})
        on_event(Message(f"{path}: joined with {other} by uid"))
    return records


def write_cryosparc(
    path: Path,
    file: ParticleFile,
    *,
    rotation: Floats | None,
    shift_yx: Floats | None,
    columns: Mapping[str, npt.ArrayLike],
    rows: Integers,
) -> None:
    """Write records with other poses; `rotation`, `shift_yx` and `columns` count `rows`.

    `rlnRandomSubset` becomes `alignments3D/split`; other columns become fields `icelens/NAME`.

    Raises:
        InputFileError: If the file cannot be written.
    """
    if file.records is None:
        raise InputFileError(
            f"{path}: particles of a STAR file cannot be written as .cs; write a .star, which "
            "cryoSPARC imports"
        )
    chosen = file.records[file.table_row[rows]]
    stacks = file.particles.stack[rows]
    names = [text_of(name) for name in chosen["blob/path"]]
    new: dict[str, npt.NDArray[Any]] = {"blob/path": _written_paths(path, file, stacks, names)}
    if rotation is not None:
        new[POSE] = poses_from_rotations(rotation).astype(np.float32)
    if shift_yx is not None:
        sizes = file.particles.pixel_size()[rows]
        if SHIFT_PIXEL_SIZE in field_names(chosen):
            sizes = np.asarray(chosen[SHIFT_PIXEL_SIZE], np.float64)
        new[SHIFT_PIXEL_SIZE] = sizes.astype(np.float32)
        new[SHIFT] = (shift_yx[:, ::-1] / sizes[:, None]).astype(np.float32)
    for name, given in columns.items():
        values = np.asarray(given)
        if values.shape != (len(rows),):
            raise GeometryError(
                f"{path}: column {name} has shape {values.shape}, expected ({len(rows)},)"
            )
        if name == HALF_SET:
            new[SPLIT] = (values - 1).astype(np.uint32)
        else:
            new[f"icelens/{name}"] = values.astype("S") if values.dtype.kind in "OU" else values
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, with_fields(chosen, new), allow_pickle=False)


def rotations_from_poses(pose: npt.ArrayLike) -> Floats:
    """`(row, 3, 3)`, reference to image, of cryoSPARC's rotation vectors `(row, 3)`."""
    from scipy.spatial.transform import Rotation

    matrices = Rotation.from_rotvec(np.asarray(pose, np.float64)).as_matrix()
    return np.asarray(np.swapaxes(matrices, -1, -2), np.float64)


def poses_from_rotations(rotation: npt.ArrayLike) -> Floats:
    """CryoSPARC's rotation vectors `(row, 3)` of rotations `(row, 3, 3)`."""
    from scipy.spatial.transform import Rotation

    matrices = np.swapaxes(np.asarray(rotation, np.float64), -1, -2)
    return np.asarray(Rotation.from_matrix(matrices).as_rotvec(), np.float64)


def with_fields(records: Records, new: dict[str, npt.NDArray[Any]]) -> Records:
    """The records with these fields replaced or added."""
    kinds = [(name, *_kind(new.get(name, records[name]))) for name in field_names(records)]
    kinds += [(name, *_kind(new[name])) for name in new if name not in field_names(records)]
    result = np.empty(len(records), np.dtype(kinds))
    for name, *_ in kinds:
        result[name] = new.get(name, records[name] if name in field_names(records) else None)
    return result


def _kind(values: npt.NDArray[Any]) -> tuple[Any, ...]:
    return (values.dtype, values.shape[1:]) if values.ndim > 1 else (values.dtype,)


def field_names(records: Records) -> tuple[str, ...]:
    """Names of the fields, in their order."""
    return records.dtype.names or ()


def text_of(value: object) -> str:
    """Bytes of a record as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _written_paths(
    path: Path, file: ParticleFile, stacks: Integers, names: list[str]
) -> npt.NDArray[Any]:
    """Stacks as a file at `path` has to call them; those that are lost keep their names."""
    new: dict[int, str] = {}
    for stack, name in zip(stacks.tolist(), names, strict=True):
        if stack not in new:
            found = file.particles.stacks[stack]
            new[stack] = stack_name(path, found, name) if found.is_file() else name
    return np.asarray([new[stack].encode() for stack in stacks.tolist()], "S")
