"""`icelens pick export`: every format, and what comes back from it."""

from pathlib import Path

import numpy as np
import pytest
from exchange_project import PIXEL_SIZE, RUNS, SHAPE, SOURCE, make_project, write

from icelens.apps import cli
from icelens.core.data.picks import Picks
from icelens.core.errors import IcelensError
from icelens.core.events import Event, Message, Saved
from icelens.core.io.copick.project import open_project
from icelens.core.io.pick_files import read_picks
from icelens.core.io.star import read_star
from icelens.jobs.run import run_job
from icelens.tasks.pick import export as module
from icelens.tasks.pick.exchange_jobs import ExportConfig, export
from icelens.tasks.pick.picked import collect_picks

NAMES = {
    "relion5": "p.star",
    "relion31": "p.star",
    "warp": "p.star",
    "dynamo": "p.tbl",
    "csv": "p.csv",
    "eman": "boxes",
    "chimerax": "markers",
}
FILES = {"eman": ("TS_1_info.json", "TS_2_info.json"), "chimerax": ("TS_1.cmm", "TS_2.cmm")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def exported(project: Path, form: str, **settings: object) -> tuple[Path, list[Event]]:
    events: list[Event] = []
    output = project.parent / NAMES[form]
    values = {"project": project, "picks": SOURCE, "format": form, "output": output, **settings}
    result = run_job(export, ExportConfig.model_validate(values), on_event=events.append)
    assert result == output
    return output, events


def messages(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Message)]


@pytest.mark.parametrize("form", module.WRITERS)
def test_positions_and_what_the_format_holds_come_back(project: Path, form: str) -> None:
    output, events = exported(project, form)
    saved = [event.path for event in events if isinstance(event, Saved)]
    assert all(path.exists() for path in saved)
    truth = collect_picks(open_project(project), SOURCE)
    files = [output / name for name in FILES[form]] if form in FILES else [output]
    parts = [read_picks(file, pixel_size=PIXEL_SIZE, shape=SHAPE) for file in files]
    position = np.concatenate([part.position_zyx for part in parts])
    names = [name for part in parts for name in part.tomogram_id]
    assert names == list(truth.tomogram_id)
    np.testing.assert_allclose(position, truth.position_zyx, atol=1e-5)
    if form not in module.NO_ROTATIONS:
        np.testing.assert_allclose(parts[0].rotation, truth.rotation, atol=1e-6)
    if form not in module.NO_SCORES:
        score = np.concatenate([part.score for part in parts])
        np.testing.assert_allclose(score, truth.score, rtol=1e-6)
    if form in module.NO_NAMES:
        # the objects' labels in the project
        assert set(parts[0].species) == {"2", "5"}
    else:
        assert [name for part in parts for name in part.species] == list(truth.species)


def test_objects_runs_and_scores_are_chosen(project: Path) -> None:
    output, events = exported(project, "csv", objects=("ribosome",), runs=("TS_2",), min_score=0.5)
    picks = read_picks(output, pixel_size=PIXEL_SIZE, shape=SHAPE)
    assert picks.score.tolist() == [0.6, 0.8]
    assert messages(events) == ["Exported 2 picks of 1 runs"]


def test_what_is_lost_is_said_once(project: Path) -> None:
    _, events = exported(project, "chimerax")
    assert messages(events)[1:] == ["chimerax cannot hold orientations and scores"]
    _, events = exported(project, "relion5")
    assert "5 is apoferritin, 2 is ribosome" in messages(events)[1]


def test_coordinates_count_in_the_pixels_asked_for(project: Path) -> None:
    output, _ = exported(project, "relion31", coordinate_pixel_size=2.5)
    found = read_star(output)
    assert found["optics"]["rlnTomoTiltSeriesPixelSize"].tolist() == [2.5]
    truth = collect_picks(open_project(project), SOURCE)
    x = found["particles"]["rlnCoordinateX"]
    np.testing.assert_allclose(x, truth.position_zyx[:, 2] / 2.5, atol=1e-9)


def test_plain_boxes_lie_beside_emans_info_files(project: Path) -> None:
    output, _ = exported(project, "eman")
    plain = read_picks(output / "TS_2.box", pixel_size=PIXEL_SIZE, shape=SHAPE)
    truth = collect_picks(open_project(project), SOURCE, runs=("TS_2",))
    np.testing.assert_allclose(plain.position_zyx, truth.position_zyx, atol=0.01)


def test_an_object_without_picks_is_written_as_empty_and_told(project: Path) -> None:
    output, events = exported(project, "relion5", min_score=5.0)
    assert len(read_picks(output, pixel_size=PIXEL_SIZE, shape=SHAPE)) == 0
    warnings = [each for each in events if isinstance(each, Message) and each.level == "warning"]
    assert [each.text for each in warnings] == ["Exported 0 picks of 0 runs"]


def test_only_the_file_is_written(project: Path) -> None:
    before = set(project.parent.iterdir())
    output, _ = exported(project, "warp")
    assert set(project.parent.iterdir()) - before == {output}


def test_the_command_line_of_the_manual_works(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = project.parent / "particles.star"
    words = f"pick export --project {project} --picks icelens,1 --format relion5 --output {output}"
    assert cli.main(words.split()) == 0
    assert output.is_file()
    capsys.readouterr()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"picks": ("nobody", "1")},
            "no picks by nobody,1 in 2 runs; there are picks by icelens,1",
        ),
        ({"objects": ("virus",)}, "no object virus"),
        ({"objects": ("membrane",)}, "no picks of membrane by icelens,1"),
        ({"runs": ("TS_9",)}, "no run TS_9"),
        ({"output": Path("p.tbl")}, "expected a file that ends in .star"),
        ({"voxel_size": 20.0}, "no tomogram of any type at 20 Å"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    project: Path, settings: dict[str, object], message: str
) -> None:
    before = set(project.parent.iterdir())
    with pytest.raises(IcelensError) as error:
        exported(project, "relion5", **settings)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert set(project.parent.iterdir()) == before


def test_formats_with_a_file_per_run_want_a_folder(project: Path) -> None:
    with pytest.raises(IcelensError, match="chimerax keeps a file for each run"):
        exported(project, "chimerax", output=project.parent / "p.cmm")


def test_picks_of_an_object_that_the_project_lost_are_refused(project: Path) -> None:
    stray = Picks(np.full((1, 3), 50.0), species=("virus",), tomogram_id=(RUNS[0],))
    write(open_project(project), RUNS[0], stray)
    with pytest.raises(IcelensError, match="no object virus"):
        exported(project, "dynamo")
