"""Where an unfinished search stands: one file for each start and stage, exact to the last bit."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from icelens.core.errors import CheckpointError
from icelens.training.checkpoint import read_tensors, save_checkpoint
from icelens.training.contract import JSON

_KIND = "state of an ab initio search"


@dataclass(frozen=True)
class StateFiles:
    """Files `state_<name>.safetensors` of a run folder.

    Attributes:
        folder: Of the run.
        settings: What a state depends on; one of other settings is refused.
        is_resumed: Whether earlier files count.
    """

    folder: Path
    settings: Mapping[str, JSON]
    is_resumed: bool

    def save(self, name: str, tensors: Mapping[str, Tensor], numbers: Mapping[str, JSON]) -> None:
        """Replace what is known under a name."""
        description: dict[str, JSON] = {
            "kind": _KIND,
            "settings": dict(self.settings),
            "numbers": dict(numbers),
        }
        save_checkpoint(self._path(name), tensors, description)

    def load(self, name: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What was stored under a name; None if there is nothing, or nothing is to be resumed.

        Raises:
            CheckpointError: If the file is damaged, or of other settings or images.
        """
        path = self._path(name)
        if not self.is_resumed or not path.is_file():
            return None
        known = read_tensors(path)
        stored = known.description.get("settings")
        if known.description.get("kind") != _KIND or not isinstance(stored, dict):
            raise CheckpointError(
                f"{path}: is no {_KIND}; remove it, or begin anew with --overwrite"
            )
        for key, value in self.settings.items():
            if stored.get(key) != value:
                raise CheckpointError(
                    f"{path}: was made with {key} {stored.get(key)}, now it is {value}; give the "
                    "same settings and images, or begin anew with --overwrite"
                )
        return dict(known.tensors), dict(known.description["numbers"])

    def _path(self, name: str) -> Path:
        return self.folder / f"state_{name}.safetensors"
