"""Take the workbench's JavaScript libraries from the npm registry, in exact versions.

`make vendor` fetches each package with `npm pack`, holds it to the SHA-512 written here, and lays
the few files that the browser needs beside their licence into
`src/icelens/apps/web/static/vendor`. The result is committed: neither users nor the browser ever
fetch anything.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/icelens/apps/web/static/vendor"


@dataclass(frozen=True)
class Library:
    """One package of the registry, and what is taken of it."""

    folder: str
    package: str
    version: str
    licence: str
    integrity: str
    """SHA-512 of the package in base64, as npm writes it."""
    files: dict[str, str]
    """Name here, and the path in the package."""
    edits: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name here, and a text to replace (which must occur once) with another."""


LIBRARIES = (
    Library(
        folder="htmx",
        package="htmx.org",
        version="2.0.10",
        licence="0BSD",
        integrity="sha512-kdeJe7ZVwaS6QMz/ebBIVtZdpwen6L0OQ5GOhPV9MKBb196TCZeZu4yA7ZIQsaLKv7EpXz+So7KSXNuHXhj7Cw==",
        files={"htmx.min.js": "dist/htmx.min.js", "LICENSE": "LICENSE"},
    ),
    Library(
        folder="uplot",
        package="uplot",
        version="1.6.32",
        licence="MIT",
        integrity="sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        files={
            "uPlot.esm.js": "dist/uPlot.esm.js",
            "uPlot.min.css": "dist/uPlot.min.css",
            "LICENSE": "LICENSE",
        },
    ),
    Library(
        folder="three",
        package="three",
        # the last version that comes minified: 0.75 MB instead of 2.1 MB
        version="0.184.0",
        licence="MIT",
        integrity="sha512-wtTRjG92pM5eUg/KuUnHsqSAlPM296brTOcLgMRqEeylYTh/CdtvKUvCyyCQTzFuStieWxvZb8mVTMvdPyUpxg==",
        files={
            "three.module.min.js": "build/three.module.min.js",
            "three.core.min.js": "build/three.core.min.js",
            "OrbitControls.js": "examples/jsm/controls/OrbitControls.js",
            "LICENSE": "LICENSE",
        },
        # a page's import map would be an inline script, which our content policy forbids
        edits={"OrbitControls.js": ("from 'three';", "from './three.module.min.js';")},
    ),
)


def main() -> int:
    """Fetch every library and write `versions.json`."""
    versions = []
    for library in LIBRARIES:
        files = _edited(library, _taken(library))
        folder = TARGET / library.folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        versions.append(_entry(library, files))
    (TARGET / "versions.json").write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")
    return 0


def _taken(library: Library) -> dict[str, bytes]:
    """The wanted files of a package, after its hash was found right."""
    with tempfile.TemporaryDirectory() as folder:
        name = f"{library.package}@{library.version}"
        command = ["npm", "pack", name, "--silent", "--pack-destination", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).iterdir()
        found = _integrity(archive.read_bytes())
        if found != library.integrity:
            sys.exit(f"{name}: the registry sent {found}, expected {library.integrity}; look why")
        with tarfile.open(archive) as members:
            return {here: _member(members, there) for here, there in library.files.items()}


def _member(archive: tarfile.TarFile, path: str) -> bytes:
    file = archive.extractfile(f"package/{path}")
    if file is None:
        sys.exit(f"{path}: not a file of the package; look where the new version has it")
    return file.read()


def _edited(library: Library, files: dict[str, bytes]) -> dict[str, bytes]:
    edited = dict(files)
    for name, (old, new) in library.edits.items():
        text = files[name].decode("utf-8")
        if text.count(old) != 1:
            sys.exit(f"{name}: found {old!r} {text.count(old)} times, expected once")
        edited[name] = text.replace(old, new).encode("utf-8")
    return edited


def _entry(library: Library, files: dict[str, bytes]) -> dict[str, object]:
    return {
        "name": library.package,
        "version": library.version,
        "licence": library.licence,
        "integrity": library.integrity,
        "files": {
            f"{library.folder}/{name}": {
                "sha512": _integrity(content),
                "from": library.files[name],
                "is_edited": name in library.edits,
            }
            for name, content in files.items()
        },
    }


def _integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode("ascii")


if __name__ == "__main__":
    sys.exit(main())
