"""Find the poses of one file of a watch: its table with poses, and its sums, made apart."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.half_sets import dealt_half_sets
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.fourier.insertion import SliceSums
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import write_particles
from icelens.tasks.pose.found_poses import FoundPoses, joined
from icelens.tasks.pose.half_sets import half_sets
from icelens.tasks.pose.infer import refuse_series
from icelens.tasks.pose.infer_columns import columns_of
from icelens.tasks.pose.infer_part import Part, infer_part
from icelens.tasks.pose.infer_settings import PosingConfig
from icelens.tasks.pose.model import PoseModel
from icelens.tasks.pose.watching.agreement import MapGrid
from icelens.training.device import Compute

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Posed:
    """What came of a file.

    Attributes:
        num_images: In the file.
        num_used: Of them, in the sums of each half set.
        sums: Over the images of each half set that has any; empty if no map is wanted.
    """

    num_images: int
    num_used: Mapping[int, int]
    sums: Mapping[int, SliceSums]


@dataclass(frozen=True, eq=False)
class Poser:
    """How poses are found, the same for all files.

    Attributes:
        config: The settings.
        models: Whose networks answer for half sets 1, 2, and for all (0).
        compute: Where.
    """

    config: PosingConfig
    models: Mapping[int, Sequence[PoseModel]]
    compute: Compute

    def pose(
        self, file: ParticleFile, key: str, grid: MapGrid, target: Path, on_event: OnEvent
    ) -> Posed:
        """Find the poses of a file's particles and write them.

        Args:
            file: Its particles.
            key: What the file is called; half sets that it does not know are drawn by it.
            grid: Of the sums.
            target: STAR file to write.
            on_event: Hears of the progress.

        Raises:
            IcelensError: If something is wrong with the file or its images.
        """
        particles = file.particles
        refuse_series(file)
        reader = ImageReader(particles, on_event=on_event)
        half_set = self._half_sets(particles, key, on_event)
        parts: list[FoundPoses] = []
        sums: dict[int, SliceSums] = {}
        for half in np.unique(half_set).tolist():
            part = Part(
                name=key,
                config=self.config,
                models=self.models[half],
                reader=reader,
                particles=particles,
                rows=np.flatnonzero(half_set == half),
                box_size=grid.box_size,
                pixel_size=grid.pixel_size,
                compute=self.compute,
            )
            found, own = infer_part(part, on_event)
            parts.append(found)
            if own is not None:
                sums[half] = own
        found = joined(parts)
        write_particles(
            target,
            file,
            rotation=found.table.rotation[:, 0],
            shift_yx=found.table.shift_yx[:, 0],
            columns=columns_of(file, found, half_set if half_set.any() else None),
            rows=found.rows,
        )
        used = {half: int(found.is_kept[half_set == half].sum()) for half in sums}
        return Posed(len(particles), used, {half: sums[half] for half in sums if used[half]})

    def _half_sets(self, particles: Particles, key: str, on_event: OnEvent) -> Integers:
        has_one_network = self.models[1][0].half_set == self.models[2][0].half_set == 0
        if has_one_network and not self.config.reconstruct:
            return np.zeros(len(particles), np.int64)
        if not particles.half_set.any():
            on_event(
                Message(
                    "no half sets in the files: images are split at random, by the file's name and "
                    f"by particle (seed {self.config.seed})",
                    "warning",
                )
            )
        return half_sets_of(particles, key, self.config.seed)


def half_sets_of(particles: Particles, key: str, seed: int) -> Integers:
    """The file's own half sets, or the same draw whoever makes it.

    A file with an odd number of particles has one more in either half with the same probability,
    so that many small files do not fill one half more than the other.

    Raises:
        MetadataError: If the file knows it of some particles only.
    """
    if (particles.half_set > 0).any():
        return half_sets(particles, seed=seed, on_event=ignore)
    digest = hashlib.sha256(f"{seed} {key}".encode()).digest()
    dealt = dealt_half_sets(particles, seed=int.from_bytes(digest[:7]))
    return dealt if digest[7] % 2 else 3 - dealt
