"""What a run was made with is recorded without loading anything."""

from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.jobs import provenance


def test_versions_name_the_packages_results_depend_on() -> None:
    found = provenance.versions()
    assert {"icelens", "python", "torch", "numpy"} <= set(found)
    assert "not installed" not in found.values()


def test_machine_is_described_without_its_name() -> None:
    import platform

    assert platform.node() not in str(provenance.machine())


def test_large_file_is_hashed_at_both_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "WHOLE_FILE_BYTES", 100)
    monkeypatch.setattr(provenance, "END_BYTES", 10)
    file = tmp_path / "large"

    def hash_of(content: bytes) -> str:
        file.write_bytes(content)
        return str(provenance.fingerprint(file)["sha256"])

    zeros = bytes(300)
    assert hash_of(zeros[:-1] + b"x") != hash_of(zeros), "the end counts"
    assert hash_of(b"x" + zeros[1:]) != hash_of(zeros), "the beginning counts"
    assert provenance.fingerprint(file)["hashed"] == "first and last MiB"


def test_folder_and_missing_path_are_described(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    described = provenance.fingerprint(tmp_path)
    assert (described["num_files"], described["size"]) == (1, 3)
    assert provenance.fingerprint(tmp_path / "absent")["found"] is False


def test_every_citation_is_found_by_its_own_key() -> None:
    assert provenance.citation("liu2022isonet").startswith("@article{liu2022isonet,")
    assert provenance.citation("nobody1900nothing") == ""


def test_file_that_may_not_be_read_is_the_users_to_mend(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.star").write_text("data_\n")
    monkeypatch.setattr(provenance, "_sha256", refuse)
    with pytest.raises(InputFileError, match=r"a\.star: cannot be read \(Permission denied\)"):
        provenance.fingerprint(tmp_path / "a.star")
