"""JSON that others may have written: what comes of it can be written again."""

import json
from typing import Any


def parse_json(content: bytes) -> Any:  # noqa: ANN401 - JSON is of any type
    """What JSON holds; halves of characters, which no text can hold, become question marks.

    Raises:
        ValueError: If it is no JSON, or too deep.
    """
    try:
        found = json.loads(content)
        if b"\\u" in content and _has_halves(found):
            whole = json.dumps(found, ensure_ascii=False).encode(errors="replace")
            found = json.loads(whole)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return found


def is_text(name: str) -> bool:
    """Whether a name, such as of a file, is text that can be written and stand in a link."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _has_halves(found: object) -> bool:
    return not is_text(json.dumps(found, ensure_ascii=False))
