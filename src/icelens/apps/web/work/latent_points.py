"""Latents of clicked points, and what stands behind them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.apps.web.work.kept import Kept
from icelens.apps.web.work.opened_latents import OpenedLatents
from icelens.core.errors import MetadataError
from icelens.core.latents.support import SupportMeasure, support_measure

Floats = npt.NDArray[np.float64]

FARTHEST = 1e12
"""Beyond, nothing can be told apart; as for latents of particles."""


@dataclass(frozen=True)
class ClickedPoint:
    """A point of the plot.

    Attributes:
        particle: Line of the particle nearest to it, from 0.
        at: Its coordinates along shown axes that are latents or principal components; empty for
            the particle itself.
    """

    particle: int
    at: Mapping[str, float]


def clicked_points(given: Sequence[Mapping[str, Any]]) -> list[ClickedPoint]:
    """Points as they came over the wire."""
    return [ClickedPoint(int(each["particle"]), dict(each.get("at") or {})) for each in given]


def latent_at(opened: OpenedLatents, point: ClickedPoint) -> Floats:
    """Latent `(latent_dim,)` of a clicked point: the particle's, moved along the shown axes.

    Raises:
        MetadataError: If particle or axis do not exist, or the point lies beyond all numbers.
    """
    table = opened.table
    if not 0 <= point.particle < len(table):
        raise MetadataError(
            f"{opened.run.folder}: particle {point.particle} is asked for, expected 0 to "
            f"{len(table) - 1}; click on the plot again"
        )
    latent = table.latent[point.particle].copy()
    along = opened.components.coordinates(latent[None])[0]
    kinds = {name.rpartition("_")[0] for name in point.at}
    if len(kinds) > 1:
        raise MetadataError(
            f"{opened.run.folder}: a point is given along latents and components at once; show "
            "axes of one kind"
        )
    for name, value in point.at.items():
        kind, _, number = name.rpartition("_")
        place = int(number) - 1 if number.isdecimal() and len(number) < 6 else -1
        if kind not in {"latent", "pc"} or not 0 <= place < len(latent):
            raise MetadataError(
                f"{opened.run.folder}: no volume at a value of {name[:40]!r}, expected latent_1 to "
                f"latent_{len(latent)} or pc_1 to pc_{len(latent)}; give a particle"
            )
        if not math.isfinite(value) or abs(value) > FARTHEST:
            raise MetadataError(
                f"{opened.run.folder}: {name} is {value:g}, expected within {FARTHEST:.0e}; click "
                "nearer to the particles"
            )
        if kind == "latent":
            latent[place] = value
        else:
            along[place] = value
    return np.asarray(opened.components.latents(along[None])[0] if kinds == {"pc"} else latent)


_KEPT: Kept[SupportMeasure] = Kept(2)


def support_lines(opened: OpenedLatents, latent: Floats) -> list[dict[str, Any]]:
    """What stands behind latents `(point, latent_dim)`, and where they lie along components.

    Raises:
        MetadataError: If they are not finite.
    """
    folder = opened.run.folder
    # the table was read anew if its file changed: a measure of another one is never taken
    measure = _KEPT.get((folder, id(opened.table)), [], lambda: support_measure(opened.table))
    support = measure.of(latent)
    along = opened.components.coordinates(latent)
    return [
        {
            "latent": latent[point].tolist(),
            "pc": along[point].tolist(),
            "support": support.flag[point],
            "num_near": int(support.num_near[point]),
            "density_percentile": float(support.density_percentile[point]),
            "nearest": int(support.nearest[point]),
            "nearest_row": int(opened.table.row[support.nearest[point]]),
        }
        for point in range(len(latent))
    ]
