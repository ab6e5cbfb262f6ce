"""The notebook in `examples` runs from top to bottom, and finds what it says."""

import json
import re
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib.figure import Figure

NOTEBOOK = Path(__file__).parents[2] / "examples" / "hetero_analysis.ipynb"
_MAGIC = re.compile(r"^%.*$", re.MULTILINE)
"""Lines that only notebooks understand."""


def cells(kind: str) -> list[str]:
    content = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert content["nbformat"] == 4
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


def last_value(source: str, known: dict[str, Any]) -> object:
    """Run a cell and return what it shows: the value of its last line, if that is one."""
    head, _, last = source.rpartition("\n")
    try:
        shown = compile(last, "cell", "eval")
    except SyntaxError:
        exec(compile(source, "cell", "exec"), known)
        return None
    exec(compile(head, "cell", "exec"), known)
    return eval(shown, known)


def test_notebook_is_stored_without_outputs() -> None:
    content = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_links_of_the_notebook_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#\s]+)", "\n".join(cells("markdown")))
    assert len(links) == 2
    for link in links:
        assert (NOTEBOOK.parent / link).is_file()


@pytest.mark.slow
def test_cells_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    known: dict[str, Any] = {"__name__": "__main__"}
    shown = [last_value(_MAGIC.sub("", source), known) for source in cells("code")]
    assert sum(isinstance(value, Figure) for value in shown) == 3
    states = known["pd"].crosstab(known["table"]["kmeans"], known["truth"]["state"])
    assert states.max(axis=1).sum() >= 0.95 * len(known["table"])
    assert known["network"].support(known["asked"])["support"].tolist()[1] == "extrapolated"
    assert Path("hetero_example/kept.star").is_file()
