"""The fields of a job's form, made from its settings and their schema."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from icelens.apps.web.forms.bounds import bounds_text, node_at
from icelens.apps.web.forms.fitting import Kind, accepted_kinds, is_written
from icelens.jobs.job import Job
from icelens.jobs.registry import find_job
from icelens.jobs.settings import Level, Setting, as_text, settings_of
from icelens.jobs.validation import schema

Widget = Literal["text", "number", "choice", "switch", "path", "paths", "mapping"]
_OUTPUT = "output"
_FLAG = re.compile(r"--[a-z0-9][a-z0-9.-]*[a-z0-9]")
_WORDS = {
    "ctf": "CTF",
    "snr": "SNR",
    "fsc": "FSC",
    "ema": "EMA",
    "mw": "missing wedge",
    "std": "deviation",
    "dim": "dimensions",
    "star": "STAR file",
    "json": "JSON",
    "relion5": "RELION 5",
    "aretomo": "AreTomo",
    "isonet2": "IsoNet2",
    "csv": "CSV",
}
"""How labels write words of settings' names."""
_OWN_FOLDER = "its own folder in jobs/"


@dataclass(frozen=True)
class Field:
    """One field of a form.

    Attributes:
        key: Dotted name of the setting.
        label: What stands before it.
        section: Name of the group of settings it belongs to; empty for none.
        flag: Of the command line.
        level: `required`, `usual` or `expert`.
        widget: How it is shown.
        help: What it means.
        unit: Such as `Å`; empty for none.
        default: As one would type it; what an empty field means.
        placeholder: What an empty field shows.
        bounds: What it may be, in words.
        choices: Words to choose from; those of a text field are proposals.
        kinds: Results that fit a path.
        is_written: Whether the job writes this path rather than reads it.
        is_list: Whether several values are taken.
    """

    key: str
    label: str
    section: str
    flag: str
    level: Level
    widget: Widget
    help: str
    unit: str
    default: str
    placeholder: str
    bounds: str
    choices: tuple[str, ...]
    kinds: tuple[Kind, ...]
    is_written: bool
    is_list: bool


@lru_cache(maxsize=256)
def fields_of(job_name: str) -> tuple[Field, ...]:
    """The fields of a job, in the order of its settings.

    Raises:
        UnknownJobError: If there is no such job.
    """
    job = find_job(job_name)
    described = schema(job)
    return tuple(_field(job, described, setting) for setting in settings_of(job.config_type))


def _field(job: Job[Any, Any], described: dict[str, Any], setting: Setting) -> Field:
    widget = _widget(setting)
    is_output = setting.key == _OUTPUT
    default = "" if setting.level == "required" else as_text(setting.default)
    is_path = widget in ("path", "paths")
    return Field(
        key=setting.key,
        label=_label(setting.path[-1]),
        section=" · ".join(_label(name) for name in setting.path[:-1]),
        flag=setting.flag,
        # the queue gives each job a folder, so that nobody has to think of one
        level="usual" if is_output else setting.level,
        widget=widget,
        help=_in_words(job, setting.help),
        unit=setting.unit,
        default="" if is_output else default,
        placeholder=_placeholder(setting, default),
        bounds="" if is_path else _bounds(described, setting),
        choices=_choices(setting),
        kinds=accepted_kinds(job.name, setting.key, setting.help) if is_path else (),
        is_written=is_path and is_written(job.name, setting.key),
        is_list=any(_is_list(kind) for kind in setting.alternatives),
    )


def _in_words(job: Job[Any, Any], text: str) -> str:
    """A help text that names other settings as the form does, not by their flags."""
    labels = {each.flag: _label(each.path[-1]) for each in settings_of(job.config_type)}
    return _FLAG.sub(lambda found: labels.get(found[0], found[0]), text)


def _bounds(described: dict[str, Any], setting: Setting) -> str:
    """Limits that the help does not tell by itself."""
    parts = bounds_text(node_at(described, setting.path)).split(", ")
    return ", ".join(part for part in parts if part not in setting.help)


def _widget(setting: Setting) -> Widget:
    types = [kind for kind in setting.alternatives if kind is not type(None)]
    if types == [bool]:
        return "choice" if type(None) in setting.alternatives else "switch"
    if any(holds_paths(kind) for kind in types):
        return "paths" if any(_is_list(kind) for kind in types) else "path"
    if any(kind is dict or get_origin(kind) is dict for kind in types):
        return "mapping"
    if all(get_origin(kind) is Literal for kind in types):
        return "choice"
    return "number" if {int, float} & set(types) else "text"


def _choices(setting: Setting) -> tuple[str, ...]:
    words = [
        str(choice)
        for kind in setting.alternatives
        if get_origin(kind) is Literal
        for choice in get_args(kind)
    ]
    if _widget(setting) == "choice" and bool in setting.alternatives:
        words = ["true", "false"]
    if words and type(None) in setting.alternatives:
        words = ["none", *words]
    return tuple(words)


def _placeholder(setting: Setting, default: str) -> str:
    if setting.key == _OUTPUT:
        return "beside what it reads" if setting.default is None and default else _OWN_FOLDER
    if setting.level == "required":
        return ""
    return default


def _label(name: str) -> str:
    text = " ".join(_WORDS.get(word, word) for word in name.split("_"))
    return text[:1].upper() + text[1:]


def _is_list(kind: object) -> bool:
    return get_origin(kind) in (list, tuple, set, frozenset)


def holds_paths(kind: object) -> bool:
    """Whether a type is a path, or a list of them."""
    return kind is Path or any(holds_paths(inner) for inner in get_args(kind))
