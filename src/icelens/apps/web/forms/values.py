"""Values as they are typed into a form: read as on the command line, and written back as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic_core import PydanticSerializationError, to_jsonable_python

from icelens.apps.web.forms.fields import holds_paths
from icelens.apps.web.forms.short_yaml import check_short
from icelens.jobs.config import ConfigError
from icelens.jobs.job import Job
from icelens.jobs.registry import did_you_mean
from icelens.jobs.settings import Setting, as_text, settings_of
from icelens.jobs.validation import known_name, merged, parse_words, takes_list

Typed = str | list[str]


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field; with the whole form if `field` is empty.

    Attributes:
        is_final: Whether not even a draft may hold it.
    """

    field: str
    message: str
    is_final: bool = False


def read_values(
    job: Job[Any, Any], values: Mapping[str, Typed]
) -> tuple[dict[str, Any], list[Problem]]:
    """Settings in nested mappings from what was typed, and what cannot be read.

    An empty field leaves its setting at the default. Lists given as lists are taken item by item,
    so that a path may hold a comma.
    """
    by_key = {setting.key: setting for setting in settings_of(job.config_type)}
    settings: dict[str, Any] = {}
    problems = []
    for key, typed in values.items():
        if key not in by_key:
            message = f"no such setting; {did_you_mean(key[:80], by_key)}"
            problems.append(Problem(key, message, is_final=True))
            continue
        items = [item.strip() for item in ([typed] if isinstance(typed, str) else typed)]
        items = [item for item in items if item]
        if not items:
            continue
        try:
            value = _read(by_key[key], items, is_list=isinstance(typed, list))
        except (ConfigError, PydanticSerializationError, ValueError, RecursionError) as error:
            found = (
                str(error) if isinstance(error, ConfigError) else "expected YAML of plain values"
            )
            problems.append(Problem(key, bare(found, by_key[key]), is_final=True))
            continue
        settings = merged(settings, _nested(by_key[key].path, value))
    return settings, problems


def as_typed(job: Job[Any, Any], settings: Mapping[str, Any]) -> dict[str, Typed]:
    """What a form shows for settings in JSON form; those that are not given are left out."""
    shown: dict[str, Typed] = {}
    for setting in settings_of(job.config_type):
        place: Any = settings
        for name in setting.path:
            place = place.get(name, _ABSENT) if isinstance(place, Mapping) else _ABSENT
        if place is not _ABSENT:
            shown[setting.key] = _shown(setting, place)
    return shown


def bare(message: str, setting: Setting) -> str:
    """A message without the name of its setting, to stand at its field."""
    return message.removeprefix(f"{known_name(setting)}: ")


_ABSENT = object()


def _read(setting: Setting, items: list[str], *, is_list: bool) -> Any:  # noqa: ANN401
    if is_list and takes_list(setting):
        return items
    if any(_is_mapping(kind) for kind in setting.alternatives):
        _check_mapping(" ".join(items))
    words = items
    if takes_list(setting) and not any(holds_paths(kind) for kind in setting.alternatives):
        words = [word for item in items for word in item.split()]
    return to_jsonable_python(parse_words(setting, words))


def _check_mapping(text: str) -> None:
    try:
        check_short(text)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _shown(setting: Setting, value: Any) -> Typed:  # noqa: ANN401
    if isinstance(value, list) and any(holds_paths(kind) for kind in setting.alternatives):
        return [str(item) for item in value]
    if isinstance(value, Mapping):
        return yaml.safe_dump(dict(value), default_flow_style=True, allow_unicode=True).strip()
    return as_text(value)


def _is_mapping(kind: object) -> bool:
    return kind is dict or getattr(kind, "__origin__", None) is dict


def _nested(path: tuple[str, ...], value: object) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict), "a setting's path is never empty"
    return value
