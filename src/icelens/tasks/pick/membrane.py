"""Sort picks by their distance to a membrane, orient them, write both parts, and report."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.errors import GeometryError
from icelens.core.events import Message, Progress, Saved
from icelens.core.geometry.directions import rotations_towards
from icelens.core.io.copick.project import PicksKey, Project, open_project
from icelens.core.plots.histograms import stacked_histograms
from icelens.core.volumes.surface import Footing, Surface, stand, surface_of
from icelens.jobs.run import Run
from icelens.tasks.pick.membrane_input import Mask, Related, check_inside, find_related, read_mask
from icelens.tasks.pick.membrane_jobs import MembraneConfig
from icelens.tasks.pick.membrane_pairs import facing_pairs, pieces_of

Floats = npt.NDArray[np.float64]
DEFAULT_WINDOWS = {"distance": (10.0, 100.0), "midpoint": (0.0, 250.0)}
"""In Å; the reference's, at its usual 10 Å per voxel."""
_LEAST_REACH_PX = 3.0  # fewer faces than this give a normal of the voxel grid


def relate_runs(config: MembraneConfig, run: Run) -> list[Path]:
    """Relate the picks of every run to its membrane; all are read before any is written.

    Raises:
        IcelensError: If picks or membranes are missing, ambiguous, or do not fit together.
    """
    project = open_project(config.project)
    parts: list[tuple[str, PicksKey, Picks]] = []
    rows: list[Sequence[object]] = []
    distances: dict[str, list[Floats]] = {}
    related = find_related(config, project)
    for done, each in enumerate(related, start=1):
        mask = read_mask(config, project, each)
        surface = _surface(project, each, mask, run)
        for key in each.picks:
            picks = project.read_picks(each.run, key)
            outside = check_inside(project, each, key, picks, mask)
            footing = None if surface is None else _footing(config, surface, picks, mask)
            written = _relate(config, key, picks, footing, mask)
            parts += [(each.run, part, chosen) for part, chosen in written.items()]
            counts = [len(chosen) for chosen in written.values()]
            rows.append((each.run, key.name, len(picks), *counts, outside))
            away = np.empty(0) if footing is None else footing.distance * mask.pixel_size
            distances.setdefault(key.name, []).append(away)
        run.on_event(Progress("runs", done, len(related), "run"))
    paths = [project.write_picks(name, key, picks) for name, key, picks in parts]
    for path in paths:
        run.on_event(Saved(path, "picks"))
    _report(config, run, rows, distances)
    return paths


def window_of(config: MembraneConfig) -> tuple[float, float]:
    """Distances in Å at which a pick belongs to the membrane."""
    return config.distance or DEFAULT_WINDOWS[config.mode]


def _surface(project: Project, related: Related, mask: Mask, run: Run) -> Surface | None:
    """The membrane's surface; a run without any membrane has none, and its picks are all far."""
    if not mask.is_inside.any():
        run.on_event(
            Message(
                f"{related.run}: segmentation {related.segmentation} is empty, so no pick is near",
                "warning",
            )
        )
        return None
    try:
        return surface_of(mask.is_inside)
    except GeometryError as error:
        raise GeometryError(
            f"{project.path}: segmentation {related.segmentation} of run {related.run}: {error}"
        ) from error


def _footing(config: MembraneConfig, surface: Surface, picks: Picks, mask: Mask) -> Footing:
    reach = max(_LEAST_REACH_PX, config.normal_radius / mask.pixel_size)
    return stand(surface, picks.position_zyx / mask.pixel_size, reach_px=reach)


def _relate(
    config: MembraneConfig, key: PicksKey, picks: Picks, footing: Footing | None, mask: Mask
) -> dict[PicksKey, Picks]:
    """The files that one file of picks gives."""
    low, high = window_of(config)
    is_near = np.zeros(len(picks), bool)
    if footing is not None:
        away = footing.distance * mask.pixel_size
        is_near = (away >= low) & (away <= high)
    if config.mode == "midpoint":
        return _midpoints(config, key, picks, footing, is_near, mask)
    session = config.output_session or f"{key.source.session_id}-membrane"
    oriented = picks
    if footing is not None and _takes_normals(config, picks):
        oriented = replace(picks, rotation=rotations_towards(footing.normal[:, ::-1]))
    return {
        replace(key, source=Source(key.source.user_id, session)): oriented.select(is_near),
        replace(key, source=Source(key.source.user_id, f"{session}-far")): picks.select(~is_near),
    }


def _takes_normals(config: MembraneConfig, picks: Picks) -> bool:
    if config.orientation == "auto":
        return bool(np.allclose(picks.rotation, np.eye(3)))
    return config.orientation == "normal"


def _midpoints(
    config: MembraneConfig,
    key: PicksKey,
    picks: Picks,
    footing: Footing | None,
    is_near: npt.NDArray[np.bool_],
    mask: Mask,
) -> dict[PicksKey, Picks]:
    """Middles of facing pairs, and the pairs, the two of each next to each other."""
    pairs = np.empty((0, 2), np.intp)
    if footing is not None:
        pieces = pieces_of(mask.labels, mask.is_inside)[tuple(footing.voxel.T)]
        numbers = np.where(is_near, pieces, 0).astype(np.intp)
        pairs = facing_pairs(picks.position_zyx, numbers, window=config.pair_distance)
    middles = Picks(
        picks.position_zyx[pairs].mean(axis=1).reshape(-1, 3),
        species=(key.name,) * len(pairs),
        score=picks.score[pairs].min(axis=1, initial=np.inf),
        tomogram_id=tuple(picks.tomogram_id[number] for number in pairs[:, 0]),
    )
    members = pairs.reshape(-1)
    ends = Picks(
        picks.position_zyx[members],
        picks.rotation[members],
        tuple(picks.species[number] for number in members),
        picks.score[members],
        tuple(picks.tomogram_id[number] for number in members),
    )
    session = config.output_session or key.source.session_id
    user = key.source.user_id
    return {
        replace(key, source=Source(f"{user}-midpoint", session)): middles,
        replace(key, source=Source(f"{user}-endpoint", session)): ends,
    }


def _report(
    config: MembraneConfig,
    run: Run,
    rows: Sequence[Sequence[object]],
    distances: dict[str, list[Floats]],
) -> None:
    """How many belong to the membrane, and how far all are from it."""
    kinds = ("midpoints", "endpoints") if config.mode == "midpoint" else ("near", "far")
    for name, species, total, first, second, _ in rows:
        run.on_event(
            Message(f"{name}: {first} {kinds[0]}, {second} {kinds[1]} of {total} {species}")
        )
    run.report.section("Picks and the membrane")
    run.report.table(("run", "object", "picks", *kinds, "outside the segmentation"), rows)
    low, high = window_of(config)
    span = high - low
    run.report.figure(
        stacked_histograms(
            {name: np.concatenate(parts) for name, parts in distances.items()},
            label="distance to the membrane's surface (Å)",
            limits=(min(low, 0.0) - span, high + 2 * span),
            marks=dict.fromkeys(distances, (low, high)),
        ),
        name="distances",
        caption="Distance of the picks from the membrane's surface, negative inside it; the lines "
        "bound what belongs to it, picks farther off are in the last bins.",
    )
