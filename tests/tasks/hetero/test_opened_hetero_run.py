"""A run of hetero opened in Python gives latents, volumes and figures of what the jobs see."""

import numpy as np
import pytest
from hetero_runs import LinearVolumes, two_states, write_run

from icelens.core.errors import InputFileError, MetadataError
from icelens.tasks.hetero import volume_models
from icelens.tasks.hetero.analyze_table import write_table
from icelens.tasks.hetero.opened_hetero_run import ANALYSIS, is_hetero_run, open_for_python


@pytest.fixture
def run(tmp_path, monkeypatch):
    folder = write_run(tmp_path / "run", two_states())
    monkeypatch.setitem(volume_models.READERS, "linear", lambda *_: LinearVolumes(3))
    assert is_hetero_run(folder)
    return open_for_python(folder)


def test_run_without_record_opens_all_the_same(run):
    assert (run.job, run.latent_dim, run.pixel_size) == ("", 3, 3.0)
    assert run.tables() == ("latents.csv",)


def test_volumes_of_rows_are_those_at_their_latents(run):
    latent = run.latents().latent
    volumes = run.volumes(rows=[0, 100])
    assert volumes.shape == (2, 12, 12, 12)
    assert volumes.dtype == np.float32
    np.testing.assert_array_equal(volumes, run.volumes(latent[[0, 100]]))
    np.testing.assert_array_equal(volumes[1], run.volumes(latent[100])[0])
    assert not np.allclose(volumes[0], volumes[1])


def test_coarser_volumes_are_smaller_and_drawn_at_their_sampling(run):
    volumes = run.volumes(rows=[0], box_size=8)
    assert volumes.shape == (1, 8, 8, 8)
    assert run.volumes_figure({"first": volumes[0]}) is not None


@pytest.mark.parametrize("given", [{}, {"latent": [0, 0, 0], "rows": [1]}])
def test_volumes_want_either_latents_or_rows(run, given):
    with pytest.raises(MetadataError, match="either latents or rows"):
        run.volumes(**given)


def test_row_of_nobody_is_refused(run):
    with pytest.raises(MetadataError, match="row 120 is no particle's first image"):
        run.volumes(rows=[120])


def test_single_structure_needs_neither(tmp_path, monkeypatch):
    folder = write_run(tmp_path / "run", np.empty((20, 0)))
    monkeypatch.setitem(volume_models.READERS, "linear", lambda *_: LinearVolumes(0))
    assert open_for_python(folder).volumes().shape == (1, 12, 12, 12)


def test_particles_carry_latents_poses_and_columns_of_their_file(run):
    frame = run.particles()
    assert len(frame) == 120
    assert {"latent_1", "norm", "defocus", "tilt", "rlnClassNumber"} <= set(frame)


def test_analysis_takes_the_place_of_bare_particles(run):
    (run.folder / ANALYSIS).parent.mkdir(parents=True)
    write_table(run.folder / ANALYSIS, {"kmeans": np.arange(4)})
    assert run.particles()["kmeans"].tolist() == [0, 1, 2, 3]


def test_support_tells_particles_from_emptiness(run):
    found = run.support([run.latents().latent[0], [50.0, 50.0, 50.0]])
    assert found["support"].tolist() == ["supported", "extrapolated"]
    assert found["nearest_row"].tolist()[0] == 0


def test_latents_are_drawn_with_and_without_a_column(run):
    assert run.latent_figure().axes[0].get_xlabel().startswith("PC 1 (")
    assert run.latent_figure("defocus").axes[1].get_ylabel() == "defocus"


@pytest.mark.parametrize("column", ["nothing", "rlnMicrographName"])
def test_column_that_is_no_number_is_refused(run, column):
    with pytest.raises(InputFileError, match=f"cannot colour latents .* by {column}"):
        run.latent_figure(column)


def test_one_dimension_is_drawn_but_not_coloured(tmp_path):
    run = open_for_python(write_run(tmp_path / "run", two_states(latent_dim=1)))
    assert run.latent_figure() is not None
    with pytest.raises(InputFileError, match="latents of 1 dimensions"):
        run.latent_figure("defocus")
