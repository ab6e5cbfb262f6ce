"""Lanes are read as their authors meant them, and what hides something is refused."""

from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.jobs.project.cluster.plain_yaml import MAX_BYTES, read_mapping


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lane.yaml"


def test_values_mean_what_they_look_like(path: Path) -> None:
    path.write_text(
        "time: 24:00:00\nnumber: 8\nyes_word: yes\noctal: 010\nempty:\non: on\nreal: 1.5\n"
        "is_so: true\ndate: 2026-01-02\n"
    )
    assert read_mapping(path) == {
        "time": "24:00:00",  # YAML 1.1 would make it 86400
        "number": 8,
        "yes_word": "yes",
        "octal": "010",
        "empty": None,
        "on": "on",
        "real": 1.5,
        "is_so": True,
        "date": "2026-01-02",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "a is given twice in line 2"),
        ("a: &x [1]\nb: *x\n", r"aliases \(\*name\) are not used here"),
        ("a: [1\n", "is no proper YAML"),
        ("- a\n", "holds no mapping"),
        ("", "holds no mapping"),
        ("1: a\n", "holds no mapping"),
        ("a: !!python/object/apply:os.system [ls]\n", "is no proper YAML"),
        ("a: \x00\n", "is no proper YAML"),
        ("[" * 5000, "is no proper YAML"),
        ("a: " + "x" * MAX_BYTES, "expected at most"),
    ],
)
def test_what_is_no_plain_mapping_is_refused_in_one_line(path: Path, text: str, said: str) -> None:
    path.write_text(text)
    with pytest.raises(InputFileError, match=said) as caught:
        read_mapping(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_files_that_are_no_text_or_absent_are_refused(path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        read_mapping(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputFileError, match="is no proper YAML"):
        read_mapping(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputFileError, match="cannot be read"):
        read_mapping(path)
