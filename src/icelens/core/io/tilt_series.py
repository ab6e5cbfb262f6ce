"""Read how a tomogram was tilted, from whichever program wrote it down."""

from collections.abc import Callable
from pathlib import Path

from icelens.core.data.tilt_series import TiltSeries
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.aretomo import read_aln
from icelens.core.io.imod import read_tlt
from icelens.core.io.mdoc import read_mdoc
from icelens.core.io.relion_tomograms import read_relion_tilt_series
from icelens.core.io.warp import read_warp_xml

_READERS: dict[str, Callable[[Path], TiltSeries]] = {
    ".xml": read_warp_xml,
    ".aln": read_aln,
    ".mdoc": read_mdoc,
    ".tlt": read_tlt,
    ".rawtlt": read_tlt,
    ".star": read_relion_tilt_series,
}


def read_tilt_series(path: Path) -> TiltSeries:
    """Read `.tlt`, `.rawtlt`, `.mdoc`, Warp `.xml`, AreTomo `.aln`, RELION `.star`, or a folder.

    A folder (of IMOD, or AreTomo's `_Imod`) must hold exactly one file of the first kind it has, in
    the order `.xml`, `.aln`, `.mdoc`, `.tlt`, `.rawtlt`.

    Raises:
        InputFileError: If the file is missing or of another kind.
        MetadataError: If its values are impossible; names the file.
    """
    file = _only_file(path) if path.is_dir() else path
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise InputFileError(
            f"{file}: tilts are read from {', '.join(_READERS)} or a folder with one; name such one"
        )
    try:
        return reader(file)
    except MetadataError as error:
        if str(error).startswith(str(file)):
            raise
        raise MetadataError(f"{file}: {error}; correct the file") from error


def _only_file(folder: Path) -> Path:
    for suffix in _READERS:
        if suffix == ".star":
            continue
        found = sorted(folder.glob(f"*{suffix}"))
        if len(found) == 1:
            return found[0]
        if found:
            raise InputFileError(
                f"{folder}: {len(found)} files end in {suffix}, expected one; name the file itself"
            )
    raise InputFileError(f"{folder}: no {', '.join(_READERS)} in it; name the file with the tilts")
