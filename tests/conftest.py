"""Seeds, one thread, no screen, checked shapes, and the folder of shared data."""

import os
import random
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

CHECKED = ["icelens.core", "icelens.training"]
"""Packages whose shapes and types are checked at each call; pydantic checks the settings."""

install_import_hook(CHECKED, "shape_checks.check")
# the same examples in every run: a failure says something about the change at hand
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")
matplotlib.use("Agg")
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _same_seed_for_every_test() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - for libraries that still draw from the global generator
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of large example files; it lies beside the repository, if at all."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ICELENS_SHARED_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent; set ICELENS_SHARED_DATA to the folder of example data")
    return folder
