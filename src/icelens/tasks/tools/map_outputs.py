"""Where a tool writes what becomes of one map, or of several."""

from collections.abc import Sequence
from pathlib import Path

from icelens.core.errors import InputFileError
from icelens.core.io.mrc import SUFFIXES
from icelens.core.io.overwriting import refuse_overwriting


def map_outputs(maps: Sequence[Path], output: Path) -> list[Path]:
    """The file to write for each map: the output itself for one, files in it for several.

    Raises:
        InputFileError: If a map would be written over, two would get one name, or the output's
            name does not suit.
    """
    is_file = output.name.lower().removesuffix(".gz").endswith((*SUFFIXES, ".zarr"))
    if len(maps) == 1 and is_file:
        outputs = [output]
    elif is_file:
        raise InputFileError(
            f"{output}: a file, but {len(maps)} maps are given, expected the name of a folder"
        )
    else:
        outputs = [output / path.name for path in maps]
    names = [path.name for path in outputs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputFileError(
            f"{output / twice[0]}: two of the maps would be written there; rename one of them"
        )
    refuse_overwriting(outputs, maps)
    return outputs
