"""Particles of RELION tomography, 3.1 to 5: STAR tables to picks and back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.io.particle_columns import (
    PIXELS,
    number_columns,
    optics_pixel_size,
    particle_columns,
    particle_table,
    pixel_columns,
    refined_picks,
    tomogram_names,
)
from icelens.core.io.star import read_star, write_star

Floats = npt.NDArray[np.float64]
ExtentZyx = tuple[float, float, float]
Layout = Literal["relion5", "relion31"]
"""`relion5` counts Å from the tomogram's centre, `relion31` (also read by RELION 4) pixels."""

CENTRED = tuple(f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
# Whose pixels rlnCoordinateX counts, the surest first.
_COORDINATE_PIXEL_SIZE = ("rlnTomoTiltSeriesPixelSize", "rlnMicrographPixelSize")


def read_relion_particles(
    path: Path,
    *,
    extent_zyx: Mapping[str, ExtentZyx] | ExtentZyx | None = None,
    pixel_size: float | None = None,
    default_pixel_size: float | None = None,
    species_names: Mapping[int, str] | None = None,
) -> Picks:
    """Read particles of RELION 3.1 to 5; origins are applied, so positions are refined ones.

    Where boxes were extracted turned (`rlnTomoSubtomogramRot`), both rotations are combined and the
    origin, which counts in the box's frame, is turned back.

    Args:
        path: STAR file with a `particles` block, or a single block.
        extent_zyx: Sides of the tomogram (voxels times pixel size) in Å, or of each by its name;
            needed by centred coordinates, whose zero is half of it.
        pixel_size: Of `rlnCoordinateX`, in Å, whatever the file says.
        default_pixel_size: The same for files whose optics do not say.
        species_names: Species of each `rlnClassNumber`; without it, the number itself.

    Raises:
        MetadataError: If columns or what they need are missing.

    References:
        RELION, `ParticleSet::getMatrix3x3`: A_subtomogram A_particle.
    """
    blocks = read_star(path)
    table = particle_table(path, blocks)
    names = tomogram_names(table)
    if set(CENTRED) <= set(table.columns):
        half_xyz = [_extent(path, extent_zyx, name)[::-1] for name in names]
        position_xyz = number_columns(path, table, CENTRED) + np.reshape(half_xyz, (-1, 3)) / 2
    elif set(PIXELS) <= set(table.columns):
        used: float | Floats | None = pixel_size
        if used is None:
            used = optics_pixel_size(path, blocks, _COORDINATE_PIXEL_SIZE)
        used = default_pixel_size if used is None else used
        if used is None:
            raise MetadataError(
                f"{path}: {PIXELS[0]} counts pixels of unknown size; give the pixel size of the "
                "tilt series"
            )
        position_xyz = number_columns(path, table, PIXELS) * used
    else:
        raise MetadataError(f"{path}: neither {CENTRED[0]} nor {PIXELS[0]} is there; add one")
    return refined_picks(path, table, position_xyz, names, species_names)


def write_relion_particles(
    path: Path,
    picks: Picks,
    *,
    extent_zyx: Mapping[str, ExtentZyx] | ExtentZyx,
    pixel_size: float,
    voltage: float = 300.0,
    spherical_aberration: float = 2.7,
    amplitude_contrast: float = 0.1,
    layout: Layout = "relion5",
    class_numbers: Mapping[str, int] | None = None,
) -> None:
    """Write picks as RELION particles: blocks `optics` and `particles`.

    Args:
        path: STAR file to write.
        picks: Their `species` become `rlnClassNumber`.
        extent_zyx: Sides of the tomogram (voxels times pixel size) in Å, or of each by its name.
        pixel_size: Of the tilt series, in Å; `relion31` counts in it.
        voltage: In kV.
        spherical_aberration: In mm.
        amplitude_contrast: Fraction.
        layout: `relion5` or `relion31`.
        class_numbers: Number of each species; else from 1 in alphabetical order.
    """
    import pandas as pd

    if layout == "relion5":
        places = centred_columns(path, picks, extent_zyx)
    else:
        places = {"rlnMicrographName": list(picks.tomogram_id)} | pixel_columns(picks, pixel_size)
    columns = particle_columns(picks, places, class_numbers)
    optics = {
        "rlnOpticsGroup": 1,
        "rlnOpticsGroupName": "opticsGroup1",
        "rlnSphericalAberration": spherical_aberration,
        "rlnVoltage": voltage,
        "rlnAmplitudeContrast": amplitude_contrast,
        "rlnTomoTiltSeriesPixelSize": pixel_size,
    }
    write_star(path, {"optics": pd.DataFrame([optics]), "particles": pd.DataFrame(columns)})


def centred_columns(
    path: Path, picks: Picks, extent_zyx: Mapping[str, ExtentZyx] | ExtentZyx
) -> dict[str, object]:
    """Positions in Å from the middle of the tomogram, as RELION 5 has them."""
    half_zyx = np.reshape([_extent(path, extent_zyx, name) for name in picks.tomogram_id], (-1, 3))
    centred_xyz = (picks.position_zyx - half_zyx / 2)[:, ::-1]
    return dict(zip(CENTRED, centred_xyz.T, strict=True))


def _extent(
    path: Path, extent_zyx: Mapping[str, ExtentZyx] | ExtentZyx | None, tomogram_id: str
) -> ExtentZyx:
    known = extent_zyx.get(tomogram_id) if isinstance(extent_zyx, Mapping) else extent_zyx
    if known is None:
        raise MetadataError(
            f"{path}: coordinates are from the centre of tomogram {tomogram_id!r}, whose size is "
            "not known; give the tomogram"
        )
    return known
