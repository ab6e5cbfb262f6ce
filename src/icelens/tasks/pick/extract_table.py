"""The RELION table of subtomograms: where each was cut, how it is turned, which files it has."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.io.particle_columns import ANGLES, ORIGIN, PIXELS, SUBTOMOGRAM, particle_columns
from icelens.core.io.relion_particles import centred_columns
from icelens.core.io.star import write_star
from icelens.core.volumes.crop import whole_and_offset
from icelens.tasks.pick.exchange_jobs import ExtractConfig
from icelens.tasks.pick.extract_plan import Source
from icelens.tasks.pick.picked import joined


@dataclass
class Written:
    """Files of the particles, in the order of the table."""

    images: list[str] = field(default_factory=list)
    weights: list[str] = field(default_factory=list)


def write_table(
    star: Path,
    config: ExtractConfig,
    sources: list[Source],
    written: Written,
    pixel_size: float,
) -> None:
    """Write optics and particles, with coordinates both from the centre and in voxels."""
    import pandas as pd

    picks = joined([each.picks for each in sources])
    extents = {each.run: each.frame.extent_zyx for each in sources}
    # Boxes centred on a voxel: the table's place is that voxel, and the origin leads from there.
    placed = picks
    if not (config.between_voxels or config.orient):
        whole = [whole_and_offset(position)[0] for position in picks.position_zyx / pixel_size]
        placed = Picks(
            np.array(whole, np.float64) * pixel_size,
            picks.rotation,
            picks.species,
            picks.score,
            picks.tomogram_id,
        )
    columns = particle_columns(picks, _places(star, placed, extents, pixel_size))
    offset_xyz = (placed.position_zyx - picks.position_zyx)[:, ::-1]
    columns |= dict(zip(ORIGIN, offset_xyz.T, strict=True))
    if config.orient:
        columns |= dict(zip(SUBTOMOGRAM, (columns[name] for name in ANGLES), strict=True))
        columns |= {name: np.zeros(len(picks)) for name in ANGLES}
    columns["rlnImageName"] = written.images
    if written.weights:
        columns["rlnCtfImage"] = written.weights
    counters = Counter[str]()
    names = []
    for name in picks.tomogram_id:
        counters[name] += 1
        names.append(f"{name}/{counters[name]}")
    columns["rlnTomoParticleName"] = names
    optics = _optics(config, pixel_size)
    write_star(star, {"optics": pd.DataFrame([optics]), "particles": pd.DataFrame(columns)})


def _places(
    star: Path,
    picks: Picks,
    extents: Mapping[str, tuple[float, float, float]],
    pixel_size: float,
) -> dict[str, object]:
    in_voxels = (picks.position_zyx[:, ::-1] / pixel_size).T
    return centred_columns(star, picks, extents) | dict(zip(PIXELS, in_voxels, strict=True))


def _optics(config: ExtractConfig, pixel_size: float) -> dict[str, object]:
    return {
        "rlnOpticsGroup": 1,
        "rlnOpticsGroupName": "opticsGroup1",
        "rlnSphericalAberration": config.spherical_aberration,
        "rlnVoltage": config.voltage,
        "rlnAmplitudeContrast": config.amplitude_contrast,
        "rlnTomoTiltSeriesPixelSize": pixel_size,
        "rlnTomoSubtomogramBinning": 1.0,
        "rlnCtfDataAreCtfPremultiplied": 0,
        "rlnImageDimensionality": 3,
        "rlnImagePixelSize": pixel_size,
        "rlnImageSize": config.box_size,
    }
