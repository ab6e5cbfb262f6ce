"""Tests of apps/web/routes/slices.py."""

import os

import numpy as np
import pytest
from apps.web.inline_work import work_inline

from icelens.core.data.volume import Volume
from icelens.core.io.volumes import write_volume

VALUES = np.random.default_rng(0).normal(size=(8, 10, 12)).astype(np.float32)
NAME = "ein Blatt äß.mrc"


@pytest.fixture(autouse=True)
def _inline(monkeypatch):
    work_inline(monkeypatch)


@pytest.fixture
def volume(project):
    path = project.folder / NAME
    write_volume(path, Volume(VALUES, 5.0))
    return path


def get(client, what, **query):
    return client.get(f"/api/volumes/{what}", params={"file": NAME} | query)


def decoded(answer):
    rows, columns = (int(side) for side in answer.headers["X-Shape"].split(","))
    codes = np.frombuffer(answer.content, "<u2").reshape(rows, columns).astype(np.float64)
    low, high = float(answer.headers["X-Low"]), float(answer.headers["X-High"])
    return np.where(codes == 0, np.nan, low + (codes - 1) / 65534 * (high - low))


def test_the_page_brings_its_own_scripts_and_styles_only(client):
    text = client.get("/view/slices").text
    assert "js/pages/view_slices.js" in text
    assert "style=" not in text
    assert "onclick" not in text


def test_the_header_tells_shape_sampling_and_commands(client, volume):
    facts = get(client, "header").json()
    assert facts["shape"] == [8, 10, 12]
    assert facts["pixel_size"] == 5.0
    assert facts["file"] == NAME
    assert facts["commands"]["ChimeraX"] == f"chimerax '{volume}'"
    assert len(facts["percents"]) == len(facts["quantiles"])


def test_planes_come_back_to_within_their_step(client, volume):
    for axis, expected in (("z", VALUES[3]), ("y", VALUES[:, 3]), ("x", VALUES[:, :, 3].T)):
        answer = get(client, "slice", axis=axis, index=3)
        np.testing.assert_allclose(decoded(answer), expected, atol=1e-3)
    slab = get(client, "slice", axis="z", index=0, slab=21)
    np.testing.assert_allclose(decoded(slab), VALUES.mean(axis=0), atol=1e-3)


def test_large_planes_are_binned_to_what_the_screen_shows(client, project):
    write_volume(project.folder / NAME, Volume(np.ones((2, 40, 30), np.float32), 5.0))
    answer = get(client, "slice", axis="z", index=1, max_size=16)
    assert answer.headers["X-Shape"] == "14,10"
    assert answer.headers["X-Bin"] == "3"


def test_spectra_are_square(client, volume):
    answer = get(client, "spectrum", axis="y", index=3)
    assert answer.headers["X-Shape"] == "12,12"
    assert len(answer.content) == 2 * 12 * 12


def test_the_table_holds_raw_values_under_a_line_that_says_what_they_are(client, volume):
    text = get(client, "plane.csv", axis="z", index=3).text
    assert text.startswith(f"# {NAME}, z = 3, slab 1, rows y, columns x, 5 Å/px\n")
    np.testing.assert_allclose(np.loadtxt(text.splitlines(), delimiter=","), VALUES[3], rtol=1e-6)


@pytest.mark.parametrize(
    "query",
    [
        {"axis": "z", "index": -1},
        {"axis": "z", "index": 8},
        {"axis": "z", "index": 10**12},
        {"axis": "w", "index": 0},
        {"axis": "z", "index": "nan"},
        {"axis": "z", "index": 0, "slab": 22},
        {"axis": "z", "index": 0, "slab": 0},
        {"axis": "z", "index": 0, "max_size": 0},
        {"axis": "z"},
    ],
)
def test_impossible_wishes_are_refused_in_one_line(client, volume, query):
    for what in ("slice", "spectrum", "plane.csv"):
        answer = get(client, what, **query)
        if what == "plane.csv" and "max_size" in query:
            continue
        assert answer.status_code == 422
        assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    "file", ["../secret.mrc", "/etc/passwd", "a\0b", "link.mrc", "link/secret.mrc"]
)
def test_files_outside_the_roots_are_refused_whatever_leads_there(client, project, tmp_path, file):
    outside = tmp_path / "secret.mrc"
    write_volume(outside, Volume(VALUES, 5.0))
    (project.folder / "link.mrc").symlink_to(outside)
    (project.folder / "link").symlink_to(tmp_path)
    answer = client.get("/api/volumes/header", params={"file": file})
    assert answer.status_code == 403


def test_files_that_are_no_volumes_are_told_in_one_line(client, project):
    huge = np.asarray([10**5, 10**5, 10**5], "<i4").tobytes()
    write_volume(project.folder / "whole.mrc", Volume(VALUES, 5.0))
    lying = huge + (project.folder / "whole.mrc").read_bytes()[12:]
    for content in (b"", b"text\n" * 500, b"\0" * 2000, lying):
        (project.folder / NAME).write_bytes(content)
        answer = get(client, "header")
        assert answer.status_code == 422
        assert NAME in answer.json()["error"]
        assert "\n" not in answer.json()["error"]
    assert client.get("/api/volumes/header", params={"file": "."}).status_code == 422
    assert client.get("/api/volumes/header", params={"file": "not there.mrc"}).status_code == 422


def test_volumes_without_values_are_shown_as_such(client, project):
    write_volume(project.folder / NAME, Volume(np.full((1, 1, 1), np.nan, np.float32), 5.0))
    assert get(client, "header").json()["quantiles"] == []
    assert np.isnan(decoded(get(client, "slice", axis="x", index=0, slab=21))).all()
    assert get(client, "spectrum", axis="x", index=0).status_code == 200


def test_a_file_that_shrinks_is_an_error_and_is_shown_again_once_it_is_whole(client, volume):
    assert get(client, "slice", axis="z", index=3).status_code == 200
    content = volume.read_bytes()
    os.truncate(volume, 1500)
    assert get(client, "slice", axis="z", index=3).status_code == 422
    volume.write_bytes(content)
    np.testing.assert_allclose(
        decoded(get(client, "slice", axis="z", index=3)), VALUES[3], atol=1e-3
    )
