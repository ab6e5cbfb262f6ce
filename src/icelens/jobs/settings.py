"""Flatten a Config into its settings: flag, help, unit, level and default of each.

Command line, record and report all read this one list, so they never disagree about a name.
"""

import shlex
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from icelens.jobs.config import Config
from icelens.jobs.job import Job

Level = Literal["required", "usual", "expert"]


@dataclass(frozen=True)
class Setting:
    """One value a user may set; nested settings have a path of several names."""

    path: tuple[str, ...]
    annotation: Any
    help: str
    unit: str
    level: Level
    default: Any
    is_positional: bool

    @property
    def key(self) -> str:
        """Dotted name, as in `optimisation.learning_rate`."""
        return ".".join(self.path)

    @property
    def flag(self) -> str:
        """Name on the command line, as in `--optimisation.learning-rate`."""
        return flag_of(self.path)

    @property
    def alternatives(self) -> tuple[Any, ...]:
        """The types the value may have, without `Annotated` and with unions opened."""
        return tuple(_open_union(self.annotation))


def flag_of(path: tuple[str, ...]) -> str:
    """The command-line flag of a field's path."""
    return "--" + ".".join(path).replace("_", "-")


def settings_of(config_type: type[Config]) -> tuple[Setting, ...]:
    """Every setting of a Config, nested ones included, in the order of declaration."""
    return tuple(_walk(config_type, (), folded=False))


def value_at(config: Config, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - settings are of any type
    """The value of a setting in a Config."""
    value: Any = config
    for name in path:
        value = getattr(value, name)
    return value


def command_line(job: Job[Any, Any], config: Config, *extra: str) -> str:
    """The command that repeats a run: every setting that differs from its default."""
    words = ["icelens", job.task, job.command]
    for setting in settings_of(job.config_type):
        value = value_at(config, setting.path)
        if setting.level != "required" and value == setting.default:
            continue
        if setting.is_positional:
            words += [str(item) for item in value]
        else:
            words += [setting.flag, as_text(value)]
    return shlex.join([*words, *extra])


def as_text(value: object) -> str:
    """A value as one would type it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(as_text(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {as_text(item)}" for key, item in value.items()) + "}"
    return str(value)


def paths_in(config: Config) -> Iterator[tuple[str, Path]]:
    """Every path among the settings but `output`, with the setting's dotted name."""
    for setting in settings_of(type(config)):
        if setting.key == "output":
            continue
        value = value_at(config, setting.path)
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, Path):
                yield setting.key, item


def _walk(
    config_type: type[Config],
    prefix: tuple[str, ...],
    *,
    folded: bool,
    defaults: Config | None = None,
) -> Iterator[Setting]:
    """Yield settings; `defaults` is the section as the Config above it has it by default."""
    for name, field in config_type.model_fields.items():
        path = (*prefix, name)
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        is_expert = folded or extra.get("level") == "expert"
        is_required = field.is_required() and defaults is None
        default = None if is_required else _default(field, name, defaults)
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, Config):
            section = default if isinstance(default, Config) else None
            yield from _walk(nested, path, folded=is_expert, defaults=section)
            continue
        yield Setting(
            path=path,
            annotation=field.annotation,
            help=" ".join((field.description or "").split()),
            unit=_unit(field, extra),
            level="required" if is_required else "expert" if is_expert else "usual",
            default=default,
            is_positional=bool(extra.get("positional")),
        )


def _default(field: FieldInfo, name: str, defaults: Config | None) -> Any:  # noqa: ANN401
    return getattr(defaults, name) if defaults else field.get_default(call_default_factory=True)


def _unit(field: FieldInfo, extra: Mapping[str, Any]) -> str:
    """The unit of the field, or of an `Annotated` type in it as in `Angstrom | None`."""
    if "unit" in extra:
        return str(extra["unit"])
    for info in _annotated_infos(field.annotation):
        if isinstance(info, FieldInfo) and isinstance(info.json_schema_extra, dict):
            unit = info.json_schema_extra.get("unit")
            if unit:
                return str(unit)
    return ""


def _annotated_infos(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - types are of any type
    if hasattr(annotation, "__metadata__"):
        yield from annotation.__metadata__
    for argument in get_args(annotation):
        yield from _annotated_infos(argument)


def _open_union(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - types are of any type
    if hasattr(annotation, "__metadata__"):
        yield from _open_union(annotation.__origin__)
    elif get_origin(annotation) in (Union, types.UnionType):
        for argument in get_args(annotation):
            yield from _open_union(argument)
    else:
        yield annotation
