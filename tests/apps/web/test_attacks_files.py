"""Attacks by files of a project: bombs, lies in headers, pipes, settings that lead out."""

import gzip
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from apps.web.inline_work import work_inline
from starlette.testclient import TestClient
from web_project import fill

from icelens.core.data.volume import Volume
from icelens.core.io.volumes import write_volume
from icelens.jobs.project.project import Project

VIEWS = (
    "/api/files/about", "/files/thumbnail", "/api/volumes/header", "/api/surface/facts",
    "/api/surface/mesh", "/api/volumes/slice?axis=z&index=0", "/api/curves",
)  # fmt: skip
TABLES = ("/api/particles", "/api/particles/montage", "/api/particles/views", "/api/data/particles",
          "/api/data/tomograms", "/api/files/about", "/api/curves")  # fmt: skip


@pytest.fixture
def folder(client: TestClient, project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    work_inline(monkeypatch)
    return project.folder


def withstood(client: TestClient, name: str, urls: tuple[str, ...] = VIEWS) -> None:
    for url in urls:
        answer = client.get(url, params={"file": name})
        assert answer.status_code < 500, (url, answer.text[:300])


def test_volumes_that_claim_to_be_huge_are_refused(client: TestClient, folder: Path) -> None:
    write_volume(folder / "a.mrc", Volume(np.zeros((2, 4, 4), np.float32), 5.0))
    raw = (folder / "a.mrc").read_bytes()
    for size in (2**31 - 1, 100_000, 0, -1):
        header = struct.pack("<3i", size, size, size) + raw[12:]
        (folder / "huge.mrc").write_bytes(header)
        (folder / "huge.mrc.gz").write_bytes(gzip.compress(header))
        for name in ("huge.mrc", "huge.mrc.gz"):
            withstood(client, name)
            assert client.get("/api/volumes/header", params={"file": name}).status_code == 422


def test_what_unpacks_to_far_more_than_it_says_is_not_unpacked(
    client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icelens.apps.web.slices.unpacked.LARGEST_UNPACKED", 2**20)
    write_volume(folder / "a.mrc", Volume(np.zeros((2, 4, 4), np.float32), 5.0))
    with gzip.open(folder / "bomb.mrc.gz", "wb") as file:
        file.write((folder / "a.mrc").read_bytes())
        for _ in range(64):
            file.write(bytes(2**20))
    withstood(client, "bomb.mrc.gz")


@pytest.mark.parametrize("chunk", [1, 10**6, 10**12])
@pytest.mark.parametrize("side", [10**6, 10**15, -1, "x", None])
def test_zarr_that_claims_to_be_huge_is_refused(
    client: TestClient, folder: Path, side: object, chunk: int
) -> None:
    level = folder / "huge.zarr" / "0"
    level.mkdir(parents=True)
    (level.parent / ".zgroup").write_text('{"zarr_format": 2}')
    scale = [{"type": "scale", "scale": [1, 1, 1]}]
    axes = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    said = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]}
    (level.parent / ".zattrs").write_text(json.dumps(said))
    array = {
        "zarr_format": 2, "shape": [side] * 3, "chunks": [chunk] * 3, "dtype": "<f4", "order": "C",
        "compressor": None, "fill_value": 0, "filters": None,
    }  # fmt: skip
    (level / ".zarray").write_text(json.dumps(array))
    withstood(client, "huge.zarr")


@pytest.mark.parametrize("path", ["../../etc", "/etc", "..", "0/../../../x"])
def test_levels_of_a_zarr_lead_nowhere_else(client: TestClient, folder: Path, path: str) -> None:
    (folder / "out.zarr").mkdir()
    said = {"multiscales": [{"version": "0.4", "datasets": [{"path": path}]}]}
    (folder / "out.zarr" / ".zattrs").write_text(json.dumps(said))
    (folder / "out.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    withstood(client, "out.zarr")


def test_tiff_that_claims_to_be_huge_is_refused(client: TestClient, folder: Path) -> None:
    entries = ((256, 4, 1, 2**31), (257, 4, 1, 2**31), (258, 3, 1, 32), (259, 3, 1, 1),
               (262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 2**31),
               (279, 4, 1, 2**31), (339, 3, 1, 3))  # fmt: skip
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    (folder / "huge.tif").write_bytes(struct.pack("<2sHI", b"II", 42, 8) + body + bytes(4))
    (folder / "loop.tif").write_bytes(
        struct.pack("<2sHI", b"II", 42, 8) + body + struct.pack("<I", 8)
    )
    for name in ("huge.tif", "loop.tif"):
        withstood(client, name)


def test_a_star_file_of_one_endless_line_or_many_columns_is_refused(
    client: TestClient, folder: Path
) -> None:
    (folder / "line.star").write_text("data_\nloop_\n_rlnImageName\n" + "x" * 3_000_000)
    names = "\n".join(f"_rln{n}" for n in range(5000))
    (folder / "columns.star").write_text(f"data_\nloop_\n{names}\n" + "1 " * 5000)
    (folder / "blocks.star").write_text("data_a\n\n_x 1\n\n" * 3000)
    (folder / "nul.star").write_bytes(b"data_\nloop_\n_rlnImageName\n\0\0\xff\n")
    for name in ("line", "columns", "blocks", "nul"):
        withstood(client, f"{name}.star", TABLES)


@pytest.mark.parametrize(
    "stack", ["pipe.mrcs", "/etc/passwd", "/dev/zero", "../x.mrcs", "x\0y.mrcs"]
)
def test_stacks_named_by_a_star_file_lead_nowhere_else_and_are_not_waited_for(
    client: TestClient, folder: Path, project: Project, monkeypatch: pytest.MonkeyPatch, stack: str
) -> None:
    fill(project, monkeypatch)
    os.mkfifo(folder / "pipe.mrcs")
    text = (folder / "images/particles.star").read_text()
    name = next(word for word in text.split() if "@" in word).partition("@")[2]
    (folder / "evil.star").write_text(text.replace(name, stack))
    withstood(client, "evil.star", TABLES)


def test_masks_named_by_a_list_of_tomograms_lead_nowhere_else(
    client: TestClient, folder: Path
) -> None:
    os.mkfifo(folder / "pipe.mrc")
    masks = ("/etc/passwd", "pipe.mrc", "/dev/zero", "../../x.mrc")
    lines = "\n".join(f"{n} {mask} {mask} 10 0" for n, mask in enumerate(masks, 1))
    (folder / "t.star").write_text(
        "data_\nloop_\n_rlnIndex\n_rlnTomoName\n_rlnMaskName\n_rlnPixelSize\n_rlnDefocus\n" + lines
    )
    withstood(client, "t.star", TABLES)


def test_csv_bombs_are_refused(client: TestClient, folder: Path) -> None:
    (folder / "wide_fsc.csv").write_text(",".join("x" * 100_000) + "\n" + "1," * 100_000)
    (folder / "quote_fsc.csv").write_text('a,b\n"' + "x" * 2_000_000)
    (folder / "nan_fsc.csv").write_text("shell,spatial_frequency,fsc\n" + "nan,inf,-1e999\n" * 50)
    for name in ("wide", "quote", "nan"):
        withstood(client, f"{name}_fsc.csv", ("/api/curves", "/api/curves/readings"))


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join('*' + chr(97 + i) for _ in range(9))}]\n"
    for i in range(9)
)


