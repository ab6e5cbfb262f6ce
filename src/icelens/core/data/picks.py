"""Particles found in tomograms: where, how oriented, of which species and how sure."""

from collections.abc import Sequence, Sized
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]

# Matrices in files carry six digits.
_ORTHOGONAL = 1e-3


def _no_floats() -> Floats:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Picks:
    """Picks of one or many tomograms, one per row of each field.

    `position_zyx` is `(pick, 3)` in Å from the centre of voxel (0, 0, 0); `rotation` `(pick, 3, 3)`
    takes the reference to its place in the tomogram, on xyz columns (identity if left out); `score`
    is 1 if left out, `species` and `tomogram_id` are empty names.
    """

    position_zyx: Floats
    rotation: Floats = field(default_factory=_no_floats)
    species: tuple[str, ...] = ()
    score: Floats = field(default_factory=_no_floats)
    tomogram_id: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fill in what was left out and refuse what does not fit together."""
        positions = np.asarray(self.position_zyx, np.float64)
        if positions.ndim != 2 or positions.shape[1] != 3 or not np.isfinite(positions).all():
            raise GeometryError(
                f"expected finite positions (pick, 3), got an array of shape {positions.shape}"
            )
        num = len(positions)
        rotation = np.asarray(self.rotation, np.float64)
        if rotation.size == 0:
            rotation = np.broadcast_to(np.eye(3), (num, 3, 3))
        score = np.asarray(self.score, np.float64)
        filled: dict[str, Sized] = {
            "position_zyx": positions,
            "rotation": rotation,
            "species": tuple(self.species) or ("",) * num,
            "score": score if score.size else np.ones(num),
            "tomogram_id": tuple(self.tomogram_id) or ("",) * num,
        }
        for name, values in filled.items():
            if len(values) != num:
                raise GeometryError(f"{num} positions but {len(values)} values of {name}")
            object.__setattr__(self, name, values)
        unit = self.rotation @ np.swapaxes(self.rotation, -1, -2)
        if num and not (
            np.allclose(unit, np.eye(3), atol=_ORTHOGONAL)
            and (np.linalg.det(self.rotation) > 0).all()
        ):
            raise GeometryError("a pick's rotation is not a rotation (not orthogonal, or a mirror)")

    def __len__(self) -> int:
        """Number of picks."""
        return len(self.position_zyx)

    def select(self, is_chosen: Sequence[bool] | npt.NDArray[np.bool_]) -> "Picks":
        """The picks where `is_chosen` is true, in their order."""
        chosen = np.flatnonzero(np.asarray(is_chosen, bool))
        return Picks(
            self.position_zyx[chosen],
            self.rotation[chosen],
            tuple(self.species[index] for index in chosen),
            self.score[chosen],
            tuple(self.tomogram_id[index] for index in chosen),
        )

    def of_tomogram(self, tomogram_id: str) -> "Picks":
        """The picks of one tomogram."""
        return self.select([name == tomogram_id for name in self.tomogram_id])
