"""A run of hetero as Python and notebooks see it: tables, latents, and volumes as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError, MetadataError
from icelens.jobs.opened_run import OpenedRun
from icelens.jobs.record import read_record

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from icelens.core.data.latents import LatentTable
    from icelens.tasks.hetero.hetero_run import HeteroRun

ANALYSIS = "analysis/latent/table.csv"


@dataclass(frozen=True)
class OpenedHeteroRun(OpenedRun):
    """A run of `hetero train`, `linear` or `abinitio`, or one imported from cryoDRGN.

    Attributes:
        hetero: The same run as the jobs of hetero see it.
    """

    hetero: "HeteroRun"

    @property
    def latent_dim(self) -> int:
        """Coordinates of a latent; 0 for one structure."""
        return self.hetero.latent_dim

    @property
    def pixel_size(self) -> float:
        """Sampling of its volumes, in Å/px."""
        return self.hetero.pixel_size

    def latents(self, epoch: int | None = None) -> "LatentTable":
        """Latents of all particles: `.latent` and `.deviation` are `(particle, latent_dim)`.

        Args:
            epoch: As they were after this epoch of a training, if it was kept.
        """
        return self.hetero.latents(epoch)

    def particles(self) -> "pandas.DataFrame":
        """A line for each particle: the analysis if it was made, else latents, poses and CTF.

        Raises:
            InputFileError: If a table cannot be read.
        """
        import pandas

        from icelens.tasks.hetero.analyze_table import (
            check_particles,
            file_columns,
            latent_columns,
            pose_columns,
        )

        if (self.folder / ANALYSIS).is_file():
            return self.table(ANALYSIS)
        table, file = self.latents(), self.hetero.particle_file()
        check_particles(table, file, self.folder)
        columns = latent_columns(table) | pose_columns(table, file) | file_columns(table, file)
        return pandas.DataFrame(columns)

    def volumes(
        self,
        latent: npt.ArrayLike | None = None,
        *,
        rows: Sequence[int] | None = None,
        half: int = 0,
        box_size: int | None = None,
        device: str = "cpu",
    ) -> npt.NDArray[np.float32]:
        """Volumes `(state, z, y, x)` at latents or at those of particles, protein bright.

        Args:
            latent: `(state, latent_dim)`, or `(latent_dim,)` for one.
            rows: Particles instead, by the row of their first image, from 0.
            half: 0 for the model, 1 or 2 for the decoder of that half set.
            box_size: Side in px of a coarser grid of the same width.
            device: Where to compute.

        Raises:
            MetadataError: If not exactly one of `latent` and `rows` is given where there are
                latents, or the run has no particle in a row.
            GeometryError: If latents, half or box do not fit the model.
        """
        import torch

        wanted = torch.from_numpy(self._wanted(latent, rows)).float().to(device)
        model = self.hetero.volume_model(device)
        made = model.volumes(wanted, half=half, box_size=box_size)
        return np.stack([volume.cpu().numpy().astype(np.float32) for volume in made])

    def support(self, latent: npt.ArrayLike) -> "pandas.DataFrame":
        """How many particles stand behind latents `(state, latent_dim)`: see `support` of volumes.

        Raises:
            MetadataError: If they are of another dimension or not finite.
        """
        import pandas

        from icelens.core.latents.support import support_of

        table = self.latents()
        found = support_of(np.atleast_2d(np.asarray(latent, np.float64)), table)
        return pandas.DataFrame(
            {
                "nearest_row": table.row[found.nearest],
                "num_near": found.num_near,
                "density_percentile": found.density_percentile,
                "support": list(found.flag),
            }
        )

    def latent_figure(self, column: str = "") -> "Figure":
        """Draw latents along their first two principal components, or coloured by a column.

        Args:
            column: Of `particles`; without it, how many lie where is drawn.

        Raises:
            InputFileError: If there is no such column of numbers, or latents have but one
                dimension, over which nothing can be coloured.
        """
        from icelens.core.latents.principal_components import principal_components
        from icelens.core.plots.latent import latent_density, latent_values

        latent = self.latents().latent
        found = principal_components(latent)
        points = found.coordinates(latent)[:, :2]
        shares = found.explained[:2]
        names = [f"PC {number} ({share:.0%})" for number, share in enumerate(shares, start=1)]
        if not column:
            return latent_density(points, names)
        frame = self.particles()
        if column not in frame or frame[column].dtype.kind not in "iufb" or points.shape[1] < 2:
            raise InputFileError(
                f"{self.folder}: cannot colour latents of {self.latent_dim} dimensions by "
                f"{column}; choose a column of numbers of `particles()`, and two dimensions or more"
            )
        values = frame[column].to_numpy(np.float64)
        return latent_values(points, values, names, label=column)

    def volumes_figure(self, volumes: Mapping[str, npt.NDArray[np.floating]]) -> "Figure | None":
        """Draw surfaces of volumes beside each other, all at one level; None if all are empty.

        Args:
            volumes: Name and `(z, y, x)` of each, all of one shape.
        """
        from icelens.core.plots.volume_surfaces import volume_surfaces

        side = next(iter(volumes.values())).shape[-1]
        pixel_size = self.pixel_size * self.hetero.box_size / side
        return volume_surfaces(volumes, pixel_size)

    def _wanted(
        self, latent: npt.ArrayLike | None, rows: Sequence[int] | None
    ) -> npt.NDArray[np.float64]:
        if not self.latent_dim and latent is None and rows is None:
            return np.empty((1, 0))
        if (latent is None) == (rows is None):
            raise MetadataError(f"{self.folder}: volumes want either latents or rows of particles")
        if rows is not None:
            table = self.latents()
            return table.latent[table.place_of_rows(rows)]
        return np.atleast_2d(np.asarray(latent, np.float64))


def is_hetero_run(folder: Path) -> bool:
    """Whether a folder holds a run of hetero, whatever else it holds."""
    from icelens.tasks.hetero.hetero_run import RUN_NAME

    return (folder / RUN_NAME).is_file()


def open_for_python(folder: Path) -> OpenedHeteroRun:
    """Open a run of hetero.

    Raises:
        CheckpointError: If it is none, of another version, or has no latents yet.
    """
    from icelens.tasks.hetero.hetero_run import open_hetero_run

    return OpenedHeteroRun(folder, read_record(folder) or {}, open_hetero_run(folder))
