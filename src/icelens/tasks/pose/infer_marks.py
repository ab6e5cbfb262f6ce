"""Know the parts of an inference that an earlier run finished with the same settings and files."""

import hashlib
import json
from pathlib import Path

from icelens.core.errors import CheckpointError
from icelens.tasks.pose.found_poses import FoundPoses
from icelens.tasks.pose.infer_settings import InferConfig
from icelens.tasks.pose.sums_file import read_sums


def fingerprint(config: InferConfig) -> str:
    """Marks results of the same settings and of the same files, by their size and time.

    Where and by how many they are computed is no matter.
    """
    left_out = {"output", "workers", "threads", "device", "time_limit"}
    settings = config.model_dump(mode="json", exclude=left_out)
    used = [*config.particles, config.model, *sorted(config.model.rglob("*.safetensors"))]
    used += [] if config.map is None else [config.map]
    stats = [path.stat() for path in used if path.is_file()]
    files = [(each.st_size, each.st_mtime_ns) for each in stats]
    return hashlib.sha256(json.dumps([settings, files], sort_keys=True).encode()).hexdigest()


def is_done(folder: Path, name: str, mark: str, *, resume: bool, needs_sums: bool) -> bool:
    """Whether an earlier run finished a part; else its files go."""
    files = [folder / f"{name}_{kind}.safetensors" for kind in ("poses", "sums")]
    if resume and _mark_of(files[0]) == mark and (not needs_sums or _are_whole(files[1])):
        return True
    for each in files:
        each.unlink(missing_ok=True)
    return False


def _mark_of(path: Path) -> str | None:
    """What a file of poses was made with; None for one that is absent or damaged."""
    try:
        return FoundPoses.read(path)[1]
    except CheckpointError:
        return None


def _are_whole(path: Path) -> bool:
    """Whether sums can be read."""
    try:
        read_sums(path)
    except CheckpointError:
        return False
    return True
