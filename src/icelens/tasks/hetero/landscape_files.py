"""Write a landscape: maps, tables of states and coordinates, volumes along components."""

from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from icelens.core.data.volume import Volume
from icelens.core.events import OnEvent, Progress, Saved
from icelens.core.io.atomic import atomic_folder
from icelens.core.io.csv_table import number_or_empty, write_csv
from icelens.core.io.volumes import write_volume
from icelens.core.latents.free_energy import FreeEnergy
from icelens.core.volumes.group_maps import weighted_mean_and_deviation
from icelens.tasks.hetero.landscape import Landscape
from icelens.tasks.hetero.landscape_jobs import LandscapeConfig

ENDS = (5.0, 95.0)
"""Percentiles of the particles between which volumes along a component lie."""


def write_landscape(
    found: Landscape, config: LandscapeConfig, folder: Path, on_event: OnEvent
) -> None:
    """Write all files of a landscape into a folder."""
    maps = {
        "mask": found.pca.mask,
        "mean": weighted_mean_and_deviation(
            found.volumes, np.arange(len(found.sketch)), found.sketch.count.astype(np.float64)
        )[0],
    }
    for name, array in maps.items():
        write_volume(folder / f"{name}.mrc", Volume(array, found.pixel_size))
        on_event(Saved(folder / f"{name}.mrc", "volume"))
    write_states(found, folder, on_event)
    write_coordinates(found, folder / "coordinates.csv")
    write_explained(found, folder / "explained.csv")
    for energy in found.energy:
        number = len(energy.edges)
        stem = "_".join(str(each) for each in range(1, number + 1))
        write_energy(energy, folder / f"free_energy_pc_{stem}.csv")
    count = min(config.traversals, len(found.pca.variance))
    for number in range(count):
        write_traversal(found, number, config.frames, folder / f"pc_{number + 1}")
        on_event(Progress("traversals", number + 1, count, "component"))
    _clear_later_traversals(folder, count)
    for name in ("states.csv", "coordinates.csv", "explained.csv"):
        on_event(Saved(folder / name, "table"))


def write_states(found: Landscape, folder: Path, on_event: OnEvent) -> None:
    """Mean and deviation of each state, and which particle belongs to which."""
    weight = found.sketch.count.astype(np.float64)
    numbers = np.unique(found.point_state)
    with atomic_folder(folder / "states") as states:
        for number in numbers:
            members = np.flatnonzero(found.point_state == number)
            parts = weighted_mean_and_deviation(found.volumes, members, weight)
            for kind, array in zip(("mean", "std"), parts, strict=True):
                path = states / f"{state_name(number, len(numbers))}_{kind}.mrc"
                write_volume(path, Volume(array, found.pixel_size))
            on_event(Progress("states", int(number), len(numbers), "state"))
    table = found.table
    write_csv(
        folder / "states.csv",
        ["particle", "row", "half_set", "state", "community"],
        np.stack(
            [table.particle, table.row, table.half_set, found.state, found.community], axis=1
        ).tolist(),
    )
    write_csv(folder / "state_counts.csv", *state_counts(found))


def state_name(number: int, count: int) -> str:
    """`state_01`, with as many digits as the last one needs, two or more."""
    return f"state_{number:0{max(2, len(str(count)))}d}"


def state_counts(found: Landscape) -> tuple[list[str], list[list[object]]]:
    """Header and lines: of each state the volumes, particles, share and half sets."""
    header = ["state", "volumes", "particles", "share", "half_set_1", "half_set_2"]
    lines: list[list[object]] = []
    state = found.state
    for number in np.unique(found.point_state):
        inside = state == number
        half = found.table.half_set[inside]
        lines.append(
            [
                int(number),
                int((found.point_state == number).sum()),
                int(inside.sum()),
                float(inside.mean()),
                int((half == 1).sum()),
                int((half == 2).sum()),
            ]
        )
    return header, lines


def write_coordinates(found: Landscape, path: Path) -> None:
    """Components of all particles; `decoded` is 1 where they are of the particle's own volume."""
    numbers = range(1, found.coordinates.shape[1] + 1)
    ids = np.stack([found.table.particle, found.table.row, found.is_decoded], axis=1).tolist()
    write_csv(
        path,
        ["particle", "row", "decoded", *(f"pc_{number}" for number in numbers)],
        ([*whole, *map(float, parts)] for whole, parts in zip(ids, found.coordinates, strict=True)),
    )


def write_explained(found: Landscape, path: Path) -> None:
    """Variance of each component, its share, and how well latents tell it."""
    pca = found.pca
    total = np.cumsum(pca.explained)
    write_csv(
        path,
        ["pc", "variance", "explained", "explained_together", "held_out_r2"],
        [
            [number + 1, float(pca.variance[number]), float(pca.explained[number]),
             float(total[number]), number_or_empty(found.score[number])]
            for number in range(len(pca.variance))
        ],
    )  # fmt: skip


def write_energy(energy: FreeEnergy, path: Path) -> None:
    """Bins with their particles, energy and its error; empty bins have no energy."""
    centres = np.meshgrid(*energy.centres(), indexing="ij")
    columns = [*centres, energy.count, energy.energy_kT, energy.error_kT]
    rows = np.stack([np.asarray(each).ravel() for each in columns], axis=1)
    names = [f"pc_{number}" for number in range(1, len(centres) + 1)]
    write_csv(
        path,
        [*names, "count", "energy_kT", "error_kT"],
        ([number_or_empty(value) for value in row] for row in rows),
    )


def write_traversal(found: Landscape, number: int, frames: int, folder: Path) -> None:
    """Volumes along a component, the mean and all others 0, and particles near each."""
    along = found.coordinates[:, number]
    low, high = map(float, np.percentile(along, ENDS))
    places = np.linspace(low, high, frames)
    step = (places[-1] - places[0]) / max(frames - 1, 1)
    points = np.zeros((frames, found.coordinates.shape[1]))
    points[:, number] = places
    _, nearest = cKDTree(found.coordinates).query(points)
    rows = []
    with atomic_folder(folder) as target:
        component = Volume(found.pca.component(number), found.pixel_size)
        write_volume(target / "component.mrc", component)
        for frame, point in enumerate(points, start=1):
            name = f"frame_{frame:0{max(2, len(str(frames)))}d}.mrc"
            write_volume(target / name, Volume(found.pca.volume(point), found.pixel_size))
            near = int((np.abs(along - places[frame - 1]) <= 0.5 * step).sum())
            row = int(found.table.row[nearest[frame - 1]])
            rows.append([frame, name, float(places[frame - 1]), near, row])
        write_csv(
            target / "frames.csv",
            ["frame", "file", f"pc_{number + 1}", "num_near", "nearest_row"],
            rows,
        )


def _clear_later_traversals(folder: Path, count: int) -> None:
    """Take away what an earlier run with more components wrote; nothing else."""
    for old in folder.glob("pc_*"):
        number = old.name[3:]
        if old.is_symlink() or not old.is_dir() or not number.isdigit() or int(number) <= count:
            continue
        for file in (*old.glob("frame_*.mrc"), old / "component.mrc", old / "frames.csv"):
            file.unlink(missing_ok=True)
        if not any(old.iterdir()):
            old.rmdir()
