"""Turn what a user wrote, in a file and on the command line, into a Config, or say why not.

Values from the file come first, flags go over them, and pydantic validates the union once.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import read_plain
from icelens.jobs.config import Config, ConfigError
from icelens.jobs.job import ConfigT, Job
from icelens.jobs.registry import did_you_mean
from icelens.jobs.settings import Setting, as_text, flag_of, settings_of

_MOST_BYTES = 64 * 2**20


def make_config(config_type: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """Validate settings given as nested mappings.

    Raises:
        ConfigError: One line for each mistake, naming the flag, the finding and the expectation.
    """
    try:
        return config_type.model_validate(_with_nested_defaults(config_type, values))
    except ValidationError as error:
        raise ConfigError("\n".join(line for _, line in mistakes(config_type, error))) from error


def read_settings(path: Path, job: Job[Any, Any]) -> dict[str, Any]:
    """Settings from a YAML or JSON file, or from the `run.json` of an earlier run.

    Raises:
        InputFileError: If the file is missing or not a mapping of settings.
        ConfigError: If it is the record of another job.
    """
    import yaml

    try:
        content = yaml.safe_load(read_plain(path, _MOST_BYTES))
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); check --config"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputFileError(
            f"{path}: not valid YAML or JSON; compare with --print-config"
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputFileError(f"{path}: expected lines `setting: value`, as --print-config shows")
    if "job" in content and isinstance(content.get("config"), dict):
        if content["job"] != job.name:
            raise ConfigError(
                f"{path}: is a record of {content['job']}; expected one of {job.name}"
            )
        return dict(content["config"])
    return content


def as_yaml(job: Job[Any, Any], config: Config) -> str:
    """Settings as a file for `--config`."""
    import yaml

    # One setting to a line, to be edited; a list or a section stays on the line of its name.
    body = "".join(
        yaml.safe_dump(
            {name: value},
            allow_unicode=True,
            default_flow_style=None if isinstance(value, list | dict) else False,
        )
        for name, value in config.model_dump(mode="json").items()
    )
    return f"# icelens {job.task} {job.command} --config FILE\n{body}"


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two nested mappings as one; the values of `above` win."""
    result = dict(below)
    for key, value in above.items():
        earlier = result.get(key)
        if isinstance(value, Mapping) and isinstance(earlier, Mapping):
            result[key] = merged(earlier, value)
        else:
            result[key] = value
    return result


def parse_words(setting: Setting, words: Iterable[str]) -> Any:  # noqa: ANN401 - settings are of any type
    """What was typed after a flag, ready for validation.

    A list is written `64,160,160` or `64 160 160`; `none` is None; a mapping is written as YAML.
    Numbers and paths stay text, pydantic reads them.

    Raises:
        ConfigError: If a path is empty, or a mapping is no YAML.
    """
    items = [word.strip() for word in words]
    text = " ".join(items)
    types = setting.alternatives
    if not text and Path in types:
        # an empty path is the working directory to Python, and an unset variable to a shell
        raise ConfigError(f"{known_name(setting)}: found '', expected a path; a dot is this folder")
    if text.lower() == "none" and type(None) in types:
        return None
    if any(get_origin(kind) is Literal for kind in types):
        choices = {str(choice): choice for kind in types for choice in get_args(kind)}
        return choices.get(text, text)
    is_list = [get_origin(kind) in (list, tuple, set, frozenset) for kind in types]
    if any(is_list) and (all(is_list) or "," in text or type(None) in types):
        return [part.strip() for item in items for part in item.split(",") if part.strip()]
    if any(kind is dict or get_origin(kind) is dict for kind in types):
        return _mapping(setting, text)
    return text


def _mapping(setting: Setting, text: str) -> Any:  # noqa: ANN401 - pydantic judges what it is
    """YAML that was typed after a flag."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{known_name(setting)}: found {text!r}, expected YAML such as '{{name: 1}}'"
        ) from error


def takes_list(setting: Setting) -> bool:
    """Whether several words may follow the flag."""
    return any(get_origin(kind) in (list, tuple, set, frozenset) for kind in setting.alternatives)


def has_open_length(setting: Setting) -> bool:
    """Whether a repeated flag adds to its list; lists of fixed length are replaced."""
    return any(
        get_origin(kind) in (list, set, frozenset)
        or (get_origin(kind) is tuple and get_args(kind)[-1:] == (Ellipsis,))
        for kind in setting.alternatives
    )


def _with_nested_defaults(config_type: type[Config], values: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a partly given section from the job's default, not from the section's class."""
    filled = dict(values)
    for name, field in config_type.model_fields.items():
        if isinstance(values.get(name), Mapping) and isinstance(field.default, Config):
            filled[name] = merged(field.default.model_dump(), values[name])
    return filled


def mistakes(config_type: type[Config], errors: ValidationError) -> Iterator[tuple[str, str]]:
    """What pydantic found, in our words: the setting's dotted name and a line for each mistake.

    The name is empty where the mistake is in what several settings say together.
    """
    by_path = {setting.path: setting for setting in settings_of(config_type)}
    told: set[tuple[str, ...]] = set()
    for error in errors.errors(include_url=False):
        names = tuple(str(part) for part in error["loc"])
        known = next((names[:n] for n in range(len(names), 0, -1) if names[:n] in by_path), None)
        if (known or names) in told:  # three wrong words of one list are one mistake
            continue
        told.add(known or names)
        yield ".".join(known or names), _line(error, names, known, by_path)


def _line(
    error: ErrorDetails,
    names: tuple[str, ...],
    known: tuple[str, ...] | None,
    by_path: Mapping[tuple[str, ...], Setting],
) -> str:
    if error["type"] == "extra_forbidden":
        keys = [setting.key for setting in by_path.values()]
        return f"{'.'.join(names)}: no such setting; {did_you_mean('.'.join(names), keys)}"
    if error["type"] == "missing" and known is not None and known == names:
        return f"{known_name(by_path[known])} is missing: {by_path[known].help}"
    if known:
        setting, found = by_path[known], as_text(error["input"])
        return f"{known_name(setting)}: found {found!r}, {_expected(error, setting)}"
    prefix = f"{flag_of(names)}: " if names else ""
    return prefix + _expectation(error["msg"])


def _expected(error: ErrorDetails, setting: Setting) -> str:
    """What was expected; of a list that is too short, pydantic says that a word is missing."""
    if error["type"] == "missing":
        return f"expected more values: {setting.help}"
    if error["type"] == "too_long":
        return f"expected no more than {error['ctx']['max_length']} values"
    return _expectation(error["msg"])


def known_name(setting: Setting) -> str:
    """How a user refers to a setting."""
    return setting.path[-1].upper() if setting.is_positional else setting.flag


def _expectation(message: str) -> str:
    """Pydantic's sentence in our words."""
    text = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    text = text.replace("Input should be", "expected").replace("a valid integer", "a whole number")
    return text.replace("expected a valid", "expected a").partition(", unable to parse")[0]


def schema(job: Job[Any, Any]) -> dict[str, Any]:
    """JSON schema of a job's settings, for forms and documentation."""
    described = {"title": job.name, "description": job.description}
    return {**job.config_type.model_json_schema(), **described}
