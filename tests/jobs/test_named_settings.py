"""Settings given by name are validated, and mistakes named in one line."""

import pytest
from pydantic import Field

from icelens.core.errors import IcelensError
from icelens.jobs.config import Config
from icelens.jobs.named_settings import validated


class Size(Config):
    """Two numbers."""

    width: int = Field(default=3, ge=1)
    """Along x."""

    sides: tuple[int, ...] = ()
    """All of them."""


def test_what_is_not_said_takes_its_default() -> None:
    assert validated("box", Size, {"sides": [1, 2]}) == Size(width=3, sides=(1, 2))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"height": 1}, "box: no setting height; it has width, sides"),
        ({"width": 0}, "box: width is 0, expected greater than or equal to 1; change it"),
        ({"sides": [1, "a\nb"]}, "box: sides.1 is"),
    ],
)
def test_mistakes_are_one_line(given: dict[str, object], words: str) -> None:
    with pytest.raises(IcelensError, match=words) as caught:
        validated("box", Size, given)
    assert "\n" not in str(caught.value)
