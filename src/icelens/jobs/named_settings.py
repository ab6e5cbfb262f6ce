"""Settings of a thing chosen by name (a network, a loss), validated with a message of one line."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from icelens.core.errors import IcelensError
from icelens.jobs.config import Config

ConfigT = TypeVar("ConfigT", bound=Config)


def validated(what: str, settings_type: type[ConfigT], given: Mapping[str, Any]) -> ConfigT:
    """Make settings of that type from `given`; what it does not say takes its default.

    Args:
        what: The thing, for the message, such as `network unet`.
        settings_type: Its settings.
        given: Values by name.

    Raises:
        IcelensError: If a name is unknown, listing those there are, or a value impossible.
    """
    valid = list(settings_type.model_fields)
    unknown = [key for key in given if key not in valid]
    if unknown:
        raise IcelensError(
            f"{what}: no setting {', '.join(unknown)}; it has {', '.join(valid) or 'none'}"
        )
    try:
        return settings_type.model_validate(dict(given))
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in found["loc"])
        value = " ".join(repr(found["input"]).split())
        expected = found["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
        raise IcelensError(f"{what}: {place} is {value}, {expected}; change it") from error
