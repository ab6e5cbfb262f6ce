"""Read a folder of cryoDRGN whole, and see that its parts belong together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icelens.core.data.latents import LatentTable
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message
from icelens.core.io.cryodrgn_config import CryodrgnConfig, read_cryodrgn_config
from icelens.core.io.cryodrgn_files import (
    CryodrgnPoses,
    read_cryodrgn_ctf,
    read_cryodrgn_index,
    read_cryodrgn_latents,
    read_cryodrgn_poses,
)
from icelens.core.io.cryodrgn_images import read_image_list
from icelens.core.io.cryodrgn_particles import CryodrgnData, ShiftUnit, cryodrgn_particles
from icelens.jobs.run import Run
from icelens.tasks.hetero.cryodrgn_weights import DecoderWeights, read_decoder_weights
from icelens.tasks.hetero.cryodrgn_workdir import EpochFiles, files_of_epoch, located
from icelens.tasks.hetero.import_cryodrgn_jobs import ImportCryodrgnConfig

_KNOWN_VERSIONS = range(5)
"""Majors of cryoDRGN whose files are known; later ones may have changed them."""


@dataclass(frozen=True, eq=False)
class ReadRun:
    """All of a run, checked, before anything is written.

    Attributes:
        known: Its settings.
        epoch: Files of the epoch.
        particles: Images that it was trained on, with their poses.
        latents: None of a homogeneous run.
        weights: None if the network is not wanted.
        pixel_size: Of its volumes, in Å/px.
    """

    known: CryodrgnConfig
    epoch: EpochFiles
    particles: ParticleFile
    latents: LatentTable | None
    weights: DecoderWeights | None
    pixel_size: float


def read_run(config: ImportCryodrgnConfig, workdir: Path, run: Run) -> ReadRun:
    """Read and check all files of a run.

    Raises:
        IcelensError: If one is missing, damaged, unsafe or does not go with the others.
    """
    if config.contrast is not None or config.are_tilts:
        raise MetadataError(
            f"{workdir}: --contrast and --are-tilts are for particles alone, the settings of a run "
            "say both; leave them out"
        )
    known = read_cryodrgn_config(workdir / "config.yaml")
    _say_version(known, run)
    epoch = files_of_epoch(workdir, known, config.epoch)
    run.inputs += [known.path, epoch.weights, *([epoch.latents] if epoch.latents else [])]
    data = _data(config, known, epoch, run)
    file = cryodrgn_particles(
        data, box_size=known.box_size, pixel_size=config.pixel_size, on_event=run.on_event
    )
    latents = None if epoch.latents is None else latents_of(epoch.latents, known, file.particles)
    if latents is not None and known.kind == "vae" and np.isnan(latents.deviation).all():
        run.on_event(
            Message(
                f"{epoch.latents}: holds latents without log-variances, as if it was cut short; "
                "how sure they are is not known",
                level="warning",
            )
        )
    weights = read_decoder_weights(epoch.weights, known) if config.network else None
    pixel_size = float(file.particles.pixel_size()[0])
    if data.ctf is not None and config.pixel_size is None:
        pixel_size = float(f"{data.ctf[0, 0] * data.ctf[0, 1] / known.box_size:.6g}")
    _say_assumptions(known, file.particles, pixel_size, run)
    return ReadRun(known, epoch, file, latents, weights, pixel_size)


def read_particles_alone(config: ImportCryodrgnConfig, run: Run) -> ParticleFile:
    """Particles of the files that are given one by one.

    Raises:
        IcelensError: If one is missing, damaged, unsafe or does not go with the others.
    """
    if config.particles is None or config.poses is None:
        missing = "--poses" if config.poses is None else "--particles"
        raise MetadataError(
            f"{missing} is missing, expected a folder of cryoDRGN (--workdir), or --particles with "
            "--poses and --ctf; give either"
        )
    run.inputs += [each for each in (config.particles, config.poses, config.ctf) if each]
    data = CryodrgnData(
        images=read_image_list(config.particles, config.datadir),
        ctf=None if config.ctf is None else read_cryodrgn_ctf(config.ctf),
        poses=read_cryodrgn_poses(config.poses),
        index=None if config.ind is None else read_cryodrgn_index(config.ind),
        ctf_path=config.ctf or Path("ctf.pkl"),
        pose_path=config.poses,
        shift_unit="pixels" if config.shifts == "pixels" else "box",
        are_tilts=config.are_tilts,
        is_bright=config.contrast != "dark",
    )
    return cryodrgn_particles(data, pixel_size=config.pixel_size, on_event=run.on_event)


def latents_of(path: Path, known: CryodrgnConfig, particles: Particles) -> LatentTable:
    """Latents of the particles, one line for each in the order of first appearance.

    Raises:
        MetadataError: If they are of another number of particles or dimensions.
    """
    latent, deviation = read_cryodrgn_latents(path)
    numbers, first = np.unique(particles.particle, return_index=True)
    if latent.shape != (len(numbers), known.latent_dim):
        raise MetadataError(
            f"{path}: {latent.shape[0]} latents of {latent.shape[1]} dimensions, expected "
            f"{len(numbers)} of {known.latent_dim} as there are particles and settings; give the "
            "particles (--particles) and the index (--ind) of this run"
        )
    order = np.argsort(first)
    return LatentTable(
        latent=latent,
        particle=numbers[order],
        row=first[order].astype(np.int64),
        deviation=np.full_like(latent, np.nan) if deviation is None else deviation,
        half_set=particles.half_set[first[order]],
    )


def _data(
    config: ImportCryodrgnConfig, known: CryodrgnConfig, epoch: EpochFiles, run: Run
) -> CryodrgnData:
    """Images, CTF and poses, from where the settings or the user say."""
    particles = located(known, known.particles, config.particles, "--particles")
    if particles is None:
        raise MetadataError(f"{known.path}: names no particles; give them with --particles")
    stack_root = located(known, known.folder, config.datadir, "--datadir", is_folder=True)
    ctf = located(known, known.ctf, config.ctf, "--ctf")
    index = located(known, known.index, config.ind, "--ind")
    run.inputs += [path for path in (particles, ctf, index) if path is not None]
    poses, unit, pose_path = _poses(config, known, epoch, run)
    has_ctf = ctf is not None
    return CryodrgnData(
        images=read_image_list(particles, stack_root),
        ctf=None if ctf is None else read_cryodrgn_ctf(ctf),
        poses=poses,
        index=None if index is None else read_cryodrgn_index(index),
        ctf_path=ctf or Path("ctf.pkl"),
        pose_path=pose_path,
        shift_unit=unit,
        are_tilts=known.are_tilts,
        # its CTF has the opposite sign of ours, its inversion turns that of the images; what then
        # comes out is taken to be bright
        is_bright=known.is_inverted == has_ctf,
    )


def _poses(
    config: ImportCryodrgnConfig, known: CryodrgnConfig, epoch: EpochFiles, run: Run
) -> tuple[CryodrgnPoses, ShiftUnit, Path]:
    """The poses it ended with, what their shifts count, and their file."""
    is_own = config.poses is None and epoch.poses is not None
    path = epoch.poses if is_own else located(known, known.poses, config.poses, "--poses")
    if path is None:
        what = f"pose.{epoch.epoch}.pkl" if epoch.epoch is not None else "pose.pkl"
        raise MetadataError(
            f"{known.path.parent}: no {what}, and {known.path.name} names no poses; give them with "
            "--poses"
        )
    run.inputs.append(path)
    poses = read_cryodrgn_poses(path)
    if config.shifts != "auto":
        return poses, config.shifts, path
    if is_own and known.kind == "abinitio":
        if poses.shift_xy is not None:
            run.on_event(
                Message(f"{path}: shifts are taken to be pixels, as cryoDRGN's abinit writes them")
            )
        return poses, "pixels", path
    if is_own and poses.shift_xy is not None:
        # refined shifts are divided by the side of the lattice, one more than the box
        stretch = (known.box_size + 1) / known.box_size
        poses = CryodrgnPoses(poses.rotation, poses.shift_xy * stretch)
    return poses, "box", path


def _say_version(known: CryodrgnConfig, run: Run) -> None:
    major = known.version.partition(".")[0]
    if major.isdigit() and int(major) not in _KNOWN_VERSIONS:
        run.on_event(
            Message(
                f"{known.path}: written by cryoDRGN {known.version}, known are versions up to "
                f"{_KNOWN_VERSIONS[-1]}; check a volume before you go on",
                level="warning",
            )
        )


def _say_assumptions(
    known: CryodrgnConfig, particles: Particles, pixel_size: float, run: Run
) -> None:
    sizes = np.unique(particles.pixel_size())
    if len(sizes) > 1:
        run.on_event(
            Message(
                f"images of {sizes.min():g} to {sizes.max():g} Å/px; cryoDRGN took "
                f"{pixel_size:g} for all of them, as which its volumes are written",
                level="warning",
            )
        )
    if (particles.ctf_scale < 0).all():
        run.on_event(
            Message(
                f"{known.path}: trained on images taken for dark on light; their CTFs get the "
                "scale -1, so that densities are bright"
            )
        )
