"""Lanes: where jobs of the queue run, on this machine's CPU, one of its GPUs, or a cluster."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import read_plain
from icelens.jobs.project.project import Project

LANES_NAME = "lanes.yaml"
CPU = "cpu"
_MOST_BYTES = 100_000


@dataclass(frozen=True)
class LocalLane:
    """Some of this machine.

    Attributes:
        slots: Jobs that run in it at a time.
        environment: Variables its jobs see.
    """

    name: str
    title: str
    slots: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)


def local_lanes(project: Project) -> dict[str, LocalLane]:
    """The CPU and each GPU; `lanes.yaml` of the project says how many jobs each takes at a time.

        cpu: 2
        gpu-0: 1

    Raises:
        InputFileError: If `lanes.yaml` says something else.
    """
    slots = _slots(project.folder / LANES_NAME)
    cpu = LocalLane(CPU, "CPU", slots.get(CPU, 1), {"CUDA_VISIBLE_DEVICES": ""})
    found = {CPU: cpu}
    for number, title in enumerate(gpu_names()):
        name = f"gpu-{number}"
        environment = {"CUDA_VISIBLE_DEVICES": str(number), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
        found[name] = LocalLane(name, title, slots.get(name, 1), environment)
    return found


def default_lane(lanes: Mapping[str, object]) -> str:
    """The first GPU, or the CPU where there is none."""
    return next((name for name in lanes if name.startswith("gpu-")), CPU)


_gpus: list[tuple[str, ...]] = []


def gpu_names() -> tuple[str, ...]:
    """NVIDIA GPUs of this machine by number, asked once; torch is not needed for it."""
    if not _gpus:
        _gpus.append(_ask_for_gpus())
    return _gpus[0]


def _ask_for_gpus() -> tuple[str, ...]:
    program = shutil.which("nvidia-smi")
    if program is None or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return ()
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in answer.stdout.splitlines() if line.strip())


def _slots(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(read_plain(path, _MOST_BYTES)) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputFileError(
            f"{path}: cannot be read as YAML; write lines such as `cpu: 2`"
        ) from error
    numbers = content.values() if isinstance(content, dict) else [None]
    if not all(type(number) is int and 1 <= number <= 256 for number in numbers):
        raise InputFileError(
            f"{path}: expected a number of jobs from 1 to 256 for each lane; write lines such as "
            "`cpu: 2`"
        )
    return {str(name): number for name, number in content.items()}
