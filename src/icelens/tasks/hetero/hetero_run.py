"""A run of hetero as analysis sees it: its particles, latents and volumes, whatever its model."""

import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.latents import LatentTable
from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import CheckpointError, InputFileError
from icelens.core.events import OnEvent, ignore
from icelens.core.io.atomic import atomic_path
from icelens.core.io.latent_table import read_latents
from icelens.core.io.particle_files import read_particles
from icelens.tasks.hetero.prepared_images import FACTS_NAME, PreparedImages, open_cache

RUN_NAME = "hetero.json"
LATENTS_NAME = "latents.csv"
POSES_NAME = "particles.star"
_VERSION = 1
IMPORTED = "cryodrgn"
"""Kind of runs that another program made."""
KINDS = ("vae", "autodecoder", "homogeneous", "linear", "abinitio", IMPORTED)


class VolumeModel(Protocol):
    """Turns latents into maps."""

    @property
    def latent_dim(self) -> int:
        """Coordinates of a latent; 0 for one structure."""
        ...

    @property
    def box_size(self) -> int:
        """Side of its volumes, in px."""
        ...

    @property
    def pixel_size(self) -> float:
        """Sampling of its volumes, in Å/px."""
        ...

    @property
    def has_halves(self) -> bool:
        """Whether it holds a decoder for each half set."""
        ...

    def volumes(
        self,
        latent: Float[Tensor, "state latent_dim"],
        *,
        half: int = 0,
        box_size: int | None = None,
    ) -> Iterator[Float[Tensor, "n n n"]]:
        """Maps, protein bright, on the grey scale of the images; one at a time.

        Args:
            latent: A line for each map.
            half: 0 for the model, 1 or 2 for the decoder of that half set.
            box_size: Side in px of a coarser grid of the same width.
        """
        ...

    def encode(self, images: PreparedImages, on_event: OnEvent = ignore) -> LatentTable:
        """Latents of the particles that images show."""
        ...


@dataclass(frozen=True)
class RunFacts:
    """What a run of hetero says of itself.

    Attributes:
        kind: One of `KINDS`.
        latent_dim: Coordinates of a latent.
        box_size: Of its volumes, in px.
        pixel_size: Of its volumes, in Å/px.
        particles: Files of its particles, as given or as the run wrote them.
        stack_root: Folder of their stacks, where it was given.
        tomograms: STAR file of the tomograms, where it was given.
        skip_missing: Whether images without a stack were left out.
        is_posed: Whether the run's own `particles.star` holds its final poses.
        tilts: Images of a tilt series that are used, lowest dose first; 0 for all.
    """

    kind: str
    latent_dim: int
    box_size: int
    pixel_size: float
    particles: tuple[str, ...]
    stack_root: str | None = None
    tomograms: str | None = None
    skip_missing: bool = False
    is_posed: bool = False
    tilts: int = 0

    def __post_init__(self) -> None:
        """Refuse what an edited file might say.

        Raises:
            ValueError: If a number or the particles cannot be.
        """
        whole = (self.latent_dim, self.box_size, self.tilts)
        if not all(type(each) is int for each in whole) or min(whole) < 0 or self.box_size < 2:
            raise ValueError("latent_dim, box_size and tilts are no numbers of things")
        if not 0.0 < float(self.pixel_size) < math.inf or not self.particles:
            raise ValueError("no pixel size or no particles")


