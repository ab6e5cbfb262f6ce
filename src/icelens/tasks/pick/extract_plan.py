"""Decide which subtomograms are cut from which run, and refuse what cannot be, before any is."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.events import Message
from icelens.core.geometry.inside import refuse_many_outside, refuse_voxels
from icelens.core.io.copick.project import Project, TomogramKey
from icelens.core.optics.missing_wedge import TiltScheme
from icelens.core.volumes.crop import outside_fraction
from icelens.jobs.run import Run
from icelens.tasks.pick.exchange_jobs import ExtractConfig
from icelens.tasks.pick.picked import Frame, collect_picks, frame_of_key
from icelens.tasks.pick.subtomogram_weights import scheme_and_defocus

LARGEST_PADDED_SHARE = 0.25
"""Of a box's voxels; a box that lacks more is left out."""
NAMED_AT_MOST = 5


@dataclass(frozen=True)
class Source:
    """One run: its tomogram, the picks to cut out, and how the microscope saw it."""

    run: str
    key: TomogramKey
    frame: Frame
    picks: Picks
    scheme: TiltScheme | None
    defocus: float


def plan(project: Project, config: ExtractConfig, run: Run) -> list[Source]:
    """Everything that can be refused is, before the first box is written.

    Raises:
        MetadataError: See `extract_subtomograms`.
    """
    picks = collect_picks(
        project,
        config.picks,
        runs=config.runs,
        objects=config.objects,
        min_score=config.min_score,
    )
    names = sorted(set(picks.tomogram_id))
    known = scheme_and_defocus(config, names)
    sources, left_out = [], Counter[str]()
    for name in names:
        key = project.choose_tomogram(name, config.voxel_size, config.tomogram_type)
        frame = frame_of_key(project, name, key)
        chosen = picks.of_tomogram(name)
        where = f"{config.project}: run {name}"
        refuse_voxels(where, chosen.position_zyx, shape=frame.shape, pixel_size=frame.pixel_size)
        outside = {f"{name}, {frame}": int((~frame.holds(chosen)).sum())}
        refuse_many_outside(str(config.project), outside, len(chosen))
        shares = [
            outside_fraction(frame.shape, position, config.box_size)
            for position in chosen.position_zyx / frame.pixel_size
        ]
        fits = np.array(shares) <= LARGEST_PADDED_SHARE
        left_out[name] = int((~fits).sum())
        if fits.any():
            sources.append(Source(name, key, frame, chosen.select(fits), *known[name]))
    _say_what_is_left_out(left_out, config, run)
    if not sources:
        raise MetadataError(
            f"{config.project}: no box of {config.box_size} voxels around {len(picks)} picks lies "
            "in its tomogram; choose a smaller --box-size, or other picks"
        )
    _say_what_is_unknown(sources, run)
    return sources


def _say_what_is_left_out(left_out: Counter[str], config: ExtractConfig, run: Run) -> None:
    names = [f"{name} ({number})" for name, number in left_out.items() if number]
    if not names:
        return
    more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
    text = (
        f"Left out {left_out.total()} picks whose box of {config.box_size} voxels leaves the "
        f"tomogram by more than {LARGEST_PADDED_SHARE:.0%}: "
        f"{', '.join(names[:NAMED_AT_MOST])}{more}"
    )
    run.on_event(Message(text, "warning"))


def _say_what_is_unknown(sources: list[Source], run: Run) -> None:
    names = [each.run for each in sources if each.scheme is None]
    if names:
        run.on_event(
            Message(
                f"The tilts of {len(names)} runs are not known, so the missing wedge is not noted; "
                "give --tilt-range or --tomograms-star",
                "warning",
            )
        )
    some = [each for each in sources if each.scheme is None and not each.defocus]
    if 0 < len(some) < len(sources):
        raise MetadataError(
            f"run {some[0].run} has neither tilts nor defocus while others do; give --tilt-range"
        )
