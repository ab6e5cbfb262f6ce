"""Read the model of a run, whatever kind it is of."""

from collections.abc import Callable
from pathlib import Path

import torch

from icelens.tasks.hetero.abinitio.map_model import read_abinitio_model
from icelens.tasks.hetero.hetero_run import RunFacts, VolumeModel
from icelens.tasks.hetero.linear.linear_model import read_linear_model
from icelens.tasks.hetero.network_model import read_network_model

Reader = Callable[[Path, RunFacts, torch.device | str], VolumeModel]

READERS: dict[str, Reader] = {"linear": read_linear_model, "abinitio": read_abinitio_model}
"""By kind of run; a kind that is not named here is that of a network."""


def read_volume_model(folder: Path, facts: RunFacts, device: torch.device | str) -> VolumeModel:
    """The model in a run folder.

    Raises:
        CheckpointError: If it is missing or damaged.
    """
    return READERS.get(facts.kind, read_network_model)(folder, facts, device)
