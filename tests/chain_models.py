"""Small atomic models of two or three chains, as PDB files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np


def write_model(path: Path, chains: Mapping[str, np.ndarray]) -> Path:
    """Carbon atoms at places (atom, xyz) in Å, one for each residue of each chain."""
    lines, serial = [], 0
    for name, places in chains.items():
        for residue, (x, y, z) in enumerate(places, start=1):
            serial += 1
            lines.append(
                f"ATOM  {serial:5d}  CA  ALA {name}{residue:4d}    "
                f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C"
            )
        lines.append("TER")
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def rod(
    start: tuple[float, float, float], end: tuple[float, float, float], count: int = 20
) -> np.ndarray:
    """Places along a line."""
    return np.linspace(start, end, count)


def angled() -> dict[str, np.ndarray]:
    """Chain A lies along x from the origin, B along y: they touch at the origin."""
    return {
        "A": rod((0.0, 0.0, 0.0), (40.0, 0.0, 0.0)),
        "B": rod((0.0, 2.0, 0.0), (0.0, 40.0, 0.0)),
    }
