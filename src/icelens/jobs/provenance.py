"""What a run was made with: versions, device, input files with hashes, methods to cite.

Nothing here imports torch: versions come from the packages' metadata, and a GPU is named only if
the job itself has loaded torch.
"""

import hashlib
import os
import platform
import re
import resource
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

import icelens
from icelens.core.errors import InputFileError

PACKAGES = ("torch", "numpy", "scipy", "lightning-fabric", "pydantic", "safetensors")
WHOLE_FILE_BYTES = 64 * 2**20
"""Up to this size a file is hashed whole; beyond it only both ends are, which costs no time."""
END_BYTES = 2**20


def versions() -> dict[str, str]:
    """Versions of icelens, Python and the packages results depend on."""
    found = {"icelens": icelens.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def machine() -> dict[str, Any]:
    """The kind of machine, without its name: system, processor, cores, memory, GPUs if known."""
    found: dict[str, Any] = {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": memory_bytes(),
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        count = torch.cuda.device_count()
        found["gpus"] = [torch.cuda.get_device_name(index) for index in range(count)]
    return found


def memory_bytes() -> int:
    """Main memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def peak_memory_bytes() -> int:
    """The most main memory that this process, or one that it started, has held so far."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(each).ru_maxrss for each in whose)
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB


def fingerprint(path: Path) -> dict[str, Any]:
    """Size, time and hash of an input file, or the number and size of a folder's files.

    The hash is SHA-256 of the whole file, or of its first and last MiB if it is larger than
    64 MiB; `hashed` says which.

    Raises:
        InputFileError: If it is there but may not be read.
    """
    try:
        return _fingerprint(path)
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from error


def _fingerprint(path: Path) -> dict[str, Any]:
    if path.is_dir():
        inside = [entry for entry in path.iterdir() if entry.is_file()]
        size = sum(entry.stat().st_size for entry in inside)
        return {"path": str(path), "num_files": len(inside), "size": size}
    if not path.is_file():
        return {"path": str(path), "found": False}
    status = path.stat()
    whole = status.st_size <= WHOLE_FILE_BYTES
    return {
        "path": str(path),
        "size": status.st_size,
        "modified": datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds"),
        "sha256": _sha256(path, status.st_size, whole=whole),
        "hashed": "whole file" if whole else "first and last MiB",
    }


def citation(key: str) -> str:
    """The BibTeX entry of a key, or an empty text if `citations.bib` has none."""
    return _bibliography().get(key, "")


def _bibliography() -> dict[str, str]:
    text = files("icelens.jobs").joinpath("citations.bib").read_text(encoding="utf-8")
    entries = re.split(r"(?m)^(?=@)", text)
    keyed = ((re.match(r"@\w+\{([^,]+),", entry), entry.strip()) for entry in entries)
    return {match[1]: entry for match, entry in keyed if match}


def _sha256(path: Path, size: int, *, whole: bool) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if whole:
            while block := file.read(END_BYTES):
                digest.update(block)
        else:
            digest.update(file.read(END_BYTES))
            file.seek(size - END_BYTES)
            digest.update(file.read(END_BYTES))
    return digest.hexdigest()
