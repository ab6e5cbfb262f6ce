"""A run folder finds its particles wherever it is opened from."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hetero_runs import two_states, write_run

from icelens.core.errors import CheckpointError, InputFileError
from icelens.tasks.hetero.hetero_run import (
    POSES_NAME,
    RUN_NAME,
    open_hetero_run,
    write_run_facts,
)


@pytest.mark.parametrize("place", ["run", "sub/../run", "./run"])
def test_own_poses_are_read_by_a_relative_name_of_the_run(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path / "run", two_states())
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    run = open_hetero_run(Path(place))
    assert run.particle_file().path == tmp_path / "particles.star"
    write_run_facts(folder, replace(run.facts, is_posed=True))
    text = (tmp_path / "particles.star").read_text()
    (folder / POSES_NAME).write_text(text)
    posed = open_hetero_run(Path(place)).particle_file()
    assert posed.path.resolve() == folder / POSES_NAME
    assert len(posed.particles) == 120


def test_particles_named_relative_to_the_run_are_found(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", two_states())
    run = open_hetero_run(folder)
    write_run_facts(folder, replace(run.facts, particles=("../particles.star",)))
    found = open_hetero_run(folder).particle_file().particles
    np.testing.assert_array_equal(found.rotation, run.particle_file().particles.rotation)


@pytest.mark.parametrize(
    "changes",
    [
        {"latent_dim": -1},
        {"latent_dim": "3"},
        {"box_size": "12"},
        {"box_size": 0},
        {"pixel_size": -4.0},
        {"pixel_size": float("nan")},
        {"pixel_size": "wide"},
        {"particles": []},
        {"tilts": None},
        {"colour": "red"},
    ],
)
def test_edited_facts_are_refused(changes: dict[str, object], tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", two_states())
    known = json.loads((folder / RUN_NAME).read_text())
    (folder / RUN_NAME).write_text(json.dumps(known | changes))
    with pytest.raises(CheckpointError, match=r"hetero\.json: damaged .*train again"):
        open_hetero_run(folder)


@pytest.mark.parametrize("text", ["", "[1]", "{", "{}", '{"version": 1}', "null"])
def test_facts_that_are_no_table_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / RUN_NAME).write_text(text)
    with pytest.raises(CheckpointError, match="damaged"):
        open_hetero_run(tmp_path)


def test_unknown_kinds_are_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", two_states())
    text = (folder / RUN_NAME).read_text()
    (folder / RUN_NAME).write_text(text.replace('"linear"', '"cubic"'))
    with pytest.raises(CheckpointError, match="kind cubic, expected vae"):
        open_hetero_run(folder)


def test_own_run_without_notes_on_its_images_is_not_taken_for_an_imported_one(
    tmp_path: Path,
) -> None:
    run = open_hetero_run(write_run(tmp_path / "run", two_states()))
    with pytest.raises(InputFileError, match=r"images\.cache\.json: cannot be read"):
        run.images()


def test_run_and_particles_can_be_moved_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    run = write_run(project / "jobs" / "run", two_states())
    monkeypatch.chdir(project)
    facts = replace(open_hetero_run(run).facts, stack_root=str(project / "stacks"))
    write_run_facts(run, replace(facts, tomograms="/data/elsewhere.star"))
    moved = project.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    found = open_hetero_run(moved / "jobs" / "run").facts
    assert found.stack_root == str(moved / "stacks")
    assert found.tomograms == "/data/elsewhere.star"
    assert all(Path(path).is_relative_to(moved) for path in found.particles)
