"""Pair even with odd tomograms by their names, never by their order.

Two files are a pair if their names are equal once the word for even or odd is taken out, as
programs write it: `TS_01_EVN` and `TS_01_ODD`, `even/TS_01` and `odd/TS_01`, `half1` and `half2`.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io import mrc, ome_zarr, tiff

# A word must stand alone between separators: `even` is not found in `seventy`; case is ignored.
_WORDS = (("evn", "odd"), ("even", "odd"), ("half1", "half2"), ("half_1", "half_2"), ("h1", "h2"))
# Single letters are ambiguous: only at the end of a name, and only if nothing else tells.
_LETTERS = (("a", "b"),)
_SEPARATED = r"(?:(?<=[\W_])|^){}(?=[\W_]|$)"


def list_volumes(folder: Path) -> list[Path]:
    """Density files in a folder, by name; hidden files are left out.

    Raises:
        InputFileError: If the folder is missing, or holds none.
    """
    if not folder.is_dir():
        raise InputFileError(f"{folder}: no such folder; check the path")
    found = [path for path in sorted(folder.iterdir()) if _is_volume(path)]
    if not found:
        raise InputFileError(
            f"{folder}: no density file in it ({', '.join(mrc.SUFFIXES)}, .mrc.gz, .tif, .zarr); "
            "check the path"
        )
    return found


def pair_halves(even: Iterable[Path], odd: Iterable[Path]) -> list[tuple[Path, Path]]:
    """Pair each even file with the odd file of the same name.

    Args:
        even: Files of even frames or tilts, from one or several folders.
        odd: Files of odd ones.

    Returns:
        Pairs (even, odd), ordered by the name they share.

    Raises:
        MetadataError: If a file has no partner or two files share a name, naming them.
    """
    even, odd = list(even), list(odd)
    for side in (0, 1):
        _refuse_wrong_side((even, odd)[side], side)
    evens, odds = _by_key(even, side=0), _by_key(odd, side=1)
    lonely = sorted(evens.keys() ^ odds.keys(), key=_natural)
    if lonely:
        names = ", ".join((evens.get(key) or odds[key]).name for key in lonely[:5])
        more = f" and {len(lonely) - 5} more" if len(lonely) > 5 else ""
        raise MetadataError(
            f"even and odd do not pair: no partner for {names}{more} ({len(evens)} even, "
            f"{len(odds)} odd files); name them alike but for EVN/ODD, even/odd or half1/half2"
        )
    return [(evens[key], odds[key]) for key in sorted(evens, key=_natural)]


def pair_name(path: Path) -> str:
    """What the two halves' names share, without the word for even or odd: `TS_01`."""
    return _without_half(_stem(path), letters=True)


def tomogram_name(path: Path) -> str:
    """What a tomogram is called whose partner is not known: `TS_01` for `TS_01_EVN.mrc`.

    Unlike in `pair_name`, a single letter at the end stays: `grid_A` may well be a whole tomogram.
    """
    return _without_half(_stem(path), letters=False)


def _without_half(stem: str, *, letters: bool) -> str:
    for side in (0, 1):
        key = _key(stem, side, letters=letters)
        if key != stem:
            return key
    return stem


def _by_key(paths: list[Path], side: int) -> dict[str, Path]:
    """Files by the name that they would share with their partners."""
    found: dict[str, Path] = {}
    for path in paths:
        key = _key(_stem(path), side)
        if key in found:
            raise MetadataError(
                f"{path}: shares the name {key!r} with {found[key]}; rename or remove one of them"
            )
        found[key] = path
    return found


def _refuse_wrong_side(paths: list[Path], side: int) -> None:
    """An odd file among the even ones would train on noise that is not independent."""
    for path in paths:
        stem = _stem(path)
        said, other = _key(stem, side, letters=False), _key(stem, 1 - side, letters=False)
        if said == stem and other != stem:
            raise MetadataError(
                f"{path}: its name says {('odd', 'even')[side]}, but it is listed as "
                f"{('even', 'odd')[side]}; swap the folders or rename it"
            )


def _key(stem: str, side: int, *, letters: bool = True) -> str:
    """The name without its last word for this side; unchanged if there is none."""
    for words in _WORDS:
        pattern = _SEPARATED.format(re.escape(words[side]))
        matches = list(re.finditer(pattern, stem, re.IGNORECASE))
        if matches:
            return _without(stem, matches[-1])
    if letters:
        for words in _LETTERS:
            match = re.search(rf"(?<=[\W_]){words[side]}$", stem, re.IGNORECASE)
            if match:
                return _without(stem, match)
    return stem


def _without(stem: str, match: re.Match[str]) -> str:
    """The name without the match and one of the separators around it."""
    before, after = stem[: match.start()], stem[match.end() :]
    if before and before[-1] in "_-. ":
        return before[:-1] + after
    return before + after[1:] if after else before


def _stem(path: Path) -> str:
    name = path.name
    for suffix in (".gz", path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix):
        name = name.removesuffix(suffix)
    return name


def _is_volume(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    name = path.name.lower().removesuffix(".gz")
    suffixes = (*mrc.SUFFIXES, *tiff.SUFFIXES)
    return name.endswith(suffixes) or (name.endswith(ome_zarr.SUFFIX) and path.is_dir())


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort TS_2 before TS_10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
