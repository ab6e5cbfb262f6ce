"""A run folder finds its particles wherever it is opened from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hetero_runs import two_states, write_run

from icelens.tasks.hetero.hetero_run import POSES_NAME, open_hetero_run, write_run_facts


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
