"""Find the files that belong to one tomogram by its name, never by their order."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.pairs import list_volumes


def volumes_at(places: Iterable[Path]) -> list[Path]:
    """The density files in folders, and those that are named themselves.

    Raises:
        InputFileError: If a place is missing or a folder without density files.
    """
    found: list[Path] = []
    for place in places:
        if place.is_dir() and place.suffix != ".zarr":
            found += list_volumes(place)
        else:
            found.append(_existing(place))
    return found


def files_at(places: Iterable[Path], suffixes: Sequence[str] = ()) -> list[Path]:
    """The files with one of these suffixes (any if none) in folders, and those named themselves.

    Raises:
        InputFileError: If a place is missing or a folder without such files.
    """
    found: list[Path] = []
    for place in places:
        inside = sorted(place.iterdir()) if place.is_dir() else [_existing(place)]
        files = [
            path
            for path in inside
            if path.is_file()
            and not path.name.startswith(".")
            and (not suffixes or path.suffix.lower() in suffixes)
        ]
        if not files:
            kind = f" ending in {', '.join(suffixes)}" if suffixes else ""
            raise InputFileError(f"{place}: no file{kind}; check the path")
        found += files
    return found


def match_by_name(names: Sequence[str], files: Iterable[Path], what: str) -> dict[str, Path]:
    """The file of each tomogram: the one whose name is the tomogram's, or holds it as words.

    `TS_01_mask.mrc` and `rec_TS_01.mrc` belong to `TS_01`, `TS_011.mrc` does not. A file belongs to
    the longest name it holds, and an exact name is preferred to one with additions. Where nothing
    else is left a shorter name serves: `TS_01.xml` for `TS_01_10.00Apx`.

    Args:
        names: Of all tomograms.
        files: Candidates; those of other tomograms are left alone.
        what: What the files are, for errors: `mask`.

    Raises:
        MetadataError: If a tomogram has no file, or several that fit equally well.
    """
    listed = list(files)
    if len(names) == 1 and len(listed) == 1:
        return {names[0]: listed[0]}
    owned: dict[str, list[Path]] = {name: [] for name in names}
    unowned = []
    for file in listed:
        held = [name for name in names if _holds(stem_of(file), name)]
        if held:
            owned[max(held, key=len)].append(file)
        else:
            unowned.append(file)
    for name in names:
        if not owned[name]:
            begun = [file for file in unowned if _begins(name, stem_of(file))]
            longest = max((len(stem_of(file)) for file in begun), default=0)
            owned[name] = [file for file in begun if len(stem_of(file)) == longest]
    return {name: _one_of(name, owned[name], listed, what) for name in names}


def stem_of(path: Path) -> str:
    """A file's name without its suffix, `.mrc.gz` counting as one."""
    name = path.name.removesuffix(".gz")
    return name.removesuffix(Path(name).suffix)


def names_of(paths: Sequence[Path], name_of: Callable[[Path], str]) -> list[str]:
    """The name of each tomogram, all different.

    Raises:
        MetadataError: If two files give one name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        earlier = found.setdefault(name_of(path), path)
        if earlier != path:
            raise MetadataError(
                f"{path}: shares the name {name_of(path)!r} with {earlier}; rename one of them"
            )
    return list(found)


def _one_of(name: str, candidates: list[Path], files: Sequence[Path], what: str) -> Path:
    exact = [file for file in candidates if stem_of(file) == name]
    chosen = exact or candidates
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        seen = ", ".join(file.name for file in files[:3]) + (" ..." if len(files) > 3 else "")
        raise MetadataError(
            f"no {what} for tomogram {name!r} among {len(files)} files ({seen}); "
            "name it so that it holds the tomogram's name"
        )
    raise MetadataError(
        f"{len(chosen)} files could be the {what} of tomogram {name!r} "
        f"({', '.join(file.name for file in chosen[:3])}); leave one in the folder"
    )


def _holds(stem: str, name: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", stem) is not None


def _begins(name: str, stem: str) -> bool:
    return re.match(rf"{re.escape(stem)}(?![A-Za-z0-9])", name) is not None


def _existing(path: Path) -> Path:
    if not path.exists():
        raise InputFileError(f"{path}: no such file or folder; check the path")
    return path
