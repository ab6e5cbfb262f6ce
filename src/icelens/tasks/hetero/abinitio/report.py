"""The pages of `report.html` on a structure that was found without poses."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.fourier.wiener import HalfMaps
from icelens.jobs.report import Report
from icelens.tasks.hetero.abinitio.agreement import Agreement
from icelens.tasks.hetero.abinitio.search_images import SearchImages
from icelens.tasks.hetero.abinitio.starts import Start
from icelens.tasks.hetero.abinitio.states import States, nearest_state
from icelens.tasks.hetero.image_grid import Grid


@dataclass(frozen=True, eq=False)
class Findings:
    """What is shown.

    Attributes:
        starts: All of them.
        agreement: Of each other start with the best.
        best: The likeliest start.
        search: Images of the search.
        particles: With their final poses.
        halves: Final maps.
        grid: Of these.
    """

    starts: list[Start]
    agreement: dict[int, Agreement]
    best: Start
    search: SearchImages
    particles: Particles
    halves: HalfMaps
    grid: Grid


def write_findings(report: Report, found: Findings) -> None:
    """Add maps, curves, views and the comparison of the starts."""
    from icelens.core.plots.curves import fsc_curves, loss_curve
    from icelens.core.plots.slices import orthogonal_slices
    from icelens.core.plots.views import view_distribution

    report.section("Structure")
    halves = found.halves
    report.text(
        f"The half maps agree to {halves.resolution:.1f} Å (FSC 0.143, without a mask). Images of "
        "single particles do not tell the hand of a structure; tilt series do."
    )
    maps = {"map": halves.full, "half 1": halves.half_1, "half 2": halves.half_2}
    report.figure(
        orthogonal_slices({k: _array(v) for k, v in maps.items()}, found.grid.pixel_size),
        name="map",
        caption="Central slices of the map of all images and of the two half maps.",
    )
    report.figure(
        fsc_curves(
            {"half maps": halves.fsc.correlation.tolist()},
            halves.fsc.spatial_frequency.tolist(),
            thresholds={"0.143": 0.143},
        ),
        name="fsc",
        caption="Correlation of the half maps.",
    )
    report.section("Agreement between the starts")
    report.table(*_start_table(found))
    report.text(_verdict(found))
    report.figure(
        orthogonal_slices(
            {f"start {s.number}": _array(s.density) for s in found.starts[:6]},
            found.search.grid.pixel_size,
        ),
        name="starts",
        caption="Maps of the starts, each in a frame and with a hand of its own.",
    )
    curves = {
        f"start {s.number}": (
            np.arange(1.0, len(s.shells) + 1),
            found.search.extent / np.array(s.shells),
        )
        for s in found.starts[:6]
        if s.shells
    }
    report.figure(
        loss_curve(curves, ylabel="resolution compared (Å)"),
        name="marching",
        caption="Finest detail that each step compared: it grows as half sets agree beyond it.",
    )
    report.section("Views")
    report.figure(
        view_distribution(found.particles.rotation),
        name="views",
        caption="Directions from which the particles are seen.",
    )


def _start_table(found: Findings) -> tuple[list[str], list[list[object]]]:
    header = [
        "start",
        "mean log-likelihood",
        "poses within 10 degrees of the best start's",
        "median angle (degrees)",
        "correlation of the maps",
        "maps agree to (Å)",
        "mirrored",
    ]
    lines: list[list[object]] = []
    for start in found.starts:
        line: list[object] = [start.number, start.score]
        each = found.agreement.get(start.number)
        if each is None:
            line += ["the likeliest", "", "", "", ""]
        else:
            mirrored = "yes" if each.is_mirrored else "no"
            line += [f"{each.share:.0%}", each.angle, each.correlation, each.resolution, mirrored]
        lines.append(line)
    return header, lines


def _verdict(found: Findings) -> str:
    agreement = found.agreement.values()
    if not agreement:
        return "One start alone: nothing tells whether another would find the same structure."
    same = sum(each.is_same for each in agreement)
    if not same:
        return "No two starts agree: these images do not determine the structure."
    return f"{same} of {len(agreement)} other starts found the likeliest structure."


def _array(density: Tensor) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return density.float().cpu().numpy()


def write_states(report: Report, found: States, grid: Grid) -> None:
    """Add the representative states and how the particles lie among them."""
    from icelens.core.plots.slices import orthogonal_slices

    report.section("States")
    eigenvalues = found.model.eigenvalues.tolist()
    total = sum(eigenvalues) or 1.0
    report.table(
        ["coordinate", "variance", "share", "correlation of the half sets' components"],
        [
            [number, value, f"{value / total:.0%}", agreement]
            for number, (value, agreement) in enumerate(
                zip(eigenvalues, found.model.agreement.tolist(), strict=True), start=1
            )
        ],
    )
    nearest = nearest_state(found.latents, found.centres)
    maps = found.model.volumes(torch.from_numpy(found.centres).float())
    pictures = {
        f"state {number}: {int((nearest == number - 1).sum())}": _array(density)
        for number, density in enumerate(maps, start=1)
    }
    report.figure(
        orthogonal_slices(pictures, grid.pixel_size),
        name="states",
        caption="Maps at the centres of groups of particles (k-means), and how many are nearest "
        "to each.",
    )
