"""From a plain folder of MRC files and a table of coordinates to class maps, as a user types it."""

import csv
from pathlib import Path

import numpy as np
import pytest
from blob_project import PIXEL_SIZE, TINY, blobs

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import open_project
from icelens.core.io.volumes import write_volume
from icelens.tasks.pick.model import read_model
from icelens.tasks.pick.peaks_of_maps import picks_of_maps

QUICK = [
    "--network-settings", '{"channels": [8, 16, 24], "blocks": [1, 1, 1]}',
    "--crop-size", "32,32,32",
    "--steps", str(TINY["steps"]), "--learning-rate", "0.01", "--ema-decay", "0.9",
    "--centre-weight", "64", "--validations", "2",
]  # fmt: skip
MACHINE = ["--device", "cpu", "--threads", "1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tomograms TS_1 to TS_4; the last one has no coordinates."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    data = tmp_path / "data"
    data.mkdir()
    (data / "objects.csv").write_text("name,radius\nbright,60\ndark,40\n")
    with (data / "coordinates.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("tomogram_id", "species", "z", "y", "x"))
        for number in (1, 2, 3, 4):
            values, truth = blobs(number)
            write_volume(data / f"TS_{number}.mrc", Volume(values, PIXEL_SIZE))
            for name, places in truth.items() if number < 4 else ():
                rows = places * PIXEL_SIZE
                table.writerows((f"TS_{number}", name, *row) for row in rows.tolist())
    return data


def test_plain_folder_is_trained_on_and_segmented(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["pick", "train", "--project", "data", "--output", "model", "--validation-runs", "TS_3"]
    assert cli.main([*train, *QUICK, *MACHINE]) == 0
    assert Path("model/report.html").is_file()
    segment = ["pick", "segment", "--project", "data", "--model", "model", "--runs", "TS_4"]
    assert cli.main([*segment, *MACHINE]) == 0
    assert "Traceback" not in capsys.readouterr().err
    project, model = open_project(folder), read_model(Path("model"))
    (key,) = project.tomograms("TS_4")
    maps = project.read_features("TS_4", key, "predict-icelens-1")
    picks = picks_of_maps(maps, model.objects, model.thresholds, run="TS_4")
    _, truth = blobs(4)
    for each in model.objects:
        found = picks.select([name == each.name for name in picks.species]).position_zyx
        true = truth[each.name] * PIXEL_SIZE
        distance = np.linalg.norm(true[:, None] - found, axis=2).min(axis=1)
        assert (distance < each.known_radius() / 2).mean() >= 0.9
        assert len(found) <= 1.25 * len(true)
    assert [each.is_multilabel for each in project.segmentations("TS_4")] == [True]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--objects", "brigt"], "no object brigt"),
        (["--truth", "me,3"], "no picks of me,3"),
        (["--voxel-size", "7"], "no tomogram of any type at 7 Å; there are raw@10"),
        (["--validation-runs", "TS_4"], "run TS_4 has no picks of folder,0"),
        (["--loss", "tversky"], "add --targets spheres"),
        (["--crop-size", "20,32,32"], "--crop-size"),
        (["--network", "halfunet"], "did you mean"),
    ],
)
def test_what_users_get_wrong_is_one_line_and_leaves_no_model(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    command = ["pick", "train", "--project", "data", "--output", "model", *MACHINE]
    assert cli.main([*command, *words]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if expected in line]
    assert line
    assert not list(folder.parent.rglob("*.safetensors"))


def test_segmenting_with_what_is_no_model_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert folder.is_dir()
    Path("model").mkdir()
    assert cli.main(["pick", "segment", "--project", "data", "--model", "model", *MACHINE]) == 2
    assert "no checkpoint is finished" in capsys.readouterr().err
