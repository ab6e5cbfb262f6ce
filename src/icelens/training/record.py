"""The resumable state of a run as one file, and the refusal to resume it with other settings."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from icelens.core.errors import CheckpointError
from icelens.training.checkpoint import STATE_KIND, read_tensors, save_checkpoint
from icelens.training.contract import JSON, FitSettings
from icelens.training.standing import Standing

STATE_NAME = "state.safetensors"


def plan_of(settings: FitSettings, seed: int, describe: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return what a resumed run must share with the run it continues, as JSON would read it back.

    The time limit may differ, and so may the versions of programs in `describe`.
    """
    chosen = {name: value for name, value in asdict(settings).items() if name != "time_limit"}
    described = {name: value for name, value in describe.items() if name != "versions"}
    plan: dict[str, JSON] = json.loads(json.dumps({**chosen, "seed": seed, "describe": described}))
    return plan


def write_state(
    folder: Path, tensors: Mapping[str, Tensor], standing: Standing, plan: dict[str, JSON]
) -> None:
    """Replace the state in `folder` by this one, in one file and thus never by half."""
    save_checkpoint(
        folder / STATE_NAME,
        tensors,
        {"kind": STATE_KIND, "standing": standing.to_json(), "plan": plan},
    )


def read_state(folder: Path, plan: dict[str, JSON]) -> tuple[Mapping[str, Tensor], Standing]:
    """Read the state in `folder`.

    Raises:
        CheckpointError: If it is damaged, or was made with other settings than `plan`.
    """
    state = read_tensors(folder / STATE_NAME)
    if state.description.get("kind") != STATE_KIND:
        raise CheckpointError(
            f"{state.path}: not the state of a training run; choose another output folder"
        )
    recorded = dict(_leaves(state.description["plan"]))
    asked = dict(_leaves(plan))
    for name in {**asked, **recorded}:
        if recorded.get(name) != asked.get(name):
            raise CheckpointError(
                f"{state.path}: the run was started with {name} = {recorded.get(name)}, now it is "
                f"{asked.get(name)}; resume with the same settings, or choose another output folder"
            )
    return state.tensors, Standing.from_json(state.description["standing"])


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk nested settings as `describe.physics.defocus`, in their order."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
