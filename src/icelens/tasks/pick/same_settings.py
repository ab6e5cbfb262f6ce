"""Tell whether scores may be compared: whether they were made with the same settings."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from icelens.core.errors import MetadataError
from icelens.tasks.pick.train_settings import LearningConfig

_OF_THE_MACHINE = {"device", "precision", "threads", "time_limit", "output", "project"}
"""Settings that may differ between processes that share work; paths do between machines."""


def comparable_settings(
    config: LearningConfig, classes: Sequence[str], *, leave_out: set[str]
) -> dict[str, Any]:
    """What two trainings must share to be compared, as JSON would read it back.

    Args:
        config: Settings of the job.
        classes: What is learnt, in order.
        leave_out: Settings of the job that may differ, besides those of the machine.
    """
    values = config.model_dump(mode="json", exclude=_OF_THE_MACHINE | leave_out)
    settings: dict[str, Any] = json.loads(json.dumps({**values, "classes": list(classes)}))
    return settings


def refuse_other_settings(
    where: str, recorded: Mapping[str, Any], asked: Mapping[str, Any]
) -> None:
    """Refuse to mix scores that were made differently.

    Raises:
        MetadataError: Naming the first setting that differs.
    """
    for name in {**asked, **recorded}:
        if recorded.get(name) != asked.get(name):
            raise MetadataError(
                f"{where}: was made with {name} = {recorded.get(name)}, now it is "
                f"{asked.get(name)}; go on with the same settings, or choose another --output"
            )
