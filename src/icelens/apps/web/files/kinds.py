"""What a file is, told from its name alone: quick, for lists of thousands."""

from pathlib import PurePath
from typing import Literal

FileKind = Literal[
    "folder", "volume", "stack", "star", "particles", "table", "settings", "picture", "checkpoint",
    "tilts", "model", "text", "page", "other",
]  # fmt: skip

_ENDINGS: dict[FileKind, tuple[str, ...]] = {
    "volume": (".mrc", ".map", ".rec", ".mrc.gz", ".map.gz", ".tif", ".tiff", ".zarr"),
    "stack": (".mrcs", ".st", ".mrcs.gz"),
    "star": (".star",),
    "particles": (".cs",),
    "table": (".csv", ".tsv", ".tbl", ".box"),
    "settings": (".yaml", ".yml", ".json"),
    "picture": (".png", ".jpg", ".jpeg", ".gif", ".svg"),
    "checkpoint": (".safetensors", ".pt", ".pth", ".ckpt"),
    "tilts": (".tlt", ".rawtlt", ".mdoc", ".aln", ".xml"),
    "model": (".pdb", ".cif", ".mmcif", ".ent"),
    "text": (".txt", ".log", ".md", ".jsonl", ".bib"),
    "page": (".html",),
}
KIND_OF_ENDING: dict[str, FileKind] = {
    ending: kind for kind, endings in _ENDINGS.items() for ending in endings
}
UPLOADED: tuple[FileKind, ...] = (
    "volume", "stack", "star", "particles", "table", "settings", "checkpoint", "tilts", "model",
    "text",
)  # fmt: skip
"""Kinds that may be uploaded: data, and nothing that a browser would run."""


def ending_of(name: str) -> str:
    """The ending by which a kind is told: `.mrc.gz` whole; lower case."""
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes[-2:]]
    both = "".join(suffixes)
    return both if both in KIND_OF_ENDING else "".join(suffixes[-1:])


def kind_of_name(name: str) -> FileKind:
    """What a file of this name holds."""
    return KIND_OF_ENDING.get(ending_of(name), "other")


def is_store(name: str) -> bool:
    """Whether a folder of this name is one volume."""
    return name.lower().endswith(".zarr")
