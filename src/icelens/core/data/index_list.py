"""Lists of indices as users type them: `1,3-5`, or `all`."""

import re
from collections.abc import Sequence
from typing import TypeVar

from icelens.core.errors import MetadataError

_ITEM = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?\Z")
_SHARE = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*")
ItemT = TypeVar("ItemT")


def parse_indices(text: str | None, present: Sequence[int], *, name: str) -> set[int]:
    """The indices that `text` names, all of which must be present.

    Args:
        text: `all`, None or empty for every index; `2/5` for the second of five shares; else
            numbers and closed ranges by commas.
        present: The indices there are.
        name: File to name in errors.

    Raises:
        MetadataError: If the text is no such list, or names an index that is not present.
    """
    if text is None or text.strip().lower() in ("", "all", "none"):
        return set(present)
    if is_share(text):
        return set(share_of(text, present, name=name))
    known = set(present)
    chosen: set[int] = set()
    for item in text.split(","):
        match = _ITEM.match(item)
        if match is None:
            raise MetadataError(f"{name}: cannot read {text!r} as indices; write such as 1,3-5")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise MetadataError(f"{name}: range {first}-{last} is reversed; write {last}-{first}")
        # The first absent index ends the search: a range of billions is never laid out.
        absent = next((i for i in range(first, last + 1) if i not in known), None)
        if absent is not None:
            raise MetadataError(
                f"{name}: no row has rlnIndex {absent}; there are "
                f"{', '.join(map(str, sorted(known)))}"
            )
        chosen.update(range(first, last + 1))
    return chosen


def is_share(text: str) -> bool:
    """Whether a text is of the form `2/5`."""
    return _SHARE.fullmatch(text) is not None


def share_of(text: str, items: Sequence[ItemT], *, name: str) -> tuple[ItemT, ...]:
    """The second of five shares of some items for `2/5`; together they are all, none twice.

    Args:
        text: Of the form `2/5`.
        items: What is shared, in an order that is the same for all who share.
        name: File to name in errors.

    Raises:
        MetadataError: If there is no such share, or nothing in it.
    """
    match = _SHARE.fullmatch(text)
    number, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= count:
        raise MetadataError(f"{name}: no share {text}; write such as 2/5 for the second of five")
    if number > len(items):
        raise MetadataError(
            f"{name}: share {text} is empty; there are {len(items)} in all, make fewer shares"
        )
    return tuple(items[number - 1 :: count])
