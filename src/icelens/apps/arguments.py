"""The command line of a job, built from its Config: flags, help, and errors that offer a remedy."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args, get_origin

from icelens.core.errors import IcelensError
from icelens.jobs.config import Config
from icelens.jobs.job import Job
from icelens.jobs.record import read_record
from icelens.jobs.registry import did_you_mean
from icelens.jobs.settings import Setting, as_text, settings_of
from icelens.jobs.tracking import TRACKERS
from icelens.jobs.validation import (
    has_open_length,
    make_config,
    merged,
    parse_words,
    read_settings,
    takes_list,
)

RUN_FLAGS = (
    "--config",
    "--print-config",
    "--dry-run",
    "--resume",
    "--overwrite",
    "--track",
    "--help",
)
LEVELS = {
    "required": "required",
    "usual": "usual",
    "expert": "expert (the defaults are good)",
}


class UsageError(IcelensError):
    """A command line that cannot be understood."""


@dataclass(frozen=True)
class Request:
    """What a command line asks for."""

    config: Config
    print_config: bool
    dry_run: bool
    resume: bool
    overwrite: bool
    trackers: tuple[str, ...]


class Parser(argparse.ArgumentParser):
    """argparse that raises instead of leaving, so that one place prints errors."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise UsageError(message)


def parse(job: Job[Any, Any], words: Sequence[str]) -> Request:
    """Read a job's command line; settings from `--config` come first, flags go over them.

    With `--resume` and no `--config`, the settings of the run in the output folder come first.

    Raises:
        UsageError: If a flag is unknown or misused; the nearest known one is offered.
        ConfigError: If the settings are not valid.
    """
    given, values = _typed(job, words)
    below = _settings_below(job, given, values)
    return Request(
        config=make_config(job.config_type, merged(below, values)),
        print_config=given["run.print_config"],
        dry_run=given["run.dry_run"],
        resume=given["run.resume"],
        overwrite=given["run.overwrite"],
        trackers=tuple(dict.fromkeys(given["run.track"])),
    )


def typed_settings(job: Job[Any, Any], words: Sequence[str]) -> dict[str, Any]:
    """The settings that a command line names, and no others; what is required may be missing.

    Raises:
        UsageError: If a flag is unknown or misused.
        ConfigError: If a value cannot be read.
    """
    return _typed(job, words)[1]


