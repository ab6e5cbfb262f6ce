"""Make a particle file of bare stacks and of tables with a row for each of their images."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.geometry.relion_angles import relion_angles_from_matrices
from icelens.core.io.bare_stacks import read_bare_stacks
from icelens.core.io.image_columns import IMAGE_NAME, ORIGIN_XY
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_columns import ANGLES
from icelens.core.io.particle_tables import numbered_blocks
from icelens.core.io.relion_images import read_relion_images
from icelens.core.io.relion_optics import PIXEL_SIZE
from icelens.core.io.stack_paths import stack_name
from icelens.core.io.star import write_star
from icelens.jobs.run import Run
from icelens.tasks.tools.image_jobs import NewStarConfig

if TYPE_CHECKING:
    import pandas

_MICROSCOPE = ("rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast")
_ORTHOGONAL = 1e-3

Columns = dict[str, npt.NDArray[Any]]


def write_new_star(config: NewStarConfig, run: Run) -> Path:
    """Write the file and return it.

    Raises:
        InputFileError: If a stack or table is missing or damaged.
        MetadataError: If a table has another number of rows than there are images, or what it says
            cannot be.
    """
    import pandas as pd

    tables = [path for path in (config.poses, config.ctf) if path is not None]
    refuse_overwriting(config.output, [*config.stacks, *tables])
    if config.output.suffix.lower() != ".star":
        raise InputFileError(f"{config.output}: expected a name that ends in .star")
    particles = read_bare_stacks(
        config.stacks, pixel_size=config.pixel_size, pixel_size_from="metadata"
    )
    absolute = [str(path.absolute()) for path in particles.stacks]
    columns: Columns = {IMAGE_NAME: _names(absolute, particles)}
    for path in tables:
        found = _columns(path, len(particles))
        twice = sorted(set(found) & set(columns))
        if twice:
            raise MetadataError(f"{path}: column {twice[0]} comes twice; remove it from one table")
        columns |= found
    if "rlnDefocusU" in columns:
        given = (config.voltage, config.spherical_aberration, config.amplitude_contrast)
        for name, value in zip(_MICROSCOPE, given, strict=True):
            columns.setdefault(name, np.full(len(particles), value))
    columns[PIXEL_SIZE] = particles.pixel_size()
    # read as a file of RELION 3.0, which has all that tables say checked
    source = config.ctf or config.poses or config.stacks[0]
    file = read_relion_images(source, {"": pd.DataFrame(columns)}, on_event=run.on_event)
    blocks = numbered_blocks(file)
    kept = [
        name
        for name in blocks["particles"].columns
        if name not in (*_MICROSCOPE, PIXEL_SIZE, "rlnBeamTiltX", "rlnBeamTiltY")
    ]
    relative = [stack_name(config.output, path) for path in particles.stacks]
    table = blocks["particles"][kept].assign(**{IMAGE_NAME: _names(relative, particles)})
    write_star(config.output, {**blocks, "particles": table})
    run.on_event(Saved(config.output, "particle list"))
    run.on_event(Message(f"{len(particles)} images of {len(config.stacks)} stacks are listed"))
    return config.output


def _names(stacks: Sequence[str], particles: Particles) -> npt.NDArray[np.object_]:
    pairs = zip(particles.slice_index.tolist(), particles.stack.tolist(), strict=True)
    return np.asarray([f"{place + 1:06d}@{stacks[stack]}" for place, stack in pairs], object)


def _columns(path: Path, count: int) -> Columns:
    """Columns of RELION's names out of a table; one value for each image."""
    columns = _pose_columns(path) if path.suffix.lower() == ".npz" else _csv_columns(path)
    found = len(next(iter(columns.values())))
    if found != count:
        raise MetadataError(
            f"{path}: {found} rows, expected {count} as there are images in the stacks; give the "
            "table that belongs to them"
        )
    return columns


def _csv_columns(path: Path) -> Columns:
    import pandas as pd

    try:
        table: pandas.DataFrame = pd.read_csv(path)
    except FileNotFoundError as error:
        raise InputFileError(f"{path}: no such table; check the path") from error
    except (ValueError, OSError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputFileError(
            f"{path}: not a readable table ({reason}), expected .csv with a line of names"
        ) from error
    names = [str(name) for name in table.columns]
    plain = {name: name.strip().removeprefix("_") for name in names}
    columns = {plain[n]: table[n].to_numpy() for n in names if plain[n].startswith("rln")}
    if not columns:
        raise MetadataError(
            f"{path}: columns {', '.join(names[:5])}, expected RELION's names such as rlnAngleRot "
            "or rlnDefocusU; rename them"
        )
    return columns


def _pose_columns(path: Path) -> Columns:
    """Angles and origins of the arrays `rotation` and `shift_yx`."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            found = {name: np.asarray(arrays[name], np.float64) for name in arrays.files}
    except FileNotFoundError as error:
        raise InputFileError(f"{path}: no such table; check the path") from error
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputFileError(
            f"{path}: not readable arrays ({reason}), expected an .npz with `rotation`"
        ) from error
    rotation, shift_yx = found.get("rotation"), found.get("shift_yx")
    if rotation is None or rotation.ndim != 3 or rotation.shape[1:] != (3, 3):
        shape = "nothing" if rotation is None else str(rotation.shape)
        raise MetadataError(
            f"{path}: `rotation` is {shape}, expected (row, 3, 3) from reference to image"
        )
    defect = np.abs(rotation @ np.swapaxes(rotation, 1, 2) - np.eye(3)).max(initial=0.0)
    if not (defect < _ORTHOGONAL and (np.linalg.det(rotation) > 0).all()):
        raise MetadataError(f"{path}: `rotation` holds what is no rotation; export it again")
    columns: Columns = dict(zip(ANGLES, relion_angles_from_matrices(rotation).T, strict=True))
    if shift_yx is not None:
        if shift_yx.shape != (len(rotation), 2) or not np.isfinite(shift_yx).all():
            raise MetadataError(
                f"{path}: `shift_yx` is {shift_yx.shape}, expected finite ({len(rotation)}, 2) in Å"
            )
        columns |= dict(zip(ORIGIN_XY, shift_yx[:, ::-1].T, strict=True))
    return columns
