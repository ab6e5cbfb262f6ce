"""Settings of a job beside their defaults, those that differ first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic_core import to_jsonable_python

from icelens.core.errors import IcelensError
from icelens.jobs.config import Config
from icelens.jobs.project.entry import Entry
from icelens.jobs.registry import find_job
from icelens.jobs.settings import Setting, as_text, command_line, settings_of
from icelens.jobs.validation import make_config

_LONGEST = 400


@dataclass(frozen=True)
class Parameter:
    """One setting.

    Attributes:
        value: As one would type it.
        default: Likewise; empty for what has none.
        differs: From the default.
    """

    name: str
    value: str
    default: str
    unit: str
    help: str
    differs: bool


def parameters_of(entry: Entry, recorded: Mapping[str, Any]) -> list[Parameter]:
    """All settings of a job; of one that this icelens does not know, those that were given.

    Args:
        entry: The job.
        recorded: Settings that its run wrote down; they win.
    """
    given = dict(_flat({**entry.settings, **recorded}))
    try:
        config_type: type[Config] = find_job(entry.job).config_type
        settings = _settings(config_type)
    except IcelensError:
        settings = ()
    known = [_parameter(setting, given) for setting in settings]
    names = {setting.key for setting in settings}
    rest = [
        Parameter(name[:120], _short(value), "", "", "", differs=True)
        for name, value in given.items()
        if not _belongs(name, names)
    ]
    return sorted([*known, *rest], key=lambda each: not each.differs)


def command_of(entry: Entry) -> str:
    """The command that does what the job does; empty while its settings are wrong."""
    try:
        job = find_job(entry.job)
        return command_line(job, make_config(job.config_type, entry.settings))
    except (IcelensError, RecursionError):
        return ""


def _parameter(setting: Setting, given: Mapping[str, Any]) -> Parameter:
    default = to_jsonable_python(setting.default, fallback=str)
    value = given.get(setting.key, default)
    if setting.key not in given:
        # a mapping was taken apart, or was empty
        parts = {k: v for k, v in given.items() if k.startswith(f"{setting.key}.")}
        value = {k[len(setting.key) + 1 :]: v for k, v in parts.items()} or default
    is_required = setting.level == "required"
    return Parameter(
        setting.key,
        _short(value),
        "" if is_required else _short(default),
        setting.unit,
        setting.help,
        differs=is_required or _plain(value) != _plain(default),
    )


def _belongs(name: str, known: set[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in known for length in range(1, len(parts) + 1))


def _flat(settings: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[Any]:
    for name, value in settings.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value and depth < 6:
            yield from _flat(value, f"{key}.", depth + 1)
        else:
            yield key, value


def _plain(value: Any) -> Any:  # noqa: ANN401 - settings are of any type
    """Lists and tuples, 3 and 3.0 count as equal."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _short(value: object) -> str:
    try:
        text = as_text(value)
    except RecursionError:
        return "…"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


@lru_cache(maxsize=256)
def _settings(config_type: type[Config]) -> tuple[Setting, ...]:
    return settings_of(config_type)
