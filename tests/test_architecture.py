"""The shape of the source tree holds."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "icelens"
FILES = sorted(SOURCE.rglob("*.py"))
EMPTY_NAMES = {"utils", "util", "misc", "helpers", "helper", "common", "new", "old", "tmp"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 70


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file_is_named_for_what_it_holds(path: Path) -> None:
    assert path.stem not in EMPTY_NAMES


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file_opens_with_one_sentence_and_stays_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, "the first line says what the file is for"
    assert docstring.splitlines()[0].endswith((".", ":")), "one sentence"
    assert len(text.splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_functions_stay_under_a_screen(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_left_for_later(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", text)


def test_settings_do_not_import_torch() -> None:
    for path in [*SOURCE.glob("tasks/*/jobs.py"), *SOURCE.glob("tasks/*/*_jobs.py")]:
        top_level = ast.parse(path.read_text()).body
        imported = {
            alias.name.partition(".")[0]
            for node in top_level
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {
            (node.module or "").partition(".")[0]
            for node in top_level
            if isinstance(node, ast.ImportFrom)
        }
        assert "torch" not in imported, path
