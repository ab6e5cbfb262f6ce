"""The libraries of others are the files that the registry sent, each with its licence."""

import base64
import hashlib
import json
from pathlib import Path

import icelens.apps

VENDOR = Path(icelens.apps.__file__).parent / "web/static/vendor"
LIBRARIES = json.loads((VENDOR / "versions.json").read_text(encoding="utf-8"))


def recorded() -> dict[str, str]:
    return {
        name: file["sha512"] for library in LIBRARIES for name, file in library["files"].items()
    }


def test_every_file_has_the_hash_that_was_recorded():
    for name, expected in recorded().items():
        digest = hashlib.sha512((VENDOR / name).read_bytes()).digest()
        assert "sha512-" + base64.b64encode(digest).decode() == expected, name


def test_no_file_lies_beside_those_recorded():
    found = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert found - {"VENDOR.md", "versions.json"} == set(recorded())


def test_every_library_has_its_licence_beside_it():
    for library in LIBRARIES:
        (licence,) = [name for name in library["files"] if name.endswith("/LICENSE")]
        assert "permission" in (VENDOR / licence).read_text(encoding="utf-8").lower()
        assert library["licence"] in {"MIT", "0BSD"}


def test_the_page_on_libraries_names_the_versions_that_are_there():
    page = (VENDOR / "VENDOR.md").read_text(encoding="utf-8")
    for library in LIBRARIES:
        assert f"{library['name'].lower()} {library['version']}" in page.lower()


def test_modules_import_nothing_by_a_bare_name():
    controls = (VENDOR / "three/OrbitControls.js").read_text(encoding="utf-8")
    assert "from './three.module.min.js'" in controls
    assert "from 'three'" not in controls
