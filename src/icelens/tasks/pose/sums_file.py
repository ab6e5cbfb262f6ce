"""Sums over images in a file: what parts of an inference hand to each other."""

from pathlib import Path

from icelens.core.fourier.insertion import SliceSums
from icelens.training.checkpoint import read_tensors, save_checkpoint
from icelens.training.contract import JSON


def write_sums(path: Path, sums: SliceSums, included: tuple[str, ...] = ()) -> None:
    """Write sums, and the names of what is in them; complete or not at all."""
    grid = sums.grid
    description: dict[str, JSON] = {
        "kind": "sums",
        "box_size": grid.box_size,
        "padding": grid.padding,
        "max_radius": grid.max_radius,
        "included": list(included),
    }
    save_checkpoint(path, {"values": sums.values}, description)


def read_sums(path: Path) -> SliceSums:
    """Read what `write_sums` wrote."""
    stored = read_tensors(path)
    known = stored.description
    sums = SliceSums(known["box_size"], padding=known["padding"], max_radius=known["max_radius"])
    sums.values = stored.tensors["values"]
    return sums
