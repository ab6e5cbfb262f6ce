"""Which files of a folder of cryoDRGN belong together, and where the data it names are now."""

import re
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from icelens.core.errors import InputFileError
from icelens.core.io.cryodrgn_config import CryodrgnConfig

_NUMBERED = re.compile(r"\.(\d{1,6})\.pkl\Z")


@dataclass(frozen=True)
class EpochFiles:
    """What one epoch left.

    Attributes:
        epoch: Its number; None for files without one, which are the last.
        weights: The network.
        latents: None of a homogeneous run.
        poses: None where poses were not learnt, or not yet.
    """

    epoch: int | None
    weights: Path
    latents: Path | None
    poses: Path | None


def files_of_epoch(folder: Path, config: CryodrgnConfig, epoch: int | None) -> EpochFiles:
    """Files of an epoch, or of the last.

    Raises:
        InputFileError: If they are not there.
    """
    known = epochs_of(folder, config)
    last_is_there = _files(folder, config, None) is not None
    if epoch is None and not last_is_there and known:
        epoch = known[-1]
    found = _files(folder, config, epoch)
    if found is None:
        wanted = "weights.pkl" if config.latent_dim == 0 else "weights.pkl with z.pkl"
        named = wanted if epoch is None else wanted.replace(".pkl", f".{epoch}.pkl")
        kept = ", ".join(map(str, known)) or "no epochs"
        raise InputFileError(
            f"{folder}: no {named}, expected what cryoDRGN's training writes; it holds {kept}"
            + (" (--epoch)" if known else "")
        )
    return found


def epochs_of(folder: Path, config: CryodrgnConfig) -> tuple[int, ...]:
    """Numbered epochs whose weights and latents are there, in order."""
    numbers = {
        int(match[1])
        for path in folder.glob("weights.*.pkl")
        if (match := _NUMBERED.search(path.name))
    }
    return tuple(sorted(each for each in numbers if _files(folder, config, each) is not None))


def _files(folder: Path, config: CryodrgnConfig, epoch: int | None) -> EpochFiles | None:
    suffix = ".pkl" if epoch is None else f".{epoch}.pkl"
    weights, latents = folder / f"weights{suffix}", folder / f"z{suffix}"
    poses = folder / f"pose{suffix}"
    needs_latents = config.latent_dim > 0
    if not weights.is_file() or (needs_latents and not latents.is_file()):
        return None
    return EpochFiles(
        epoch,
        weights,
        latents if needs_latents else None,
        poses if config.are_poses_refined and poses.is_file() else None,
    )


def located(
    config: CryodrgnConfig,
    named: str | None,
    given: Path | None,
    flag: str,
    *,
    is_folder: bool = False,
) -> Path | None:
    """Where a file is that the settings name: as given, as named, or beside the settings.

    Settings hold the paths of the machine that they were made on.

    Args:
        config: The settings.
        named: As it stands there.
        given: By the user, which counts.
        flag: To give it by.
        is_folder: Whether it is one.

    Raises:
        InputFileError: If it is named and nowhere.
    """
    if given is not None:
        return given
    if named is None:
        return None
    home = config.path.parent
    name = PureWindowsPath(named).name if "\\" in named else Path(named).name
    places = [Path(named), home / named, home / name, home.parent / name]
    for place in places:
        if place.is_dir() if is_folder else place.is_file():
            return place
    raise InputFileError(f"{config.path}: names {named}, which is not here; give it with {flag}")
