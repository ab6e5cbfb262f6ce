"""Whether latents mirror the microscope, and whether both half sets show the same states."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from icelens.core.events import Message
from icelens.core.latents.confounders import (
    Confounder,
    confounders,
    curve_terms,
    group_terms,
    turn_terms,
    view_terms,
)
from icelens.core.plots.bars import bars
from icelens.core.plots.latent import latent_values
from icelens.jobs.run import Run
from icelens.tasks.hetero.analyze_findings import Findings

Column = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_COMPONENTS = 5
_UNLIKELY = 1e-4


def show_causes(run: Run, found: Findings, poses: Mapping[str, Column]) -> None:
    """Regress components on what the microscope did, draw and warn."""
    causes = _terms(found, poses)
    tried = confounders(found.coordinates[:, :_COMPONENTS], causes)
    run.report.section("Latents against the microscope")
    run.report.text(
        "Share of each principal component that defocus, view and so on explain. Molecules do not "
        "know the microscope: where a share is large, the latent mirrors how the image was taken. "
        "A component may follow the view for a good reason where states prefer orientations."
    )
    shares = {name: [each.share for each in tried if each.cause == name] for name in causes}
    numbers = range(1, min(_COMPONENTS, len(found.components)) + 1)
    run.report.table(
        ["cause", *(f"PC {number}" for number in numbers)],
        [[name, *values] for name, values in shares.items()],
    )
    for each in tried:
        if each.is_suspicious and found.is_told[each.component - 1]:
            _warn(run, _sentence(each))
    if found.coordinates.shape[1] > 1:
        _draw(run, found, poses)


def show_halves(run: Run, found: Findings) -> None:
    """Compare the sizes of clusters between half sets; a state of one half alone is suspicious."""
    half = found.table.half_set
    count = len(found.clusters)
    sizes = np.stack(
        [np.bincount(found.clusters.label[half == h], minlength=count + 1)[1:] for h in (1, 2)]
    )
    run.report.section("Sizes of clusters")
    names = [str(number) for number in range(1, count + 1)]
    known = bool(sizes.sum(axis=1).all())
    groups = (
        {"half set 1": sizes[0], "half set 2": sizes[1]}
        if known
        else {"all": found.clusters.sizes()}
    )
    run.report.figure(
        bars(groups, names, xlabel="cluster of k-means", ylabel="particles"),
        name="cluster_sizes",
        caption="Particles in each cluster" + (" by half set." if known else "."),
    )
    if not known:
        run.report.text("Half sets are not known, or there is but one.")
        return
    for number in uneven(sizes):
        one, two = sizes[:, number - 1]
        _warn(
            run,
            f"cluster {number} has {one} particles of half set 1 and {two} of half set 2, more "
            "uneven than chance: a state that one half shows alone may be an artefact",
        )


def uneven(sizes: npt.NDArray[np.int64]) -> list[int]:
    """Clusters, from 1, whose halves `(2, cluster)` differ more than chance lets them.

    By the chi-squared statistic of each against the shares of the half sets as wholes.
    """
    share = sizes.sum(axis=1, keepdims=True) / sizes.sum()
    expected = np.maximum(share * sizes.sum(axis=0), 1e-9)
    statistic = ((sizes - expected) ** 2 / expected).sum(axis=0)
    limit = _UNLIKELY / sizes.shape[1]
    return [int(place) + 1 for place in np.flatnonzero(chi2.sf(statistic, 1) < limit)]


def _terms(found: Findings, poses: Mapping[str, Column]) -> dict[str, Floats]:
    """Causes that vary among the particles."""
    rot, tilt = np.deg2rad(poses["rot"]), np.deg2rad(poses["tilt"])
    direction = np.stack(
        [np.sin(tilt) * np.cos(rot), np.sin(tilt) * np.sin(rot), np.cos(tilt)], axis=1
    )
    shift = np.stack([poses["shift_x"], poses["shift_y"]], axis=1)
    causes = {
        "defocus": curve_terms(poses["defocus"]),
        "viewing direction": view_terms(direction),
        "in-plane angle": turn_terms(poses["psi"]),
        "shift": np.concatenate([shift, shift**2], axis=1),
        "optics group": group_terms(poses["optics_group"]),
        "half set": group_terms(found.table.half_set),
        "number of images": curve_terms(np.asarray(poses["images"], np.float64)),
    }
    return {name: terms for name, terms in causes.items() if np.ptp(terms, axis=0).any()}


def _sentence(each: Confounder) -> str:
    return (
        f"principal component {each.component} follows the {each.cause} ({each.share:.0%} of its "
        "variance): it may mirror the microscope, not the molecule"
    )


def _draw(run: Run, found: Findings, poses: Mapping[str, Column]) -> None:
    labels = {"defocus": "defocus (Å)", "tilt": "tilt angle of the view (degrees)"}
    for name, label in labels.items():
        values = np.asarray(poses[name], np.float64)
        if np.ptp(values) > 0:
            run.report.figure(
                latent_values(found.coordinates[:, :2], values, found.axis_names(), label=label),
                name=f"latent_{name}",
                caption=f"Particles in the colour of their {label}; colours should be mixed.",
            )


def _warn(run: Run, sentence: str) -> None:
    run.report.text(f"Beware: {sentence}.")
    run.on_event(Message(sentence, level="warning"))
