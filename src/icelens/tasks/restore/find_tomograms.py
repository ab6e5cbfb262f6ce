"""Find each tomogram's files: in folders, or where Warp, AreTomo and RELION-5 leave them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.io.pairs import list_volumes, pair_halves, pair_name
from icelens.core.io.relion_tomograms import read_relion_tomograms
from icelens.tasks.restore.name_matching import (
    files_at,
    match_by_name,
    names_of,
    stem_of,
    volumes_at,
)

TILT_SUFFIXES = (".xml", ".aln", ".mdoc", ".tlt", ".rawtlt", ".star")
_KNOWN_TO_RELION = (
    "pixel_size",
    "voltage",
    "spherical_aberration",
    "amplitude_contrast",
    "defocus",
    "tilt_min",
    "tilt_max",
)


@dataclass(frozen=True)
class Inputs:
    """Where files lie: folders or single files, empty where there are none."""

    even: tuple[Path, ...] = ()
    odd: tuple[Path, ...] = ()
    full: tuple[Path, ...] = ()
    masks: tuple[Path, ...] = ()
    picks: tuple[Path, ...] = ()
    ground_truth: tuple[Path, ...] = ()
    tilt_files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class FoundTomogram:
    """A tomogram's name, its file for each column (in house words), and what is known of it.

    `known` holds numbers by field of `TomogramRow`, as another program's list states them.
    """

    name: str
    files: Mapping[str, Path]
    known: Mapping[str, float] = field(default_factory=dict)


def find_in_folders(inputs: Inputs) -> list[FoundTomogram]:
    """Pair halves by name, else take the full tomograms, and match all other files to them.

    Raises:
        MetadataError: If nothing is given, a half has no partner, or a tomogram has no match.
        InputFileError: If a folder is missing or empty.
    """
    if bool(inputs.even) != bool(inputs.odd):
        lone, other = ("--even", "--odd") if inputs.even else ("--odd", "--even")
        raise MetadataError(f"{lone} is given without {other}; give both folders")
    if inputs.even:
        pairs = pair_halves(volumes_at(inputs.even), volumes_at(inputs.odd))
        names = names_of([even for even, _ in pairs], pair_name)
        halves = [{"even": even, "odd": odd} for even, odd in pairs]
        found = [FoundTomogram(*each) for each in zip(names, halves, strict=True)]
        return add_matches(found, inputs)
    if inputs.full:
        volumes = volumes_at(inputs.full)
        found = [
            FoundTomogram(name, {"full": path})
            for name, path in zip(names_of(volumes, stem_of), volumes, strict=True)
        ]
        return add_matches(found, replace(inputs, full=()))
    raise MetadataError(
        "no tomograms are given; give --even DIR --odd DIR, --full DIR, --warp, --aretomo or "
        "--relion5"
    )


def add_matches(found: list[FoundTomogram], inputs: Inputs) -> list[FoundTomogram]:
    """Give each tomogram the files of its name among all but the halves.

    Raises:
        MetadataError: If one has no file, or several that fit equally well.
    """
    candidates = {
        "full": ("full tomogram", volumes_at(inputs.full)),
        "mask": ("mask", volumes_at(inputs.masks)),
        "ground_truth": ("ground truth", volumes_at(inputs.ground_truth)),
        "picks": ("picks", files_at(inputs.picks)),
        "tilt_file": ("tilt file", files_at(inputs.tilt_files, TILT_SUFFIXES)),
    }
    names = [tomogram.name for tomogram in found]
    for column, (what, files) in candidates.items():
        if files:
            matched = match_by_name(names, files, what)
            found = [replace(t, files={**t.files, column: matched[t.name]}) for t in found]
    return found


def warp_inputs(folder: Path, given: Inputs, on_event: OnEvent = ignore) -> Inputs:
    """Where Warp and WarpTools leave reconstructions and tilt series' XML; what is given stays.

    Raises:
        InputFileError: If the folder has no XML files.
    """
    volumes = folder / "reconstruction"
    if not given.tilt_files and not list(folder.glob("*.xml")):
        raise InputFileError(
            f"{folder}: no .xml file in it, expected Warp's folder of tilt series; check --warp"
        )
    on_event(
        Message(
            "Warp makes protein light unless it was told not to invert: look at a slice, and use "
            "--contrast light in the jobs that follow if protein is bright",
            "warning",
        )
    )
    tilt_files = given.tilt_files or (folder,)
    if given.even or given.odd or given.full:
        return replace(given, tilt_files=tilt_files)
    even, odd = volumes / "even", volumes / "odd"
    if even.is_dir() and odd.is_dir():
        return replace(given, tilt_files=tilt_files, even=(even,), odd=(odd,))
    return replace(given, tilt_files=tilt_files, full=(volumes,))


def aretomo_inputs(folder: Path, given: Inputs) -> Inputs:
    """Where AreTomo leaves volumes (`*_Vol.mrc`, AreTomo 3) and alignments; what is given stays.

    Raises:
        InputFileError: If the folder has no alignments, or no volumes and none are given.
    """
    alignments = tuple(sorted(folder.glob("*.aln")))
    if not (given.tilt_files or alignments):
        raise InputFileError(
            f"{folder}: no .aln file in it, expected AreTomo's output; check --aretomo"
        )
    inputs = replace(given, tilt_files=given.tilt_files or alignments)
    if inputs.even or inputs.odd or inputs.full:
        return inputs
    # `_2ND_Vol` is a second reconstruction of the same series; `.mrc` without Vol are the series.
    volumes = [
        path
        for path in list_volumes(folder)
        if stem_of(path).endswith("_Vol") and "_2ND_" not in path.name
    ]
    even = tuple(path for path in volumes if "_EVN_" in path.name)
    odd = tuple(path for path in volumes if "_ODD_" in path.name)
    full = tuple(path for path in volumes if path not in (*even, *odd))
    if not (full or even):
        raise InputFileError(
            f"{folder}: no volume named *_Vol.mrc in it; say where the tomograms are with --full "
            "or --even and --odd"
        )
    return replace(inputs, even=even, odd=odd, full=full)


def find_in_relion(star: Path, inputs: Inputs) -> list[FoundTomogram]:
    """The tomograms of a RELION-5 set with its halves, optics, tilt ranges and defoci.

    Raises:
        MetadataError: If a tomogram of the set has not been reconstructed.
    """
    relion = read_relion_tomograms(star)
    found = []
    for row, name in zip(relion.tomograms, relion.names, strict=True):
        columns = ("full", "even", "odd", "tilt_file")
        files = {column: getattr(row, column) for column in columns}
        files = {column: path for column, path in files.items() if path is not None}
        if not {"full", "even"} & files.keys():
            raise MetadataError(
                f"{star}: {name} has no rlnTomoReconstructedTomogram; reconstruct it in RELION "
                "first, or give the tomograms with --full and this set's tilts with --tilt-files"
            )
        known = {column: float(getattr(row, column)) for column in _KNOWN_TO_RELION}
        found.append(FoundTomogram(name, files, known))
    return add_matches(found, replace(inputs, even=(), odd=()))
