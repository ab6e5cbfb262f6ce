"""Several processes that share the parts of an inference; with several GPUs each takes one."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from icelens.core.events import OnEvent, ignore
from icelens.core.processes import run_in_processes
from icelens.tasks.pose.infer_settings import InferConfig

if TYPE_CHECKING:
    from icelens.tasks.pose.infer import PartKey


@dataclass(frozen=True)
class Share:
    """What one process does.

    Attributes:
        config: Its own settings.
        folder: Where it leaves the parts.
        keys: Its parts.
        mark: Says what they were made with.
    """

    config: InferConfig
    folder: Path
    keys: "Sequence[PartKey]"
    mark: str


def share_parts(
    config: InferConfig, folder: Path, todo: "Sequence[PartKey]", mark: str, on_event: OnEvent
) -> None:
    """Let processes take parts in turn; their files are what they leave.

    Raises:
        IcelensError: If one of them failed, with what it said.
    """
    count = min(config.workers, len(todo))
    shares = [
        Share(own_settings(config, number, count), folder, todo[number::count], mark)
        for number in range(count)
    ]
    run_in_processes(
        do_share, shares, on_event, advice="use fewer --workers, --resume keeps what is done"
    )


def own_settings(config: InferConfig, number: int, count: int) -> InferConfig:
    """Settings of one process: its GPU where there are several, its share of the cores."""
    gpus = torch.cuda.device_count() if config.device in {"auto", "cuda"} else 0
    device = f"cuda:{number % gpus}" if gpus else config.device
    threads = max(1, (config.threads or os.cpu_count() or 1) // count)
    return config.model_copy(update={"workers": 1, "device": device, "threads": threads})


def do_share(share: Share, on_event: OnEvent) -> None:
    """What a process does; what was said of the particles before it began is not said again."""
    from icelens.tasks.pose.infer import do_part, open_setting

    setting = open_setting(share.config, ignore)
    for key in share.keys:
        do_part(setting, key, share.folder, share.mark, on_event)
