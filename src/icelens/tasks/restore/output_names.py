"""What output files are called: like their tomograms, told apart by index where two are alike."""

from collections.abc import Mapping


def told_apart(names: Mapping[int, str]) -> dict[int, str]:
    """Names by rlnIndex; those that several rows share get the index added."""
    given = list(names.values())
    return {
        index: name if given.count(name) == 1 else f"{name}_{index}"
        for index, name in names.items()
    }
