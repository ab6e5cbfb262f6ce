"""Small particle files of several programs whose images are noise, with CTFs, poses and shifts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.io.star import write_star
from icelens.core.io.volumes import write_volume
from icelens.core.simulate.poses import random_poses


def write_noise(path: Path, count: int, side: int, pixel_size: float) -> np.ndarray:
    images = np.random.default_rng(count + side).normal(3.0, 2.0, (count, side, side))
    write_volume(path, Volume(images.astype(np.float32), pixel_size))
    return images.astype(np.float32)


def write_noise_star(
    path: Path, counts: Sequence[int], optics: Sequence[OpticsGroup], **columns: object
) -> Path:
    """A STAR file of RELION 3.1; stack `s` is `NAME_s.mrcs` and has group s modulo groups."""
    rng = np.random.default_rng(1)
    stacks = tuple(path.with_name(f"{path.stem}_{number}.mrcs") for number in range(len(counts)))
    stack = np.repeat(np.arange(len(counts)), counts)
    for number, (file, count) in enumerate(zip(stacks, counts, strict=True)):
        group = optics[number % len(optics)]
        write_noise(file, count, group.box_size, group.pixel_size)
    particles = Particles(
        stacks,
        stack,
        np.concatenate([np.arange(count) for count in counts]),
        tuple(optics),
        stack % len(optics),
        rotation=random_poses(len(stack), rng),
        shift_yx=rng.uniform(-5, 5, (len(stack), 2)),
        defocus_u=rng.uniform(8e3, 2e4, len(stack)),
        defocus_v=rng.uniform(8e3, 2e4, len(stack)),
        astigmatism_angle=rng.uniform(0, 180, len(stack)),
    )
    write_particles(path, new_particle_file(particles, columns))
    return path


def write_old_star(path: Path, count: int, *, side: int, pixel_size: float) -> Path:
    """A STAR file of RELION 3.0: one table, origins in pixels."""
    rng = np.random.default_rng(1)
    write_noise(path.with_suffix(".mrcs"), count, side, pixel_size)
    columns = {
        "rlnImageName": [f"{n + 1}@{path.stem}.mrcs" for n in range(count)],
        "rlnDetectorPixelSize": np.full(count, 5.0),
        "rlnMagnification": np.full(count, 5e4 / pixel_size),
        "rlnDefocusU": rng.uniform(8e3, 2e4, count),
        "rlnVoltage": np.full(count, 300.0),
    }
    names = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnOriginX", "rlnOriginY")
    columns |= {name: rng.uniform(-3, 3, count) for name in names}
    write_star(path, {"": pd.DataFrame(columns)})
    return path


def write_cs(path: Path, count: int, *, side: int, pixel_size: float) -> Path:
    """Records of cryoSPARC whose shifts count in pixels of the images."""
    rng = np.random.default_rng(1)
    write_noise(path.with_name("blob.mrc"), count, side, pixel_size)
    fields = [
        ("uid", "<u8"), ("blob/path", "S8"), ("blob/idx", "<u4"), ("blob/shape", "<u4", (2,)),
        ("blob/psize_A", "<f4"), ("ctf/df1_A", "<f4"), ("ctf/df2_A", "<f4"),
        ("alignments3D/pose", "<f4", (3,)), ("alignments3D/shift", "<f4", (2,)),
    ]  # fmt: skip
    records = np.zeros(count, fields)
    records["uid"] = np.arange(count) + 7
    records["blob/path"], records["blob/idx"] = b"blob.mrc", range(count)
    records["blob/shape"], records["blob/psize_A"] = (side, side), pixel_size
    records["ctf/df1_A"] = records["ctf/df2_A"] = rng.uniform(8e3, 2e4, count)
    for name in ("alignments3D/pose", "alignments3D/shift"):
        records[name] = rng.normal(size=records[name].shape)
    with path.open("wb") as stream:
        np.save(stream, records)
    return path


def write_tilt_stacks(folder: Path, side: int = 8, visible: str = "[1,0,1]") -> Path:
    """A RELION-5 project of two particles with three tilts, of which two are visible."""
    for number in (1, 2):
        write_noise(folder / f"{number}.mrcs", 3, side, 4.0)
    (folder / "tomograms.star").write_text(
        "data_global\nloop_\n_rlnTomoName\n_rlnTomoTiltSeriesPixelSize\n_rlnTomoHand\n"
        "_rlnTomoSizeX\n_rlnTomoSizeY\n_rlnTomoSizeZ\nTS_1 2.0 -1 100 100 50\n\n"
        "data_TS_1\nloop_\n_rlnTomoXTilt\n_rlnTomoYTilt\n_rlnTomoZRot\n_rlnDefocusU\n"
        "_rlnMicrographPreExposure\n0 -30 0 20000 6\n0 0 0 21000 0\n0 30 0 22000 3\n"
    )
    (folder / "run_optimisation_set.star").write_text(
        "data_\n_rlnTomoParticlesFile p.star\n_rlnTomoTomogramsFile tomograms.star\n"
    )
    (folder / "p.star").write_text(
        "data_general\n_rlnTomoSubTomosAre2DStacks 1\n\n"
        "data_optics\nloop_\n_rlnOpticsGroup\n_rlnImagePixelSize\n_rlnImageSize\n_rlnVoltage\n"
        f"_rlnTomoSubtomogramBinning\n1 4.0 {side} 200 2.0\n\n"
        "data_particles\nloop_\n_rlnTomoName\n_rlnImageName\n_rlnOpticsGroup\n"
        "_rlnCenteredCoordinateXAngst\n_rlnCenteredCoordinateYAngst\n_rlnCenteredCoordinateZAngst\n"
        "_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\n"
        "_rlnOriginXAngst\n_rlnOriginYAngst\n_rlnOriginZAngst\n_rlnTomoVisibleFrames\n"
        f"TS_1 1.mrcs 1 100 0 0 10 20 30 0 0 0 {visible}\n"
        f"TS_1 2.mrcs 1 0 0 50 40 50 60 1 2 4 {visible}\n"
    )
    return folder / "p.star"
