"""Read and write the configuration of a copick project (JSON)."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import IcelensError, InputFileError, MetadataError
from icelens.core.io.atomic import atomic_path
from icelens.core.io.copick.keys import check_name

FILESYSTEM = "filesystem"
_KINDS = (FILESYSTEM, "cryoet_data_portal", "mlcroissant")
_LOCAL = ("local://", "file://")


@dataclass(frozen=True)
class ProjectFile:
    """A configuration: `static_root` is None where nothing lies beside the overlay.

    `is_remote` says that some of it is not on a local disk; `overlay_root` is None if that is what
    is written. `runs` is None where the folders say which runs there are. `content` is the JSON as
    it was read.
    """

    path: Path
    name: str
    objects: tuple[PickableObject, ...]
    static_root: Path | None
    overlay_root: Path | None
    runs: tuple[str, ...] | None
    content: Mapping[str, Any]
    is_remote: bool = False


def read_project_file(path: Path) -> ProjectFile:
    """Read a configuration; fields copick may add later are carried along.

    Raises:
        InputFileError: If the file is missing, or not the JSON of a copick project.
        MetadataError: If objects clash, or a root is missing.
    """
    content = _read_json(path)
    kind = content.get("config_type") or FILESYSTEM
    if kind not in _KINDS:
        raise InputFileError(
            f"{path}: config_type is {kind!r}, expected one of {', '.join(_KINDS)}; correct it"
        )
    listed = content.get("pickable_objects")
    if not isinstance(listed, list):
        raise InputFileError(
            f"{path}: no list of pickable_objects, expected the configuration of a copick project"
        )
    try:
        objects = tuple(object_from_json(dict(entry)) for entry in listed)
        check_objects(objects)
        static_root, overlay_root, is_remote = _roots(path, content, kind)
        runs = _listed_runs(content)
    except (MetadataError, TypeError, ValueError, KeyError) as error:
        reason = str(error) if isinstance(error, IcelensError) else _malformed(error)
        raise MetadataError(f"{path}: {reason}") from error
    return ProjectFile(
        path=path,
        name=str(content.get("name") or path.stem),
        objects=objects,
        static_root=static_root,
        overlay_root=overlay_root,
        runs=runs,
        content=content,
        is_remote=is_remote,
    )


def write_project_file(path: Path, content: Mapping[str, Any]) -> None:
    """Write a configuration.

    Raises:
        InputFileError: If the file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(
            json.dumps(content, indent=4, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def new_project_content(
    name: str, objects: Sequence[PickableObject], *, overlay_root: Path, static_root: Path | None
) -> dict[str, Any]:
    """The JSON of a project on a local disk; roots are made absolute."""
    content: dict[str, Any] = {
        "config_type": FILESYSTEM,
        "name": name,
        "description": "made by icelens",
        "version": "1.0.0",
        "pickable_objects": [object_to_json(each) for each in objects],
        "overlay_root": f"local://{overlay_root.resolve()}",
        "overlay_fs_args": {"auto_mkdir": True},
    }
    if static_root is not None:
        content |= {
            "static_root": f"local://{static_root.resolve()}",
            "static_fs_args": {"auto_mkdir": True},
        }
    return content


def object_from_json(entry: Mapping[str, Any]) -> PickableObject:
    """One of `pickable_objects`; a radius that is missing or not positive is told when it is used.

    Raises:
        MetadataError: If its name, label, radius or weight is impossible.
    """
    if not isinstance(entry["name"], str):
        raise MetadataError(f"an object has name {entry['name']!r}, expected text; correct it")
    name = check_name(entry["name"], "object")
    label, radius = entry.get("label", 1), entry.get("radius")
    is_particle = entry.get("is_particle", True)
    if is_particle not in (True, False):
        raise MetadataError(
            f"object {name} has is_particle {is_particle!r}, expected true or false; correct it"
        )
    if isinstance(label, bool) or not isinstance(label, int) or label < 1:
        raise MetadataError(
            f"object {name} has label {label}, expected a whole number from 1 (0 is the "
            "background); correct its label"
        )
    if radius is not None and (isinstance(radius, bool) or not isinstance(radius, int | float)):
        raise MetadataError(f"object {name} has radius {radius!r}, expected Å; correct it")
    color = tuple(int(part) for part in entry.get("color") or (100, 100, 100, 255))
    if len(color) != 4 or not all(0 <= part <= 255 for part in color):
        raise MetadataError(f"object {name} has color {color}, expected RGBA from 0 to 255")
    red, green, blue, alpha = color
    found = PickableObject(
        name=name,
        label=label,
        radius=None if radius is None else float(radius),
        is_particle=bool(is_particle),
        color=(red, green, blue, alpha),
        metadata=dict(entry.get("metadata") or {}),
    )
    _check_weight(found)
    return found


def object_to_json(each: PickableObject) -> dict[str, Any]:
    """An object as copick writes it."""
    return {
        "name": each.name,
        "is_particle": each.is_particle,
        "label": each.label,
        "color": list(each.color),
        "radius": each.radius,
        "metadata": dict(each.metadata),
    }


def check_objects(objects: Sequence[PickableObject]) -> None:
    """Refuse two objects of one name or one label.

    Raises:
        MetadataError: Naming both.
    """
    by_label: dict[int, str] = {}
    names: set[str] = set()
    for each in objects:
        if each.name in names:
            raise MetadataError(f"object {each.name} is there twice; rename or remove one")
        if each.label in by_label:
            raise MetadataError(
                f"objects {by_label[each.label]} and {each.name} both have label {each.label}; "
                "give each its own"
            )
        names.add(each.name)
        by_label[each.label] = each.name


def local_path(root: str, beside: Path) -> Path | None:
    """The folder that a root names, None if it is not on a local disk.

    A relative one counts from the working directory, as in copick; if nothing is there, from the
    configuration, so that a project can be moved as a whole.
    """
    for prefix in _LOCAL:
        root = root.removeprefix(prefix)
    if "://" in root:
        return None
    folder = Path(root).expanduser()
    if not folder.is_absolute() and not folder.exists() and (beside / folder).exists():
        return beside / folder
    return folder


def _roots(
    path: Path, content: Mapping[str, Any], kind: str
) -> tuple[Path | None, Path | None, bool]:
    """Static and overlay root, as far as they are on a local disk, and whether that is not all."""
    overlay, static = content.get("overlay_root"), content.get("static_root")
    if not isinstance(overlay, str) or not overlay:
        raise MetadataError("overlay_root is missing; name a folder that can be written")
    overlay_root = local_path(overlay, path.parent)
    static_root = local_path(str(static), path.parent) if static else None
    if kind != FILESYSTEM or overlay_root is None or (static and static_root is None):
        return None, overlay_root, True
    if static_root is not None and not static_root.is_dir():
        raise MetadataError(f"static_root {static_root} is no folder; correct the configuration")
    return static_root, overlay_root, False


def _listed_runs(content: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Names of the runs, where the configuration lists them."""
    runs = content.get("runs")
    if runs is None:
        return None
    if not isinstance(runs, list) or not all(isinstance(run, str) for run in runs):
        raise MetadataError("runs is no list of names; correct it, or leave it out for all runs")
    return tuple(runs)


def _check_weight(found: PickableObject) -> None:
    try:
        is_usable = math.isfinite(found.weight) and found.weight >= 0
    except (TypeError, ValueError):
        is_usable = False
    if not is_usable:
        raise MetadataError(
            f"object {found.name} has a weight that is no positive number; correct score_weight or "
            "weight of its metadata"
        )


def _malformed(error: Exception) -> str:
    return (
        f"an object cannot be read ({type(error).__name__}: {error}), expected name, label, "
        "radius; correct pickable_objects"
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text in UTF-8"
        raise InputFileError(f"{path}: cannot be read ({reason}); check --project") from error
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{path}: not JSON ({error}); correct the configuration") from error
    if not isinstance(content, dict):
        raise InputFileError(f"{path}: JSON without fields, expected a copick configuration")
    return content
