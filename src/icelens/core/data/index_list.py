"""Lists of indices as users type them: `1,3-5`, or `all`."""

import re
from collections.abc import Sequence

from icelens.core.errors import MetadataError

_ITEM = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?\Z")


def parse_indices(text: str | None, present: Sequence[int], *, name: str) -> set[int]:
    """The indices that `text` names, all of which must be present.

    Args:
        text: `all`, None or empty for every index; else numbers and closed ranges by commas.
        present: The indices there are.
        name: File to name in errors.

    Raises:
        MetadataError: If the text is no such list, or names an index that is not present.
    """
    if text is None or text.strip().lower() in ("", "all", "none"):
        return set(present)
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
