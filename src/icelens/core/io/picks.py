"""Picks to and from files: copick JSON, box files of x y z voxels, CSV; RELION is next door."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.io.atomic import atomic_path

_CSV_COLUMNS = ("tomogram_id", "species", "z", "y", "x", "score")
_CSV_ROTATION = tuple(f"r{row}{column}" for row in range(3) for column in range(3))


def read_copick(path: Path, *, tomogram_id: str | None = None) -> Picks:
    """Read a copick picks file: points in Å, oriented by their 4 x 4 `transformation_`.

    Args:
        path: JSON file of one object in one run.
        tomogram_id: Name to use instead of the file's `run_name`.

    Raises:
        InputFileError: If the file is missing or not of that layout.
    """
    content = _read_json(path)
    try:
        points = content["points"] or []
        locations = [[float(point["location"][axis]) for axis in "xyz"] for point in points]
        poses = [point.get("transformation_") or np.eye(4) for point in points]
        matrices = np.asarray(poses, np.float64).reshape(len(points), 4, 4)
        scores = np.array([_score(point.get("score")) for point in points])
    except (KeyError, TypeError, ValueError) as error:
        raise InputFileError(
            f"{path}: not a copick picks file ({type(error).__name__}: {error}), expected points "
            "with location x, y, z and a 4 x 4 transformation_; export it again"
        ) from error
    # The translation of the pose is a shift in Å beside the location.
    position_xyz = np.reshape(locations, (-1, 3)) + matrices[:, :3, 3]
    name = tomogram_id if tomogram_id is not None else str(content.get("run_name") or "")
    species = str(content.get("pickable_object_name") or "")
    return checked_picks(
        path,
        position_zyx=position_xyz[:, ::-1],
        rotation=matrices[:, :3, :3],
        species=(species,) * len(points),
        score=scores,
        tomogram_id=(name,) * len(points),
    )


def write_copick(
    path: Path,
    picks: Picks,
    *,
    user_id: str = "icelens",
    session_id: str = "0",
    species: str | None = None,
    run_name: str | None = None,
) -> None:
    """Write picks of one species in one tomogram as copick JSON.

    Args:
        path: File to write.
        picks: Positions, poses and scores.
        user_id: Who made them.
        session_id: In which session; 0 stands for a program.
        species: Name to write instead of that of the picks, which are none in an empty list.
        run_name: Name to write instead of the tomogram's.

    Raises:
        MetadataError: If the picks are of several species or tomograms.
    """
    found, tomograms = set(picks.species), set(picks.tomogram_id)
    if len(found) > 1 or len(tomograms) > 1:
        raise MetadataError(
            f"{path}: copick holds one species of one tomogram per file, got {sorted(found)} in "
            f"{sorted(tomograms)}; write one file for each"
        )
    content = {
        "pickable_object_name": next(iter(found), "") if species is None else species,
        "user_id": user_id,
        "session_id": session_id,
        "run_name": next(iter(tomograms), "") if run_name is None else run_name,
        "unit": "angstrom",
        "trust_orientation": True,
        "points": [_point(picks, number) for number in range(len(picks))],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def read_box_file(path: Path, *, pixel_size: float, tomogram_id: str = "") -> Picks:
    """Read IsoNet's box file: one position per line, `x y z` in voxels from the first one.

    Raises:
        InputFileError: If the file is missing or a line does not begin with three numbers.
    """
    positions = []
    for number, line in enumerate(_read_text(path).splitlines(), start=1):
        words = line.replace(",", " ").split()
        if not words or line.lstrip().startswith("#"):
            continue
        try:
            x, y, z = (float(word) for word in words[:3])
        except ValueError as error:
            raise InputFileError(
                f"{path}: line {number} is {line.strip()!r}, expected x y z in voxels; correct it"
            ) from error
        positions.append([z * pixel_size, y * pixel_size, x * pixel_size])
    position_zyx = np.reshape(np.asarray(positions, np.float64), (-1, 3))
    return checked_picks(
        path, position_zyx=position_zyx, tomogram_id=(tomogram_id,) * len(positions)
    )


def write_box_file(path: Path, picks: Picks, *, pixel_size: float) -> None:
    """Write positions of one tomogram as `x y z` in voxels."""
    lines = [
        f"{x:.3f}\t{y:.3f}\t{z:.3f}\n" for z, y, x in (picks.position_zyx / pixel_size).tolist()
    ]
    with atomic_path(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def read_picks_csv(path: Path) -> Picks:
    """Read a table with columns z, y, x in Å and, if there, names, score and rotation matrix.

    Raises:
        InputFileError: If the file is missing, or a position is not a number.
    """
    rows = list(csv.DictReader(_read_text(path).splitlines()))
    try:
        position_zyx = np.reshape([[float(row[axis]) for axis in "zyx"] for row in rows], (-1, 3))
        matrices = [[float(row[name]) for name in _CSV_ROTATION] for row in rows if "r00" in row]
        scores = np.array([_score(row.get("score")) for row in rows])
    except (KeyError, TypeError, ValueError) as error:
        raise InputFileError(
            f"{path}: {type(error).__name__} {error}, expected a CSV table with columns z, y, x in "
            "Å; correct its header or values"
        ) from error
    return checked_picks(
        path,
        position_zyx=position_zyx,
        rotation=np.reshape(np.asarray(matrices, np.float64), (-1, 3, 3)),
        species=tuple(row.get("species") or "" for row in rows),
        score=scores,
        tomogram_id=tuple(row.get("tomogram_id") or "" for row in rows),
    )


def write_picks_csv(path: Path, picks: Picks) -> None:
    """Write all that is known of picks as a table; positions in Å, the rotation row by row."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*_CSV_COLUMNS, *_CSV_ROTATION])
        for number in range(len(picks)):
            numbers: Sequence[float] = [
                *picks.position_zyx[number].tolist(),
                float(picks.score[number]),
                *picks.rotation[number].ravel().tolist(),
            ]
            writer.writerow([picks.tomogram_id[number], picks.species[number], *numbers])


def _point(picks: Picks, number: int) -> dict[str, Any]:
    z, y, x = picks.position_zyx[number].tolist()
    pose = np.eye(4)
    pose[:3, :3] = picks.rotation[number]
    return {
        "location": {"x": x, "y": y, "z": z},
        "transformation_": pose.tolist(),
        "instance_id": number,
        "score": float(picks.score[number]),
    }


def _score(value: object) -> float:
    """A score, 1 where none is given."""
    return 1.0 if value in (None, "") else float(str(value))


def checked_picks(path: Path, **values: Any) -> Picks:  # noqa: ANN401 - fields of Picks
    """Picks, with the file named if they are impossible."""
    try:
        return Picks(**values)
    except GeometryError as error:
        raise InputFileError(f"{path}: {error}; correct the file or export it again") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{path}: not JSON ({error}); export the picks again") from error
    if not isinstance(content, dict):
        raise InputFileError(f"{path}: JSON without fields, expected a copick picks file")
    return content


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text in UTF-8"
        raise InputFileError(f"{path}: cannot be read ({reason}); check the path") from error