def _typed(job: Job[Any, Any], words: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What argparse found, and the settings in it."""
    settings = settings_of(job.config_type)
    shielded = [_shield_negative(word) for word in words]
    found, rest = parser_of(job).parse_known_args(shielded)
    if rest:
        _refuse(rest, settings)
    given = vars(found)
    values: dict[str, Any] = {}
    for setting in settings:
        if setting.key in given:
            typed = given[setting.key]
            typed = [typed] if isinstance(typed, str) else typed
            values = merged(values, _nested(setting.path, parse_words(setting, typed)))
    return given, values


def parser_of(job: Job[Any, Any]) -> Parser:
    """The argparse parser of a job, grouped by how likely a setting is to be needed."""
    parser = Parser(
        prog=f"icelens {job.task} {job.command}",
        description=job.description,
        formatter_class=_Formatter,
        allow_abbrev=False,
        usage=f"icelens {job.task} {job.command} [--flag value ...]",
    )
    settings = settings_of(job.config_type)
    for level, title in LEVELS.items():
        group = parser.add_argument_group(title)
        for setting in settings:
            if setting.level == level:
                _add(group, setting)
    _add_run_flags(parser, job)
    return parser


def _add_run_flags(parser: Parser, job: Job[Any, Any]) -> None:
    group = parser.add_argument_group("run")
    group.add_argument(
        "--config", dest="run.config", type=Path, metavar="FILE",
        help="settings from a YAML file or a run.json; flags go over them",
    )  # fmt: skip
    switches = {
        "--print-config": "print the settings as YAML and stop",
        "--dry-run": "check the settings, say time, memory and disk, and stop",
        "--resume": "continue the run in the output folder, with its settings",
        "--overwrite": "begin anew in a folder that holds a run",
    }
    for flag, text in switches.items():
        hide = flag in ("--resume", "--overwrite") and not job.resumable
        group.add_argument(
            flag, dest="run." + flag[2:].replace("-", "_"), action="store_true",
            help=argparse.SUPPRESS if hide else text,
        )  # fmt: skip
    group.add_argument(
        "--track", dest="run.track", action="append", default=[], choices=tuple(TRACKERS),
        help="show the metrics there too; may be repeated"
        if job.resumable else argparse.SUPPRESS,
    )  # fmt: skip


def _add(group: "argparse._ArgumentGroup", setting: Setting) -> None:
    """Add one setting; its text is validated later, with all the others, by pydantic."""
    text = _help(setting)
    if setting.is_positional:
        group.add_argument(
            setting.key, nargs="*" if takes_list(setting) else "?",
            default=argparse.SUPPRESS, metavar=setting.path[-1].upper(), help=text,
        )  # fmt: skip
    elif bool in setting.alternatives:
        group.add_argument(
            setting.flag, dest=setting.key, nargs="?", const="true",
            default=argparse.SUPPRESS, metavar="true|false", help=text,
        )  # fmt: skip
        group.add_argument(
            "--no-" + setting.flag[2:], dest=setting.key, action="store_const", const="false",
            default=argparse.SUPPRESS, help=argparse.SUPPRESS,
        )  # fmt: skip
    else:
        is_list = takes_list(setting)
        group.add_argument(
            setting.flag, dest=setting.key, nargs="+" if is_list else None,
            action="extend" if has_open_length(setting) else "store",
            default=argparse.SUPPRESS, metavar=_metavar(setting), help=text,
        )  # fmt: skip


def _metavar(setting: Setting) -> str:
    choices = _choices(setting)
    if choices:
        return "{" + ",".join(choices) + "}"
    if any(kind is Path for kind in setting.alternatives):
        return "PATH"
    return "VALUES" if takes_list(setting) else "VALUE"


def _choices(setting: Setting) -> list[str]:
    return [
        str(choice)
        for kind in setting.alternatives
        if get_origin(kind) is Literal
        for choice in get_args(kind)
    ]


def _help(setting: Setting) -> str:
    """Help with unit and default, safe from argparse's own `%` marks."""
    notes = [f"in {setting.unit}"] if setting.unit else []
    if setting.level != "required":
        notes.append(f"default {as_text(setting.default) or 'empty'}")
    text = setting.help + (f" ({', '.join(notes)})" if notes else "")
    return text.replace("%", "%%")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Wide columns, and `VALUES` once for a list whatever its length."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=100)

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        if action.nargs in ("+", "*"):
            return str(action.metavar or default_metavar)
        return super()._format_args(action, default_metavar)


def _shield_negative(word: str) -> str:
    """Keep argparse from taking `-60,60` for a flag; the blank is stripped when it is read."""
    return f" {word}" if re.match(r"-[\d.]", word) else word


def _nested(path: tuple[str, ...], value: object) -> dict[str, Any]:
    """A value under nested keys."""
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict), "a setting's path is never empty"
    return value


def _settings_below(
    job: Job[Any, Any], given: dict[str, Any], values: dict[str, Any]
) -> dict[str, Any]:
    """Settings that flags go over: from `--config`, or from the run to be resumed."""
    if given.get("run.config"):
        return read_settings(given["run.config"], job)
    output = values.get("output") or _default_output(job)
    if given["run.resume"] and output:
        record = read_record(Path(output))
        if record is not None and record.get("job") == job.name:
            return dict(record["config"])
    return {}


def _default_output(job: Job[Any, Any]) -> Path | None:
    field = job.config_type.model_fields.get("output")
    return field.default if field and isinstance(field.default, Path) else None


def _refuse(rest: Sequence[str], settings: Sequence[Setting]) -> NoReturn:
    """Say which word is not understood and what was probably meant."""
    flags = [word for word in rest if word.startswith("-")]
    if not flags:
        raise UsageError(f"{rest[0]!r}: expected a flag before it; see --help")
    unknown = flags[0].partition("=")[0]
    known = [setting.flag for setting in settings if not setting.is_positional]
    raise UsageError(f"{unknown}: no such flag; {did_you_mean(unknown, [*known, *RUN_FLAGS])}")
