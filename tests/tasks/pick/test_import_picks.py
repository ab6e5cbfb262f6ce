"""`icelens pick import-picks`: picks of other programs become picks of the project."""

from pathlib import Path

import numpy as np
import pytest
from exchange_project import PIXEL_SIZE, SOURCE, make_project

from icelens.core.data.picks import Picks
from icelens.core.errors import IcelensError
from icelens.core.events import Event, Message
from icelens.core.io.copick.project import open_project
from icelens.core.io.picks import write_box_file, write_picks_csv
from icelens.jobs.run import run_job
from icelens.tasks.pick.exchange_jobs import (
    ExportConfig,
    ImportPicksConfig,
    export,
    import_picks,
)
from icelens.tasks.pick.picked import collect_picks

NEW = ("other", "3")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def imported(project: Path, file: Path, **settings: object) -> tuple[Picks, list[Event]]:
    events: list[Event] = []
    values = {"project": project, "picks_file": file, "picks": NEW, **settings}
    said = run_job(import_picks, ImportPicksConfig.model_validate(values), on_event=events.append)
    assert said.startswith("imported")
    return collect_picks(open_project(project), NEW), events


@pytest.mark.parametrize(
    ("form", "name"), [("relion5", "p.star"), ("warp", "p.star"), ("dynamo", "p.tbl")]
)
def test_what_was_exported_comes_back_with_names_and_angles(
    project: Path, form: str, name: str
) -> None:
    file = project.parent / name
    values = {"project": project, "picks": SOURCE, "format": form, "output": file}
    run_job(export, ExportConfig.model_validate(values))
    again, _ = imported(project, file)
    truth = collect_picks(open_project(project), SOURCE)
    np.testing.assert_allclose(again.position_zyx, truth.position_zyx, atol=1e-5)
    np.testing.assert_allclose(again.rotation, truth.rotation, atol=1e-6)
    np.testing.assert_allclose(again.score, truth.score)
    assert (again.species, again.tomogram_id) == (truth.species, truth.tomogram_id)


def test_a_nameless_table_goes_to_the_run_and_object_that_are_named(project: Path) -> None:
    file = project.parent / "p.box"
    write_box_file(file, Picks(np.array([[100.0, 200.0, 300.0]])), pixel_size=PIXEL_SIZE)
    picks, _ = imported(project, file, runs=("TS_2",), object="apoferritin")
    assert (picks.tomogram_id, picks.species) == (("TS_2",), ("apoferritin",))
    np.testing.assert_allclose(picks.position_zyx, [[100.0, 200.0, 300.0]])
    with pytest.raises(IcelensError, match="tomogram '' is no run"):
        imported(project, file, object="apoferritin")


def test_few_strays_are_left_out_and_many_are_refused(project: Path) -> None:
    file = project.parent / "p.csv"
    position = np.full((200, 3), 100.0)
    position[0] = [-6.0, 0.0, 0.0]
    names = {"species": ("ribosome",) * 200, "tomogram_id": ("TS_1",) * 200}
    write_picks_csv(file, Picks(position, **names))
    picks, events = imported(project, file)
    assert len(picks) == 199
    said = [event.text for event in events if isinstance(event, Message)]
    assert said == [f"{file}: 1 picks outside their tomogram are left out"]
    # voxels taken for Å times ten: most of it lies far outside
    write_picks_csv(file, Picks(position * 10, **names))
    with pytest.raises(IcelensError, match=r"200 of 200 picks lie outside .* 400 x 560 x 640 Å"):
        imported(project, file)


@pytest.mark.parametrize(
    ("species", "run", "message"),
    [
        ("virus", "TS_1", "virus is no object of"),
        ("", "TS_1", "a pick without name is no object of"),
        ("ribosome", "TS_7", "tomogram 'TS_7' is no run of"),
    ],
)
def test_unknown_names_are_refused_in_one_line(
    project: Path, species: str, run: str, message: str
) -> None:
    file = project.parent / "p.csv"
    write_picks_csv(file, Picks(np.full((1, 3), 50.0), species=(species,), tomogram_id=(run,)))
    with pytest.raises(IcelensError, match=message) as error:
        imported(project, file)
    assert "\n" not in str(error.value)


def test_a_file_without_the_runs_asked_for_is_refused(project: Path) -> None:
    file = project.parent / "p.csv"
    names = {"species": ("ribosome",) * 2, "tomogram_id": ("TS_1", "TS_1")}
    write_picks_csv(file, Picks(np.full((2, 3), 50.0), **names))
    with pytest.raises(IcelensError, match="no picks of TS_2"):
        imported(project, file, runs=("TS_2",))
    with pytest.raises(IcelensError, match=r"empty.csv: cannot be read"):
        imported(project, file.with_name("empty.csv"))
