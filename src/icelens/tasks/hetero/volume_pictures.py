"""Volumes in a report: what backs each, surfaces and slices."""

from pathlib import Path

import numpy as np

from icelens.core.data.evenly import evenly
from icelens.core.io.volumes import open_volume
from icelens.core.plots.slices import orthogonal_slices
from icelens.core.plots.volume_surfaces import volume_surfaces
from icelens.jobs.run import Run

_MOST_SURFACES = 20
_MOST_SLICES = 8


def show_volumes(run: Run, table: Path, *, title: str) -> None:
    """Add the volumes of a `volumes.csv` to a report.

    Args:
        run: Whose report it is.
        table: The file; volumes lie beside it.
        title: Of the section.
    """
    import pandas

    frame = pandas.read_csv(table, keep_default_na=False)
    stem = "_".join(title.lower().split())
    run.report.section(title)
    run.report.text(
        "Support: num_near particles lie as near as the nearest ones of a typical particle. An "
        "extrapolated volume has no particle near it: the model made up what it shows. Where "
        "images were compared, resolution_halves (Å) is how far two independent halves agree, and "
        "agreement, from -1 to 1, how far a map of the nearest images does; noise of that map "
        "lowers it, so compare volumes with each other. Empty cells: the images near a volume are "
        "too few, or too noisy, for their halves to agree on anything."
    )
    columns = [
        name for name in frame.columns if not name.startswith(("latent_", "half_", "uncertainty"))
    ]
    run.report.table(columns, frame[columns].to_numpy().tolist())
    volumes, pixel_size = {}, 1.0
    for place in evenly(len(frame), _MOST_SURFACES):
        volume = open_volume(table.parent / str(frame["file"].iloc[place]))
        pixel_size = volume.pixel_size
        volumes[_short(str(frame["name"].iloc[place]))] = np.asarray(volume.array, np.float32)
    surfaces = volume_surfaces(volumes, pixel_size)
    if surfaces is not None:
        run.report.figure(
            surfaces,
            name=f"{stem}_surfaces",
            caption="Surfaces from the front and from the right, all at one level.",
        )
    names = [list(volumes)[place] for place in evenly(len(volumes), _MOST_SLICES)]
    run.report.figure(
        orthogonal_slices({name: volumes[name] for name in names}, pixel_size),
        name=f"{stem}_slices",
        caption="Central slices, each volume with its own contrast.",
    )


def _short(name: str) -> str:
    """`volume_07` is 7 in a picture."""
    number = name.removeprefix("volume_")
    return number.lstrip("0") or number
