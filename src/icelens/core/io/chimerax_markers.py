"""ChimeraX marker sets (.cmm): points in Å with radius and colour, one set per file."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError
from icelens.core.io.atomic import atomic_path
from icelens.core.io.number_table import read_text
from icelens.core.io.picks import checked_picks

Rgb = tuple[int, int, int]
_GREY: Rgb = (100, 100, 100)
_DEFAULT_RADIUS = 50.0


def read_markers(path: Path, *, tomogram_id: str | None = None) -> Picks:
    """Read markers; the species is each marker's `note`, or the name of the set.

    Markers must have been placed in the frame of the tomogram with its origin at zero.

    Args:
        path: `.cmm` file.
        tomogram_id: Name to use instead of the file's.

    Raises:
        InputFileError: If the file is missing, no XML, or a marker has no place.
    """
    text = read_text(path, expected="a marker set of ChimeraX")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # a small file can unfold into gigabytes
        raise InputFileError(f"{path}: XML with a DOCTYPE, expected plain markers; save them again")
    try:
        root = ElementTree.fromstring(text)
        sets = [root] if root.tag == "marker_set" else root.findall("marker_set")
        marked = [(group, marker) for group in sets for marker in group.iter("marker")]
        xyz = [[float(marker.attrib[axis]) for axis in "xyz"] for _, marker in marked]
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise InputFileError(
            f"{path}: not a marker set of ChimeraX ({type(error).__name__}: {error}), expected "
            "markers with x, y, z; save them again"
        ) from error
    if not sets:
        raise InputFileError(f"{path}: XML of {root.tag}, expected marker_set; save it again")
    name = path.stem if tomogram_id is None else tomogram_id
    return checked_picks(
        path,
        position_zyx=np.reshape(np.asarray(xyz, np.float64), (-1, 3))[:, ::-1],
        species=tuple(m.get("note") or group.get("name") or "" for group, m in marked),
        tomogram_id=(name,) * len(marked),
    )


def write_markers(
    path: Path,
    picks: Picks,
    *,
    radius: Mapping[str, float] | None = None,
    color: Mapping[str, Rgb] | None = None,
) -> None:
    """Write the picks of one tomogram as markers; the species is each marker's `note`.

    Args:
        path: `.cmm` file to write.
        picks: Of one tomogram.
        radius: Of each species in Å.
        color: Red, green, blue of each species, from 0 to 255.
    """
    root = ElementTree.Element("marker_set", name=path.stem)
    rows = zip(picks.position_zyx.tolist(), picks.species, strict=True)
    for number, ((z, y, x), name) in enumerate(rows, start=1):
        red, green, blue = (color or {}).get(name, _GREY)
        shades = {"r": red / 255, "g": green / 255, "b": blue / 255}
        size = (radius or {}).get(name, _DEFAULT_RADIUS)
        ElementTree.SubElement(
            root,
            "marker",
            {"id": str(number)}
            | {axis: repr(value) for axis, value in (("x", x), ("y", y), ("z", z))}
            | {shade: f"{value:.4g}" for shade, value in shades.items()}
            | {"radius": f"{size:g}"}
            | ({"note": name} if name else {}),
        )
    ElementTree.indent(root)
    with atomic_path(path) as temporary:
        text = ElementTree.tostring(root, encoding="unicode") + "\n"
        temporary.write_text(text, encoding="utf-8")