@dataclass(frozen=True)
class HeteroRun:
    """What a run folder holds."""

    folder: Path
    facts: RunFacts

    @property
    def kind(self) -> str:
        """Which model it is of: one of `KINDS`."""
        return self.facts.kind

    @property
    def latent_dim(self) -> int:
        """Coordinates of a latent."""
        return self.facts.latent_dim

    @property
    def box_size(self) -> int:
        """Side of its volumes, in px."""
        return self.facts.box_size

    @property
    def pixel_size(self) -> float:
        """Sampling of its volumes, in Å/px."""
        return self.facts.pixel_size

    def particle_file(self, on_event: OnEvent = ignore) -> ParticleFile:
        """The particles that it was made from, with the poses it ended with."""
        facts = self.facts
        own = self.folder / POSES_NAME
        given = [self.folder / path for path in facts.particles]
        return read_particles(
            [own] if facts.is_posed and own.is_file() else given,
            stack_root=None if facts.stack_root is None else Path(facts.stack_root),
            tomograms=None if facts.tomograms is None else Path(facts.tomograms),
            skip_missing=facts.skip_missing,
            on_event=on_event,
        )

    def latents(self, epoch: int | None = None) -> LatentTable:
        """Latents of its particles, at the end or after an epoch.

        Raises:
            InputFileError: If they are not there.
        """
        path = self.folder / LATENTS_NAME
        if epoch is not None:
            path = self.folder / "latents" / f"epoch_{epoch:04d}.csv"
            if not path.is_file():
                known = ", ".join(map(str, self.epochs())) or "none"
                raise InputFileError(f"{path}: no latents of epoch {epoch}; there are {known}")
        table = read_latents(path)
        if table.latent_dim != self.latent_dim:
            raise InputFileError(
                f"{path}: latents of {table.latent_dim} coordinates, but the model has "
                f"{self.latent_dim}; restore the file or train again"
            )
        return table

    def epochs(self) -> tuple[int, ...]:
        """Epochs whose latents were kept."""
        kept = (self.folder / "latents").glob("epoch_*.csv")
        return tuple(sorted(int(p.stem[6:]) for p in kept if p.stem[6:].isdigit()))

    def volume_model(self, device: torch.device | str = "cpu") -> VolumeModel:
        """Its model, ready to make volumes.

        Raises:
            CheckpointError: If it is missing, damaged or of another run.
        """
        from icelens.tasks.hetero.volume_models import read_volume_model

        model = read_volume_model(self.folder, self.facts, device)
        found = (model.latent_dim, model.box_size)
        if found != (self.latent_dim, self.box_size):
            raise CheckpointError(
                f"{self.folder}: its model has latents of {found[0]} coordinates and volumes of "
                f"{found[1]} px, but {RUN_NAME} says {self.latent_dim} and {self.box_size} px: the "
                "file of another run was put there; restore it or train again"
            )
        return model

    def images(
        self, *, device: torch.device | str = "cpu", on_event: OnEvent = ignore
    ) -> PreparedImages:
        """The images as its model saw them; prepared again if the cache is gone.

        Raises:
            IcelensError: If that is not possible, as particles or stacks are others by now.
        """
        from icelens.tasks.hetero.preparation import prepare_again, prepare_imported

        particles = self.particle_file(on_event).particles
        # at the poses it ended with, whatever those were by which the images were centred
        cached = open_cache(self.folder, particles, device=device)
        if cached is not None:
            return cached
        if self.kind == IMPORTED and not (self.folder / FACTS_NAME).is_file():
            # icelens never saw its images
            return prepare_imported(
                self.folder,
                particles,
                box_size=self.box_size,
                device=device,
                on_event=on_event,
            )
        return prepare_again(self.folder, particles, device=device, on_event=on_event)


def write_run_facts(folder: Path, facts: RunFacts) -> None:
    """Store what a run is, once its particles are known to be usable.

    Files below the working directory, which is the project's folder where there is one, are named
    from the run: both can then be moved together.
    """
    name_file = partial(_named_from, folder)
    files = {name: _moved(value, name_file) for name, value in _files_of(facts)}
    text = json.dumps({"version": _VERSION, **facts.__dict__, **files}, indent=1)
    with atomic_path(folder / RUN_NAME) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _files_of(facts: RunFacts) -> list[tuple[str, Any]]:
    return [(name, getattr(facts, name)) for name in ("particles", "stack_root", "tomograms")]


def _moved(value: Any, move: Callable[[str], str]) -> Any:  # noqa: ANN401 - as the field is
    if isinstance(value, tuple):
        return tuple(map(move, value))
    return None if value is None else move(value)


def _named_from(folder: Path, text: str) -> str:
    path, run, here = Path(text), folder.resolve(), Path.cwd().resolve()
    # the name itself may be a link, and is kept; the way to it is not, as `..` would leave it
    path = path.parent.resolve() / path.name
    is_ours = Path(text).is_absolute() and path.is_relative_to(here) and run.is_relative_to(here)
    return os.path.relpath(path, run) if is_ours else text


def _found_from(folder: Path, text: str) -> str:
    return text if Path(text).is_absolute() else os.path.normpath(folder.resolve() / text)


def open_hetero_run(folder: Path) -> HeteroRun:
    """Open a run folder of `icelens hetero`.

    Raises:
        CheckpointError: If it is none, of another version, or has no latents yet.
    """
    path = folder / RUN_NAME
    if not path.is_file():
        what = "no such folder" if not folder.is_dir() else f"no {RUN_NAME} in it"
        raise CheckpointError(
            f"{folder}: is no run of hetero ({what}); give the --output of `icelens hetero train`, "
            "`linear` or `abinitio`"
        )
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = known.pop("version")
        if version == _VERSION:
            known["particles"] = tuple(map(str, known["particles"]))
            facts = RunFacts(**known)
            find = partial(_found_from, folder)
            facts = replace(facts, **{name: _moved(each, find) for name, each in _files_of(facts)})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: damaged ({type(error).__name__}); train again") from error
    if version != _VERSION or facts.kind not in KINDS:
        what = f"version {version}, expected {_VERSION}"
        if version == _VERSION:
            what = f"kind {facts.kind}, expected {', '.join(KINDS)}"
        raise CheckpointError(
            f"{path}: of {what}; open it with the icelens that made it, or train again"
        )
    if facts.latent_dim and not (folder / LATENTS_NAME).is_file():
        raise CheckpointError(
            f"{folder}: the run has no {LATENTS_NAME} yet; let it finish (`--resume` continues it)"
        )
    return HeteroRun(folder, facts)
