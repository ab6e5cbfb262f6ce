"""The objects of a plain folder, from a table and from the names its coordinates have."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.config import check_objects, object_from_json
from icelens.core.io.copick.keys import copick_name
from icelens.core.io.csv_table import write_csv

OBJECTS_FILE = "objects.csv"
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def objects_of(path: Path, species: Iterable[str]) -> tuple[PickableObject, ...]:
    """Objects of the table, if it is there, and of the species found; by label.

    Labels that the table leaves out are the smallest free ones, in the order of names. Without a
    radius an object is known, but what needs the radius says that this table should give it.

    Args:
        path: CSV with columns name, radius (Å) and, if wanted, label, weight and is_particle.
        species: Names that coordinates have.

    Raises:
        InputFileError: If the table cannot be read.
        MetadataError: If a name or label comes twice, or a value is impossible.
    """
    rows = {name: dict(row) for name, row in _rows(path)} if path.exists() else {}
    names = sorted({*rows, *species})
    taken = {row["label"] for row in rows.values() if row.get("label") is not None}
    free = (label for label in range(1, len(names) + len(taken) + 1) if label not in taken)
    objects = []
    for name in names:
        row = rows.get(name, {"metadata": {}})
        label = row["label"] if row.get("label") is not None else next(free)
        try:
            objects.append(object_from_json({**row, "name": name, "label": label}))
        except MetadataError as error:
            raise MetadataError(f"{path}: {error}") from error
    objects.sort(key=lambda each: each.label)
    try:
        check_objects(objects)
    except MetadataError as error:
        raise MetadataError(f"{path}: {error}") from error
    return tuple(objects)


def write_objects(path: Path, objects: Sequence[PickableObject]) -> None:
    """Write a table that `objects_of` reads.

    Raises:
        InputFileError: If the file cannot be written.
    """
    write_csv(
        path,
        ("name", "label", "radius", "weight", "is_particle"),
        (
            (each.name, each.label, each.radius or "", each.weight, str(each.is_particle).lower())
            for each in objects
        ),
    )


def _rows(path: Path) -> Iterable[tuple[str, Mapping[str, object]]]:
    """Each object as the entry of a configuration."""
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "not a table in UTF-8"
        raise InputFileError(f"{path}: cannot be read ({reason}); check the file") from error
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        try:
            name, entry = _entry(row)
        except (KeyError, ValueError, AttributeError, MetadataError) as error:
            raise InputFileError(
                f"{path}: line {number} cannot be used ({type(error).__name__}: {error}), expected "
                "name,radius and maybe label,weight,is_particle; correct it"
            ) from error
        if name in seen:
            raise MetadataError(f"{path}: object {name} is there twice; remove one")
        seen.add(name)
        yield name, entry


def _entry(row: Mapping[str, str]) -> tuple[str, dict[str, object]]:
    radius, label = row["radius"].strip(), (row.get("label") or "").strip()
    weight, word = (row.get("weight") or "").strip(), (row.get("is_particle") or "true").strip()
    entry: dict[str, object] = {
        "radius": float(radius) if radius else None,
        "label": int(label) if label else None,
        "is_particle": _WORDS[word.lower()],
        "metadata": {"score_weight": float(weight)} if weight else {},
    }
    return copick_name(row["name"]), entry
