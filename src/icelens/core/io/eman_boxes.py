"""EMAN2's boxes in tomograms: `boxes_3d` and `class_list` of its info JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.atomic import atomic_path
from icelens.core.io.number_table import read_text
from icelens.core.io.particle_columns import numbered_species
from icelens.core.io.picks import checked_picks

Shape = tuple[int, int, int]
_BOXES = "boxes_3d"
_NAME_ENDING = "_info"
_DEFAULT_BOX = 64


def is_eman_info(content: object) -> bool:
    """Whether parsed JSON is an info file of EMAN2 with boxes."""
    return isinstance(content, dict) and _BOXES in content


def read_eman_boxes(
    path: Path, *, pixel_size: float, shape: Shape, tomogram_id: str | None = None
) -> Picks:
    """Read the boxes of one tomogram.

    Files with `apix_unbin` count unbinned pixels from the middle voxel, older ones count voxels of
    the tomogram from its first.

    Args:
        path: `info/NAME_info.json`.
        pixel_size: Of the tomogram in Å/px.
        shape: Its voxels `(z, y, x)`.
        tomogram_id: Name to use instead of the file's.

    Raises:
        InputFileError: If the file is missing or not of that layout.
    """
    try:
        content = json.loads(read_text(path, expected="EMAN2's info JSON"))
        boxes, classes = content[_BOXES], content.get("class_list", {})
        unbinned = float(content.get("apix_unbin", 0.0))
        coordinate_xyz = np.reshape([[float(v) for v in box[:3]] for box in boxes], (-1, 3))
        score = np.array([float(box[4]) if len(box) > 4 else 1.0 for box in boxes])
        kinds = [str(int(box[5])) if len(box) > 5 else "0" for box in boxes]
        species = tuple(_class_name(classes.get(kind, kind)) for kind in kinds)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputFileError(
            f"{path}: not boxes of EMAN2 ({type(error).__name__}: {error}), expected {_BOXES} with "
            "x, y, z of each; save them again"
        ) from error
    if unbinned > 0:
        middle_xyz = np.array([side // 2 for side in shape[::-1]], np.float64)
        position_xyz = coordinate_xyz * unbinned + middle_xyz * pixel_size
    else:
        position_xyz = coordinate_xyz * pixel_size
    name = path.stem.removesuffix(_NAME_ENDING) if tomogram_id is None else tomogram_id
    return checked_picks(
        path,
        position_zyx=position_xyz[:, ::-1],
        species=species,
        score=score,
        tomogram_id=(name,) * len(boxes),
    )


def write_eman_boxes(
    path: Path,
    picks: Picks,
    *,
    pixel_size: float,
    shape: Shape,
    unbinned_pixel_size: float | None = None,
    radius: Mapping[str, float] | None = None,
) -> None:
    """Write the boxes of one tomogram; other entries of an existing info file stay.

    Args:
        path: `info/NAME_info.json`.
        picks: Of one tomogram; their rotations have no place in this format.
        pixel_size: Of the tomogram in Å/px.
        shape: Its voxels `(z, y, x)`.
        unbinned_pixel_size: Of the tilt series in Å; else the tomogram's own.
        radius: Of each species in Å, for the size of boxes on the screen.

    Raises:
        MetadataError: If the picks are of several tomograms.
        InputFileError: If an existing file is no JSON.
    """
    if len(set(picks.tomogram_id)) > 1:
        raise MetadataError(
            f"{path}: EMAN2 keeps one tomogram per file, got {sorted(set(picks.tomogram_id))}; "
            "write one file for each"
        )
    unbinned = unbinned_pixel_size or pixel_size
    middle_zyx = np.array([side // 2 for side in shape], np.float64) * pixel_size
    centred_xyz = ((picks.position_zyx - middle_zyx) / unbinned)[:, ::-1]
    numbers = {name: number - 1 for name, number in numbered_species(picks).items()}
    content = _existing(path)
    content["apix_unbin"] = unbinned
    content["class_list"] = {
        str(number): {"name": name or "particles", "boxsize": _box(name, radius, unbinned)}
        for name, number in numbers.items()
    }
    content[_BOXES] = [
        [*xyz, "icelens", score, numbers[name]]
        for xyz, score, name in zip(
            centred_xyz.tolist(), picks.score.tolist(), picks.species, strict=True
        )
    ]
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _existing(path: Path) -> dict[str, Any]:
    """What the file holds already: EMAN2 keeps tilts and CTF in it too."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputFileError(
            f"{path}: no JSON ({error}), expected EMAN2's; move it away"
        ) from error
    if not isinstance(content, dict):
        raise InputFileError(f"{path}: JSON without fields, expected EMAN2's; move it away")
    return content


def _box(name: str, radius: Mapping[str, float] | None, pixel_size: float) -> int:
    """An even box of three radii, in unbinned pixels."""
    known = (radius or {}).get(name)
    return _DEFAULT_BOX if known is None else 2 * int(np.ceil(1.5 * known / pixel_size))


def _class_name(entry: object) -> str:
    """Name of a class: a mapping in new files, the bare name in old ones."""
    return str(entry["name"]) if isinstance(entry, dict) else str(entry)
