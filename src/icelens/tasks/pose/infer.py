"""Find the poses of particles with a trained model, refine them, and reconstruct their map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import CheckpointError, MetadataError
from icelens.core.events import Event, Message, OnEvent, Saved
from icelens.core.fourier.insertion import SliceSums
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.jobs.run import Run
from icelens.jobs.stopwatch import Deadline
from icelens.tasks.pose.found_poses import FoundPoses, joined
from icelens.tasks.pose.half_sets import half_sets
from icelens.tasks.pose.infer_columns import columns_of
from icelens.tasks.pose.infer_marks import fingerprint, is_done
from icelens.tasks.pose.infer_part import Part, infer_part
from icelens.tasks.pose.infer_report import report_inference
from icelens.tasks.pose.infer_settings import InferConfig, PosingConfig
from icelens.tasks.pose.maps import MAP_NAMES, write_maps
from icelens.tasks.pose.model import PoseModel, read_models
from icelens.tasks.pose.refine_reference import open_reference
from icelens.tasks.pose.sums_file import read_sums, write_sums
from icelens.training.device import Compute, choose_compute, use_threads

Integers = npt.NDArray[np.int64]

PARTS_FOLDER = "parts"
RESULT_NAME = "particles.star"
_ROWS_OF_PART = 4000
"""Parts are a matter of the rows alone, so that sums do not depend on who adds them up."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What all parts of an inference share; made alike in every process."""

    config: InferConfig
    file: ParticleFile
    reader: ImageReader
    half_set: Integers
    models: Mapping[int, Sequence[PoseModel]]
    compute: Compute


@dataclass(frozen=True)
class PartKey:
    """One part of the work: a half set (0 for all), its number, and its rows."""

    half_set: int
    number: int
    rows: tuple[int, int]
    """Places among the rows of the half set, half-open."""

    @property
    def name(self) -> str:
        """Of its files."""
        return f"half_{self.half_set}_part_{self.number + 1}"

    @property
    def title(self) -> str:
        """As progress says it."""
        half = f"half {self.half_set}" if self.half_set else "all"
        return f"{half}, part {self.number + 1}"


def infer(config: InferConfig, run: Run) -> Path:
    """Write particles with poses, and their maps; return the particle file.

    Raises:
        StoppedEarly: If the time limit came first; parts that are done are taken over later.
    """
    on_event = told_once(Deadline(config.time_limit).watch(run.on_event))
    setting = open_setting(config, on_event)
    names = (RESULT_NAME, *MAP_NAMES)
    given = [*config.particles, *([config.map] if config.map else [])]
    refuse_overwriting([run.folder / name for name in names], given)
    folder = run.folder / PARTS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    keys = part_keys(setting)
    mark = fingerprint(config)
    todo = [
        key
        for key in keys
        if not is_done(folder, key.name, mark, resume=run.resume, needs_sums=config.reconstruct)
    ]
    if len(todo) < len(keys):
        run.on_event(Message(f"{len(keys) - len(todo)} of {len(keys)} parts are taken over"))
    if config.workers > 1 and len(todo) > 1:
        from icelens.tasks.pose.workers import share_parts

        share_parts(config, folder, todo, mark, on_event)
    else:
        for key in todo:
            do_part(setting, key, folder, mark, on_event)
    return finish(setting, keys, folder, run)


def told_once(on_event: OnEvent) -> OnEvent:
    """Leave out messages that were told before: each part finds the same to say."""
    told: set[str] = set()

    def tell(event: Event) -> None:
        if isinstance(event, Message):
            if event.text in told:
                return
            told.add(event.text)
        on_event(event)

    return tell


def open_setting(config: InferConfig, on_event: OnEvent) -> Setting:
    """Read model and particles, and check what can be checked before anything is computed."""
    compute = choose_compute(config.device, config.precision, config.threads)
    use_threads(compute)
    models = read_models(config.model)
    file = read_particles(config.particles, stack_root=config.stack_root, on_event=on_event)
    if not len(file):
        raise MetadataError(f"{file.path}: there is no particle in it; expected one or more")
    refuse_series(file)
    reader = ImageReader(file.particles, on_event=on_event)
    if set(models) == {0}:
        half_set = np.zeros(len(file), np.int64)
        if config.reconstruct:
            half_set = half_sets(file.particles, seed=config.seed, on_event=on_event)
    else:
        half_set = half_sets(file.particles, seed=config.seed, on_event=on_event)
    chosen = choose_networks(config, models, on_event)
    check_references(config, chosen)
    return Setting(config, file, reader, half_set, chosen, compute)


def refuse_series(file: ParticleFile) -> None:
    """Refuse tilt series: a network answers for single images.

    Raises:
        MetadataError: If a particle has several images.
    """
    particle = file.particles.particle
    num_particles = len(np.unique(particle))
    if num_particles < len(particle):
        raise MetadataError(
            f"{file.path}: {num_particles} particles have {len(particle)} images, expected one "
            "each; refine tilt series from poses they have with `icelens pose refine`"
        )


