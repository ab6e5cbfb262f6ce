"""Runs in a project of the workbench, and a worker that does its work in this process."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hetero_runs import two_states, use_linear_volumes, write_run

from icelens.apps.web.workbench import Workbench
from icelens.apps.web.worker import Answer, WorkerError
from icelens.apps.web.worker_process import answer
from icelens.core.errors import IcelensError
from icelens.core.latents.clusters import k_means
from icelens.tasks.hetero.analyze_table import latent_columns, write_table
from icelens.tasks.hetero.hetero_run import open_hetero_run


class HereWorkers:
    """As `Workers`, arguments and answers through JSON as there, without starting a process."""

    async def call(self, function: str, **arguments: Any) -> Answer:
        sent = json.loads(json.dumps({"function": function, "arguments": arguments}))
        header, blob = answer(sent)
        if "error" in header:
            raise (IcelensError if header["foreseen"] else WorkerError)(header["error"])
        return Answer(json.loads(json.dumps(header["data"], allow_nan=False)), blob)

    def stop(self) -> None:
        """Nothing runs."""


def work_here(bench: Workbench) -> None:
    """Let a workbench do its work in this process."""
    bench.worker = HereWorkers()  # type: ignore[assignment]


def run_in(folder: Path, monkeypatch: pytest.MonkeyPatch, latent: np.ndarray | None = None) -> Path:
    """A run of two states whose model is a straight line of volumes."""
    use_linear_volumes(monkeypatch)
    return write_run(folder / "run", two_states() if latent is None else latent)


def analyse(run: Path, clusters: int = 2) -> None:
    """What `hetero analyze` leaves of clusters."""
    table = open_hetero_run(run).latents()
    columns = latent_columns(table) | {"kmeans": k_means(table.latent, clusters, seed=0).label}
    folder = run / "analysis" / "latent"
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "table.csv", columns)
