"""Latents of particles: where each lies in the space of states, and how surely."""

from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError, MetadataError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LARGEST = 1e12
"""Farther out nothing can be told apart, and squares of distances overflow."""


def _no_floats() -> Floats:
    return np.empty((0, 0))


def _no_integers() -> Integers:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class LatentTable:
    """One line for each particle; what is left out gets the value in brackets.

    Attributes:
        latent: `(particle, latent_dim)` coordinates.
        particle: `(particle,)` number, as in `Particles.particle`. [the line]
        row: `(particle,)` its first image: row of the particle file, from 0. [the line]
        deviation: `(particle, latent_dim)` standard deviation of the posterior. [nan, not known]
        half_set: `(particle,)` 1 or 2. [0, not known]
    """

    latent: Floats
    particle: Integers = field(default_factory=_no_integers)
    row: Integers = field(default_factory=_no_integers)
    deviation: Floats = field(default_factory=_no_floats)
    half_set: Integers = field(default_factory=_no_integers)

    def __post_init__(self) -> None:
        """Fill in what was left out and refuse what does not fit together."""
        latent = np.asarray(self.latent, np.float64)
        if latent.ndim != 2:
            raise GeometryError(
                f"latents have shape {latent.shape}, expected (particle, latent_dim)"
            )
        rows = len(latent)
        lines = np.arange(rows)
        given: dict[str, tuple[npt.ArrayLike, npt.ArrayLike]] = {
            "latent": (latent, latent),
            "particle": (self.particle, lines),
            "row": (self.row, lines),
            "deviation": (self.deviation, np.full(latent.shape, np.nan)),
            "half_set": (self.half_set, np.zeros(rows)),
        }
        for name, (values, default) in given.items():
            is_float = name in {"latent", "deviation"}
            kind = np.float64 if is_float else np.int64
            filled = np.asarray(default if np.size(values) == 0 else values, kind)
            expected = latent.shape if is_float else (rows,)
            if filled.shape != expected:
                raise GeometryError(
                    f"latents: {name} has shape {filled.shape}, expected {expected}"
                )
            object.__setattr__(self, name, filled)
        is_usable = (np.abs(latent) < _LARGEST).all(axis=1)
        if not is_usable.all():
            line = int(np.flatnonzero(~is_usable)[0])
            raise MetadataError(
                f"latents: line {line + 1} holds values that are not finite, or beyond "
                f"{_LARGEST:.0e}; train again or leave it out"
            )

    def __len__(self) -> int:
        """Number of particles."""
        return len(self.latent)

    @property
    def latent_dim(self) -> int:
        """Number of coordinates."""
        return int(self.latent.shape[1])

    def take(self, places: npt.ArrayLike) -> "LatentTable":
        """These lines (numbers or a mask), in that order."""
        chosen = np.asarray(places)
        if not chosen.size:
            chosen = chosen.astype(np.int64)
        return LatentTable(**{each.name: getattr(self, each.name)[chosen] for each in fields(self)})

    def place_of_rows(self, rows: npt.ArrayLike) -> Integers:
        """Lines of the particles whose first image is in these rows of the particle file.

        Raises:
            MetadataError: If a row is not there, naming the first.
        """
        wanted = np.atleast_1d(np.asarray(rows, np.int64))
        places = places_of(wanted, self.row)
        is_known = places >= 0
        if not is_known.all():
            raise MetadataError(
                f"row {wanted[~is_known][0]} is no particle's first image; rows go from "
                f"{self.row.min() if len(self) else 0} to {self.row.max() if len(self) else 0}, "
                "counted from 0"
            )
        return places


def places_of(wanted: npt.ArrayLike, known: Integers) -> Integers:
    """Place of each wanted number among the known ones, which all differ; -1 where it is none."""
    numbers = np.asarray(wanted, np.int64)
    if not len(known):
        return np.full(numbers.shape, -1, np.int64)
    order = np.argsort(known, kind="stable")
    found = np.searchsorted(known[order], numbers)
    place = order[np.minimum(found, len(order) - 1)]
    return np.where(known[place] == numbers, place, -1).astype(np.int64)
