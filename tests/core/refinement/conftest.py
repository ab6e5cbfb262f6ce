"""Images at known poses, made once."""

import pytest
from pose_world import World, make_world


@pytest.fixture(scope="session")
def clean_world() -> World:
    return make_world(12, None)


@pytest.fixture(scope="session")
def noisy_world() -> World:
    return make_world(48, 0.5)
