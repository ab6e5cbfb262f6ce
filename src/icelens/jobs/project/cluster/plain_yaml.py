"""YAML as people write it: no anchors, no key twice, and `24:00:00` is text, not 86400."""

import re
from pathlib import Path
from typing import Any

import yaml

from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import read_plain

MAX_BYTES = 100_000


class _PlainLoader(yaml.SafeLoader):
    """Refuses what hides one thing behind another."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401 - a key node or a number
        if self.check_event(yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(
                problem="aliases (*name) are not used here", problem_mark=self.get_mark()
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the parent's signature
        seen = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key.value!s:.40} is given twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


_PlainLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false|True|False", "tTfF"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"0|-?[1-9][0-9]*", "-0123456789"),
    ("float", r"-?[0-9]+\.[0-9]*", "-0123456789"),
):
    _PlainLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a small YAML file that holds a mapping.

    Raises:
        InputFileError: If it is missing, too long, damaged, or something else than a mapping.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputFileError(
                f"{path}: is {size} bytes long, expected at most {MAX_BYTES}; is it a lane?"
            )
        content = yaml.load(read_plain(path, MAX_BYTES).decode(), Loader=_PlainLoader)
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check it") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        problem = " ".join(str(getattr(error, "problem", None) or error).split())[:200]
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f" in line {mark.line + 1}"
        raise InputFileError(f"{path}: is no proper YAML ({problem}{place}); mend it") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise InputFileError(f"{path}: holds no mapping of names to values; expected `name: ...`")
    return content
