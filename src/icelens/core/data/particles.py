"""Particle images: where each lies, its optics, its pose and which particle it shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Matrices made from angles with a few digits.
_ORTHOGONAL = 1e-3


def _no_floats() -> Floats:
    return np.empty(0)


def _no_integers() -> Integers:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Particles:
    """Particle images, one per row of each array; what is left out gets the value in brackets.

    A tilt series of a particle is several rows with the same `particle`; `stage` then takes the
    particle's frame to that of the image, and `rotation` is `stage` after the particle's own.

    Attributes:
        stacks: Files that hold the images.
        stack: `(row,)` place in `stacks`.
        slice_index: `(row,)` image in its stack, from 0.
        optics: The optics groups.
        optics_index: `(row,)` place in `optics`. [0]
        rotation: `(row, 3, 3)`, takes the reference to the image. [identity]
        shift_yx: `(row, 2)` in Å, centres the particle. [0]
        defocus_u: `(row,)` in Å, positive for underfocus. [0]
        defocus_v: `(row,)` in Å, at right angles to the former. [`defocus_u`]
        astigmatism_angle: `(row,)` of `defocus_u` from x towards y, in degrees. [0]
        phase_shift: `(row,)` of a phase plate, in degrees. [0]
        b_factor: `(row,)` of the envelope `exp(-B k^2 / 4)`, in Å^2. [0]
        ctf_scale: `(row,)` factor on the CTF, such as the cosine of the tilt. [1]
        half_set: `(row,)` 1 or 2; 0 where it is not known. [0]
        weight: `(row,)` how much an image counts, 0 or more. [1]
        particle: `(row,)` number of the particle an image shows. [the row itself]
        stage: `(row, 3, 3)` see above. [identity]
        has_poses: Whether `rotation` is known rather than filled in.
    """

    stacks: tuple[Path, ...]
    stack: Integers
    slice_index: Integers
    optics: tuple[OpticsGroup, ...]
    optics_index: Integers = field(default_factory=_no_integers)
    rotation: Floats = field(default_factory=_no_floats)
    shift_yx: Floats = field(default_factory=_no_floats)
    defocus_u: Floats = field(default_factory=_no_floats)
    defocus_v: Floats = field(default_factory=_no_floats)
    astigmatism_angle: Floats = field(default_factory=_no_floats)
    phase_shift: Floats = field(default_factory=_no_floats)
    b_factor: Floats = field(default_factory=_no_floats)
    ctf_scale: Floats = field(default_factory=_no_floats)
    half_set: Integers = field(default_factory=_no_integers)
    weight: Floats = field(default_factory=_no_floats)
    particle: Integers = field(default_factory=_no_integers)
    stage: Floats = field(default_factory=_no_floats)
    has_poses: bool = True

    def __post_init__(self) -> None:
        """Fill in what was left out and refuse what does not fit together."""
        rows = len(self.stack)
        object.__setattr__(self, "has_poses", self.has_poses and np.size(self.rotation) > 0)
        turned = np.broadcast_to(np.eye(3), (rows, 3, 3))
        given = {name: getattr(self, name) for name in _ROW_FIELDS}
        defaults = {name: np.zeros(rows) for name in _ROW_FIELDS} | {
            "rotation": turned,
            "stage": turned,
            "shift_yx": np.zeros((rows, 2)),
            "ctf_scale": np.ones(rows),
            "weight": np.ones(rows),
            "particle": np.arange(rows),
            "defocus_v": given["defocus_u"] if np.size(given["defocus_u"]) else np.zeros(rows),
        }
        for name, values in given.items():
            is_absent = np.size(values) == 0
            kind = np.int64 if name in _INTEGER_FIELDS else np.float64
            filled = np.asarray(defaults[name] if is_absent else values, kind)
            expected = (rows, *_ITEM_SHAPES.get(name, ()))
            if filled.shape != expected:
                raise GeometryError(
                    f"particles: {name} has shape {filled.shape}, expected {expected}"
                )
            object.__setattr__(self, name, filled)
        self._check()

    def _check(self) -> None:
        if not len(self):
            return
        for name, known in (("stack", self.stacks), ("optics_index", self.optics)):
            values = getattr(self, name)
            if values.min() < 0 or values.max() >= len(known):
                raise GeometryError(
                    f"particles: {name} goes from {values.min()} to {values.max()}, but there are "
                    f"{len(known)}"
                )
        numbers = ("rotation", "shift_yx", "defocus_u", "defocus_v", "weight")
        for name in numbers:
            if not np.isfinite(getattr(self, name)).all():
                raise GeometryError(f"particles: {name} holds values that are not finite")
        product = self.rotation @ np.swapaxes(self.rotation, -1, -2)
        if np.abs(product - np.eye(3)).max() > _ORTHOGONAL:
            raise GeometryError("particles: rotations are not orthogonal")

    def __len__(self) -> int:
        """Number of images."""
        return len(self.stack)

    def take(self, rows: npt.ArrayLike) -> "Particles":
        """The images of these rows (numbers or a mask), in that order."""
        chosen = np.asarray(rows)
        if not chosen.size:
            chosen = chosen.astype(np.int64)  # an empty list is one of floats to numpy
        picked = {name: getattr(self, name)[chosen] for name in _ROW_FIELDS}
        return replace(self, **picked)

    def with_poses(self, rotation: Floats, shift_yx: Floats) -> "Particles":
        """The same images with other rotations `(row, 3, 3)` and shifts `(row, 2)` in Å."""
        return replace(self, rotation=rotation, shift_yx=shift_yx, has_poses=True)

    def pixel_size(self) -> Floats:
        """Å/px of each row's image, `(row,)`."""
        return np.asarray([group.pixel_size for group in self.optics])[self.optics_index]

    def box_size(self) -> Integers:
        """Side in px of each row's image, `(row,)`."""
        return np.asarray([group.box_size for group in self.optics], np.int64)[self.optics_index]

    def is_premultiplied(self) -> npt.NDArray[np.bool_]:
        """Whether each row's image was multiplied by its CTF, `(row,)`."""
        return np.asarray([each.is_premultiplied for each in self.optics], bool)[self.optics_index]


_ITEM_SHAPES: dict[str, tuple[int, ...]] = {
    "rotation": (3, 3),
    "stage": (3, 3),
    "shift_yx": (2,),
}
_INTEGER_FIELDS: Sequence[str] = (
    "stack",
    "slice_index",
    "optics_index",
    "half_set",
    "particle",
)
_ROW_FIELDS: Sequence[str] = tuple(
    each.name for each in fields(Particles) if each.name not in {"stacks", "optics", "has_poses"}
)