def choose_networks(
    config: PosingConfig, models: Mapping[int, PoseModel], on_event: OnEvent
) -> dict[int, tuple[PoseModel, ...]]:
    """Networks that answer for half sets 1 and 2, and for all (0).

    Raises:
        CheckpointError: If a network that is asked for is not there.
    """
    if config.reconstruct and (config.map is not None or config.networks != "matching"):
        on_event(
            Message(
                "both half sets see the same map or network (--map, --networks): their maps agree "
                "by that, too, and the resolution said is too good",
                "warning",
            )
        )
    if 0 in models:
        if config.networks != "matching":
            raise CheckpointError(
                f"{config.model}: has one network for all particles, so --networks "
                f"{config.networks} has no choice; leave it out"
            )
        if config.reconstruct:
            on_event(
                Message(
                    "one network answers for both half sets: half maps are not independent of "
                    "what it learnt",
                    "warning",
                )
            )
        return dict.fromkeys((0, 1, 2), (models[0],))
    choices: dict[str, dict[int, tuple[int, ...]]] = {
        "matching": {1: (1,), 2: (2,)},
        "crossed": {1: (2,), 2: (1,)},
        "1": {1: (1,), 2: (1,)},
        "2": {1: (2,), 2: (2,)},
        "both": {1: (1, 2), 2: (2, 1)},
    }
    wanted = choices[config.networks]
    missing = {number for numbers in wanted.values() for number in numbers} - set(models)
    if missing:
        raise CheckpointError(
            f"{config.model}: has no network of half set {min(missing)}; give the whole model "
            "folder, or --networks with the one that is there"
        )
    return {half: tuple(models[number] for number in numbers) for half, numbers in wanted.items()}


def check_references(config: PosingConfig, models: Mapping[int, Sequence[PoseModel]]) -> None:
    """Make sure that there is a map to refine against.

    Raises:
        CheckpointError: If not.
    """
    if not config.refine:
        return
    if config.map is not None:
        open_reference(config.map, None)
        return
    for chosen in models.values():
        if not chosen[0].reference.is_file():
            raise CheckpointError(
                f"{chosen[0].reference}: the model came without its map; give --map, or --no-refine"
            )
        open_reference(chosen[0].reference, None)


def part_keys(setting: Setting) -> list[PartKey]:
    """The parts of the work, decided by the rows alone."""
    keys = []
    first = setting.config.first or len(setting.file)
    for half in np.unique(setting.half_set[:first]):
        count = int((setting.half_set[:first] == half).sum())
        edges = np.linspace(0, count, -(-count // _ROWS_OF_PART) + 1).round().astype(int)
        for number, (start, end) in enumerate(pairwise(edges)):
            keys.append(PartKey(int(half), number, (int(start), int(end))))
    return keys


def rows_of(setting: Setting, key: PartKey) -> Integers:
    """Rows of the particle file that a part holds."""
    first = setting.config.first or len(setting.file)
    rows: Integers = np.flatnonzero(setting.half_set[:first] == key.half_set)
    return rows[slice(*key.rows)]


def do_part(setting: Setting, key: PartKey, folder: Path, mark: str, on_event: OnEvent) -> None:
    """Compute a part and leave it in two files, the poses last: they say that it is done."""
    group = setting.file.particles.optics[int(setting.file.particles.optics_index[0])]
    part = Part(
        name=key.title,
        config=setting.config,
        models=setting.models[key.half_set],
        reader=setting.reader,
        particles=setting.file.particles,
        rows=rows_of(setting, key),
        box_size=group.box_size,
        pixel_size=group.pixel_size,
        compute=setting.compute,
    )
    found, sums = infer_part(part, on_event)
    if sums is not None:
        write_sums(folder / f"{key.name}_sums.safetensors", sums)
    found.save(folder / f"{key.name}_poses.safetensors", mark)


def finish(setting: Setting, keys: Sequence[PartKey], folder: Path, run: Run) -> Path:
    """Join the parts: particles, maps, report."""
    found = joined([FoundPoses.read(folder / f"{key.name}_poses.safetensors")[0] for key in keys])
    path = run.folder / RESULT_NAME
    half_set = None if set(setting.half_set) == {0} else setting.half_set[found.rows]
    write_particles(
        path,
        setting.file,
        rotation=found.table.rotation[:, 0],
        shift_yx=found.table.shift_yx[:, 0],
        columns=columns_of(setting.file, found, half_set),
        rows=found.rows,
    )
    run.on_event(Saved(path, "particle list"))
    maps = None
    if setting.config.reconstruct:
        sums = {half: _added(folder, keys, half) for half in (1, 2)}
        group = setting.file.particles.optics[int(setting.file.particles.optics_index[0])]
        model = setting.models[1][0]
        maps = write_maps(run.folder, sums, model.symmetry, group.pixel_size, run.on_event)
    report_inference(setting.file.particles, found, setting.models, maps, run)
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()
    return path


def _added(folder: Path, keys: Sequence[PartKey], half: int) -> SliceSums | None:
    """Sums of a half set, added in the order of its parts."""
    total: SliceSums | None = None
    for key in keys:
        if key.half_set == half:
            sums = read_sums(folder / f"{key.name}_sums.safetensors")
            if total is None:
                total = sums
            else:
                total.add(sums)
    return total
