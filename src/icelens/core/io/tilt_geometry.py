"""Where particles of tomograms lie, how they are turned, and what each tilt makes of that."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.errors import MetadataError
from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.core.io.image_columns import has, numbers, rotations
from icelens.core.io.particle_columns import ORIGIN, PIXELS, SUBTOMOGRAM, number_columns
from icelens.core.io.relion_particles import CENTRED
from icelens.core.io.relion_tilts import Tilts
from icelens.core.io.warp_particles import SUFFIX

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# exp(-B k^2 / 4) is then exp(-dose k^2).
B_FACTOR_PER_DOSE = 4.0


@dataclass(frozen=True, eq=False)
class TiltGeometry:
    """Where particles lie and how they are turned, `(table row, ...)`, and the tilts of each.

    `place_xyz` counts from the tomogram's centre, in pixels where `has_pixels` and else in Å;
    `origin_xyz` is in Å in the tomogram's frame.
    """

    tilts: list[Tilts]
    rotation: Floats | None
    place_xyz: Floats
    origin_xyz: Floats
    has_pixels: bool
    is_warp: bool

    @classmethod
    def read(
        cls,
        path: Path,
        table: "pandas.DataFrame",
        tilts: Mapping[str, Tilts],
        names: list[str],
        *,
        need_poses: bool,
    ) -> "TiltGeometry":
        """From a table of particles; `names` are their tomograms.

        Raises:
            MetadataError: If columns are missing or hold what cannot be.
        """
        of_box = np.broadcast_to(np.eye(3), (len(table), 3, 3))
        if has(table, *SUBTOMOGRAM):
            of_box = matrices_from_relion_angles(number_columns(path, table, SUBTOMOGRAM))
        rotation = rotations(path, table, need_poses=need_poses)
        origin = np.stack([numbers(path, table, name, 0.0) for name in ORIGIN], axis=-1)
        own = [tilts[name] for name in names]
        has_pixels = not has(table, *CENTRED)
        place_xyz = number_columns(path, table, PIXELS if has_pixels else CENTRED)
        return cls(
            own,
            None if rotation is None else of_box @ rotation,
            place_xyz,
            np.einsum("nij,nj->ni", of_box, origin),
            has_pixels,
            any(name.endswith(SUFFIX) for name in names),
        )

    def columns(
        self, path: Path, row: Integers, frame: Integers, pixel_size: Floats
    ) -> dict[str, Any]:
        """Poses and CTF of each image as `Particles` names them; `pixel_size` is `(table row,)`."""
        per_tilt = {
            name: self._gathered(name, row, frame)
            for name in ("defocus_u", "defocus_v", "astigmatism_angle", "phase_shift", "scale")
        }
        stage = self._gathered("projection", row, frame)
        projected = np.einsum("nij,nj->ni", stage, self.origin_xyz[row])
        hand = np.asarray([tilts.hand for tilts in self.tilts])[row]
        depth = np.einsum("ni,ni->n", stage[:, 2], self._position(path, pixel_size)[row])
        return {
            "stage": stage,
            "rotation": np.empty(0) if self.rotation is None else stage @ self.rotation[row],
            "shift_yx": projected[:, 1::-1],
            "defocus_u": per_tilt["defocus_u"] + hand * depth,
            "defocus_v": per_tilt["defocus_v"] + hand * depth,
            "astigmatism_angle": per_tilt["astigmatism_angle"],
            "phase_shift": per_tilt["phase_shift"],
            "ctf_scale": per_tilt["scale"],
            "b_factor": B_FACTOR_PER_DOSE * self._gathered("dose", row, frame),
        }

    def _gathered(self, name: str, row: Integers, frame: Integers) -> Floats:
        """A column of the tilts for each image."""
        places = np.split(frame, np.flatnonzero(np.diff(row)) + 1)
        starts = np.concatenate([[0], np.flatnonzero(np.diff(row)) + 1])
        parts = [
            getattr(self.tilts[int(row[start])], name)[frames]
            for start, frames in zip(starts, places, strict=True)
        ]
        return np.concatenate(parts)

    def _position(self, path: Path, pixel_size: Floats) -> Floats:
        """Refined place from the tomogram's centre, in Å. WarpTools counts pixels of the boxes."""
        if not self.has_pixels:
            return self.place_xyz - self.origin_xyz
        own = np.asarray([tilts.pixel_size for tilts in self.tilts])
        size_xyz = np.stack([tilts.size_xyz for tilts in self.tilts])
        if (own <= 0).any() or (size_xyz <= 0).any():
            raise MetadataError(
                f"{path}: {PIXELS[0]} needs rlnTomoTiltSeriesPixelSize and rlnTomoSizeX above 0 in "
                "data_global of the tomograms; add them"
            )
        unit = (pixel_size if self.is_warp else own)[:, None]
        place_xyz: Floats = self.place_xyz * unit - size_xyz * own[:, None] / 2 - self.origin_xyz
        return place_xyz
