"""Tests of apps/web/routes/data.py."""

from pathlib import Path

import pytest
from apps.web.direct_worker import DirectWorkers
from apps.web.work.tomogram_project import make_list
from starlette.testclient import TestClient

from icelens.apps.web.workbench import Workbench
from icelens.core.io.tomogram_star import read_tomograms


@pytest.fixture(autouse=True)
def _direct(bench: Workbench) -> None:
    bench.worker = DirectWorkers()


def _edit(client: TestClient, column: str, values: dict[str, object], file: str = "tomograms.star"):  # type: ignore[no-untyped-def]
    return client.patch(
        "/api/data/tomograms", json={"file": file, "column": column, "values": values}
    )


def test_an_empty_project_says_what_to_do(client: TestClient) -> None:
    assert "No tomograms or particles yet" in client.get("/data").text


def test_lists_are_found_and_shown(client: TestClient, project_folder: Path) -> None:
    make_list(project_folder)
    assert "tomograms.star" in client.get("/data").text
    assert [each["kind"] for each in client.get("/api/data").json()["sets"]] == ["tomograms"]
    table = client.get("/api/data/tomograms", params={"file": "tomograms.star"}).json()
    assert [row["name"] for row in table["rows"]] == ["TS_01", "TS_02"]


def test_cells_are_edited_in_place(client: TestClient, project_folder: Path) -> None:
    star = make_list(project_folder)
    answer = _edit(client, "defocus", {"1": "20000", "2": "3e4"})
    assert [row["cells"]["defocus"] for row in answer.json()["rows"]] == [20_000.0, 30_000.0]
    assert [row.defocus for row in read_tomograms(star)] == [20_000.0, 30_000.0]
    assert _edit(client, "num_subtomograms", {"1": "120"}).status_code == 200
    assert _edit(client, "num_subtomograms", {"1": None}).status_code == 200


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("defocus", "nan"), ("defocus", "inf"), ("defocus", "abc"), ("defocus", None),
        ("defocus", "1e9"), ("pixel_size", "0"), ("pixel_size", "-3"), ("tilt_min", "-91"),
        ("tilt_min", "70"), ("num_subtomograms", "1.5"), ("num_subtomograms", "0"),
        ("mask", "none.mrc"), ("mask", "/etc/passwd"), ("mask", "../x.mrc"), ("mask", "a\0"),
        ("index", "3"), ("full", "TS_02.mrc"), ("defocus", "1\n2"),
    ],
)  # fmt: skip
def test_impossible_cells_are_refused_and_nothing_changes(
    client: TestClient, project_folder: Path, column: str, text: str | None
) -> None:
    star = make_list(project_folder)
    before = star.read_bytes()
    assert _edit(client, column, {"1": text}).status_code in (403, 422)
    assert star.read_bytes() == before


def test_rows_and_files_that_are_not_there_are_refused(
    client: TestClient, project_folder: Path
) -> None:
    make_list(project_folder)
    assert _edit(client, "defocus", {"9": "1000"}).status_code == 422
    assert _edit(client, "defocus", {"x": "1000"}).status_code == 422
    assert _edit(client, "defocus", {"1": "1000"}, file="none.star").status_code == 422
    assert _edit(client, "defocus", {"1": "1000"}, file="/etc/x.star").status_code == 403
    for kind in ("tomograms", "particles"):
        answer = client.get(f"/api/data/{kind}", params={"file": "../x.star"})
        assert answer.status_code == 403


def test_a_mask_is_kept_relative(client: TestClient, project_folder: Path) -> None:
    star = make_list(project_folder)
    (project_folder / "mask.mrc").touch()
    assert _edit(client, "mask", {"1": str(project_folder / "mask.mrc")}).status_code == 200
    assert next(iter(read_tomograms(star))).mask == Path("mask.mrc")
