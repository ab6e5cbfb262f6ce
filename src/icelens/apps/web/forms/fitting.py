"""Which results fit which inputs: the one table of what jobs read and write."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "tomograms", "particles", "volume", "stack", "picks", "project", "latents",
    "hetero run", "picker", "pose model", "restorer", "folder", "file",
]  # fmt: skip

ENDINGS: dict[Kind, tuple[str, ...]] = {
    "tomograms": (".star",),
    "particles": (".star", ".cs"),
    "volume": (".mrc", ".map", ".rec", ".mrc.gz", ".tif", ".tiff", ".zarr"),
    "stack": (".mrcs", ".st"),
    "picks": (".star", ".csv", ".json", ".tbl", ".box", ".txt"),
    "project": (".json",),
    "latents": (".csv", ".txt"),
}
"""Kinds that are files, and how their names end; the others are folders or anything."""

KIND_OF_SAVED: dict[str, Kind] = {
    "particle list": "particles",
    "tomogram list": "tomograms",
    "volume": "volume",
    "mask": "volume",
    "picks": "picks",
    "latents": "latents",
    "image stack": "stack",
}
"""What `Saved.kind` says in the record of a run."""

_WRITTEN = {
    ("restore.prepare", "star"),
    ("hetero.select", "index"),
    ("tools.star-to-json", "json_file"),
    ("tools.json-to-star", "star"),
    ("pick.import", "overlay"),
    ("pick.import", "project"),
}
"""Besides `output`, settings that name what a job writes."""

_MAPS = {"map", "map_1", "map_2", "maps", "half_1", "half_2", "mask", "map_half_2", "labels"}
_PARTICLES = {"particles", "particles_1", "particles_2", "particles_star"}
_ALSO_STACKS = {"tools.downsample", "tools.process-images", "tools.montage"}
_BY_TASK: dict[tuple[str, str], tuple[Kind, ...]] = {
    ("hetero", "run"): ("hetero run",),
    ("tools", "run"): ("hetero run",),
    ("pick", "model"): ("picker",),
    ("pick", "pretrained"): ("picker",),
    ("pick", "project"): ("project",),
    ("pick", "picks"): ("picks",),
    ("pick", "picks_file"): ("picks",),
    ("tools", "picks"): ("picks",),
    ("pose", "model"): ("pose model",),
    ("pose", "pretrained"): ("pose model",),
    ("restore", "checkpoint"): ("restorer",),
    ("restore", "pretrained"): ("restorer",),
}


@dataclass(frozen=True)
class Product:
    """What a job leaves: below its folder, or where one of its settings says (`@star`)."""

    kind: Kind
    place: str = ""


_FILE = "@output"
_LIST = (Product("particles", "particles.star"),)
PRODUCTS: dict[str, tuple[Product, ...]] = {
    "restore.prepare": (Product("tomograms", "@star"),),
    "simulate.tomograms": (Product("tomograms", "tomograms.star"), Product("project")),
    "tools.resize": (Product("tomograms", "tomograms.star"),),
    **dict.fromkeys(
        ("restore.refine", "restore.denoise", "restore.import-checkpoint"), (Product("restorer"),)
    ),
    **dict.fromkeys(("pick.train", "pick.search", "pick.import-octopi"), (Product("picker"),)),
    "pick.import": (Product("project", "@project"),),
    "pick.extract": _LIST,
    "pick.export": (Product("picks", _FILE),),
    "tools.consensus-picks": (Product("picks", _FILE),),
    "pose.train": (Product("pose model"),),
    **dict.fromkeys(
        ("pose.infer", "pose.watch", "simulate.particles", "simulate.states",
         "tools.regroup-stacks"), _LIST,
    ),
    **dict.fromkeys(
        ("pose.refine", "hetero.select", "tools.select-particles", "tools.join-particles",
         "tools.consensus-poses", "tools.new-star", "tools.downsample", "tools.process-images"),
        (Product("particles", _FILE),),
    ),
    **dict.fromkeys(
        ("hetero.train", "hetero.linear", "hetero.abinitio"),
        (Product("hetero run"), Product("latents", "latents.csv")),
    ),
    "tools.import-cryodrgn": (Product("hetero run"), *_LIST),
    **dict.fromkeys(
        ("tools.reconstruct", "tools.mask", "tools.edit-map", "tools.flip-hand"),
        (Product("volume", _FILE),),
    ),
    "tools.sharpen": (Product("volume", "sharpened.mrc"),),
    "tools.postprocess": (Product("volume", "sharpened.mrc"), Product("volume", "mask.mrc")),
}  # fmt: skip
"""What jobs will leave, known before they run."""


def is_written(job_name: str, key: str) -> bool:
    """Whether a setting names what the job writes."""
    return key == "output" or (job_name, key) in _WRITTEN


def accepted_kinds(job_name: str, key: str, text: str) -> tuple[Kind, ...]:
    """Kinds of results that a path setting takes.

    Args:
        job_name: `task.job`.
        key: Dotted name of the setting.
        text: Its help, which says `Folder` where one is needed.
    """
    task, name = job_name.partition(".")[0], key.rpartition(".")[2]
    if is_written(job_name, key):
        return ("folder",) if text.startswith("Folder") else ("file",)
    if (task, name) in _BY_TASK:
        return _BY_TASK[task, name]
    if name in ("star", "tomograms_star", "tomograms", "relion5"):
        return ("tomograms",)
    if name in _PARTICLES:
        return ("particles", "stack") if job_name in _ALSO_STACKS else ("particles",)
    if name in _MAPS:
        return ("volume",)
    if name in ("latent", "latents"):
        return ("latents",)
    return ("folder",) if text.startswith("Folder") else ("file",)


def endings_of(kinds: tuple[Kind, ...]) -> tuple[str, ...]:
    """How names of fitting files end; empty if any may do."""
    if any(kind not in ENDINGS for kind in kinds):
        return ()
    return tuple(dict.fromkeys(ending for kind in kinds for ending in ENDINGS[kind]))
