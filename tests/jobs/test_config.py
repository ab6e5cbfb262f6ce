"""Settings refuse what they do not know."""

import pytest
from pydantic import ValidationError

from icelens.jobs.config import ComputeConfig


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:3"])
def test_devices_are_known(device: str) -> None:
    assert ComputeConfig(device=device).device == device


@pytest.mark.parametrize(
    "values",
    [{"device": "gpu"}, {"device": "cuda:"}, {"seed": -1}, {"time_limit": 0}, {"sede": 1}],
)
def test_nonsense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ComputeConfig.model_validate(values)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ComputeConfig().seed = 1  # type: ignore[misc]