@pytest.mark.parametrize(
    "text",
    [BOMB + "star: *i", "star: &a [*a]", "a: " + "[" * 100_000, "- " * 60_000, "? " * 60_000,
     "a: !!python/object/apply:os.system ['touch pwned']", "a: !!python/name:os.system",
     "<<: {star: 1}", "star: 1\nstar: 2", "\x00", "a: " + "9" * 200_000, "{" * 3000, "%YAML 9.9"],
    ids=range(13),
)  # fmt: skip
def test_settings_that_grow_or_act_as_they_are_read_are_refused(
    client: TestClient, folder: Path, text: str
) -> None:
    (folder / "x.yaml").write_text(text)
    (folder / "presets/restore.refine").mkdir(parents=True)
    (folder / "presets/restore.refine/x.yaml").write_text(text)
    asked = {"job": "restore.refine", "file": "x.yaml"}
    assert client.post("/api/ask/settings", json=asked).status_code < 500
    assert client.get("/api/presets/restore.refine").status_code == 200
    assert client.get("/jobs/new", params={"job": "restore.refine"}).status_code == 200
    body = {"job": "hetero.train", "values": {"encoder_settings": text[:20_000]}, "is_draft": True}
    assert client.post("/api/jobs", json=body).status_code in (201, 422)
    assert not (folder / "pwned").exists()


@pytest.mark.parametrize(
    "storage",
    ["sqlite:////etc/x", "SQLITE:////etc/x", "sqlite:///file:/etc/x?uri=true", "/etc/x",
     "sqlite+pysqlite:////etc/x", "sqlite:///../../x", "file:///etc/x", "sqlite://u@/../../etc/x",
     "sqlite:////%65tc/x", "unknown://x"],
)  # fmt: skip
def test_storages_lead_nowhere_else_in_forms_and_in_copies(
    client: TestClient, folder: Path, storage: str
) -> None:
    body = {"job": "pick.search", "values": {"storage": storage}, "is_draft": True}
    assert client.post("/api/jobs", json=body).status_code == 422
    number = client.post("/api/jobs", json={**body, "values": {}}).json()["number"]
    changes = {"changes": {"storage": storage}}
    assert client.post(f"/api/jobs/{number}/clone", json=changes).status_code == 403


@pytest.mark.parametrize(
    "storage", ["trials.log", "sqlite:///trials.db", "postgresql://u:p@host/db"]
)
def test_storages_in_the_project_and_on_servers_are_taken(
    client: TestClient, folder: Path, storage: str
) -> None:
    body = {"job": "pick.search", "values": {"storage": storage}, "is_draft": True}
    assert client.post("/api/jobs", json=body).status_code == 201


@pytest.mark.parametrize("name", ["thumbnails", "presets", "selections"])
def test_folders_that_became_links_are_not_written_through(
    client: TestClient, folder: Path, project: Project, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, name: str,
) -> None:  # fmt: skip
    fill(project, monkeypatch)
    (tmp_path / "outside").mkdir()
    place = (project.hidden if name == "thumbnails" else folder) / name
    place.parent.mkdir(exist_ok=True)
    if place.is_dir():
        place.rename(place.with_name("moved"))
    place.symlink_to(tmp_path / "outside")
    client.get("/files/thumbnail", params={"file": "a.mrc"})
    client.put("/api/presets/restore.refine/x", json={"values": {}})
    latent = {"run": "run", "latent": [0.0, 0.0, 0.0], "name": "x"}
    client.post("/api/latents/volume", json=latent)
    client.post(
        "/api/latents/selection", json={"run": "run", "bits": "//////////////////8=", "name": "x"}
    )
    client.post("/api/latents/path", json={"run": "run", "latents": [[0.0] * 3], "name": "x"})
    assert not list((tmp_path / "outside").rglob("*"))
