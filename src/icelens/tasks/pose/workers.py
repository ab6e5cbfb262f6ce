"""Several processes that share the parts of an inference; with several GPUs each takes one."""

import multiprocessing
import os
import queue
from collections.abc import Sequence
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import torch

from icelens.core.errors import IcelensError
from icelens.core.events import Event, OnEvent, Saved
from icelens.tasks.pose.infer_settings import InferConfig

_LOOK_EVERY = 0.5  # seconds


def share_parts(
    config: InferConfig, folder: Path, todo: Sequence[Any], mark: str, on_event: OnEvent
) -> None:
    """Let workers take parts in turn; their files are what they leave.

    Raises:
        IcelensError: If one of them failed, with what it said.
    """
    context = multiprocessing.get_context("spawn")
    told: Queue[tuple[int, Event | str | None]] = context.Queue()
    count = min(config.workers, len(todo))
    workers = [
        context.Process(
            target=work,
            args=(
                own_settings(config, number, count),
                folder,
                todo[number::count],
                mark,
                told,
                number,
            ),
            daemon=True,
        )
        for number in range(count)
    ]
    for worker in workers:
        worker.start()
    try:
        _listen(workers, told, on_event)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def own_settings(config: InferConfig, number: int, count: int) -> InferConfig:
    """Settings of one worker: its GPU where there are several, its share of the cores."""
    changes: dict[str, Any] = {"workers": 1}
    gpus = torch.cuda.device_count() if config.device in {"auto", "cuda"} else 0
    if gpus:
        changes["device"] = f"cuda:{number % gpus}"
    threads = config.threads or os.cpu_count() or 1
    changes["threads"] = max(1, threads // count)
    return config.model_copy(update=changes)


def work(
    config: InferConfig,
    folder: Path,
    todo: Sequence[Any],
    mark: str,
    told: "Queue[tuple[int, Event | str | None]]",
    number: int,
) -> None:
    """What a worker does; anything that goes wrong is told as text."""
    from icelens.tasks.pose.infer import do_part, open_setting

    def tell(event: Event) -> None:
        if not isinstance(event, Saved):
            told.put((number, event))

    try:
        setting = open_setting(config, lambda event: None)
        for key in todo:
            do_part(setting, key, folder, mark, tell)
    except IcelensError as error:
        told.put((number, str(error)))
    except Exception as error:  # noqa: BLE001 - the parent must hear of it
        told.put((number, f"{type(error).__name__}: {error}"))
    told.put((number, None))


def _listen(
    workers: Sequence[Any], told: "Queue[tuple[int, Event | str | None]]", on_event: OnEvent
) -> None:
    ended: set[int] = set()
    while len(ended) < len(workers):
        try:
            number, event = told.get(timeout=_LOOK_EVERY)
        except queue.Empty:
            dead = [n for n, each in enumerate(workers) if n not in ended and not each.is_alive()]
            if dead:
                raise IcelensError(
                    f"worker {dead[0] + 1} ended without a word (exit code "
                    f"{workers[dead[0]].exitcode}, perhaps out of memory); use fewer --workers, "
                    "--resume keeps what is done"
                ) from None
            continue
        if event is None:
            ended.add(number)
        elif isinstance(event, str):
            raise IcelensError(event)
        else:
            on_event(event)
