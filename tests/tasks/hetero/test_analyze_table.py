"""The table of all particles says what latents and particle file say, in the particles' order."""

from dataclasses import replace

import numpy as np
import pytest
from hetero_runs import latent_table, two_states, write_run

from icelens.core.data.latents import LatentTable
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.geometry.relion_angles import relion_angles_from_matrices
from icelens.tasks.hetero.analyze_table import (
    check_particles,
    file_columns,
    latent_columns,
    pose_columns,
    read_table,
    write_table,
)
from icelens.tasks.hetero.hetero_run import open_hetero_run
from icelens.tasks.hetero.prepared_images import ImageFacts, fingerprint, write_facts


@pytest.fixture
def source(tmp_path):
    return open_hetero_run(write_run(tmp_path / "run", two_states(10)))


def test_poses_and_columns_of_the_file_are_those_of_each_particle(source):
    table, file = source.latents(), source.particle_file()
    poses, columns = pose_columns(table, file), file_columns(table, file)
    assert poses["defocus"] == pytest.approx(np.linspace(10000, 20000, 10), rel=1e-5)
    angles = relion_angles_from_matrices(file.particles.rotation)
    assert np.stack([poses[n] for n in ("rot", "tilt", "psi")], axis=1) == pytest.approx(angles)
    assert poses["optics_group"].tolist() == [1] * 5 + [2] * 5
    assert poses["images"].tolist() == [1] * 10
    assert columns["rlnClassNumber"].tolist() == (np.arange(10) % 3 + 1).tolist()
    assert columns["rlnMicrographName"][3] == "mic_3.mrc"


def test_lengths_and_deviations_of_latents_are_told_if_known():
    columns = latent_columns(latent_table(np.array([[3.0, 4.0]])))
    assert columns["norm"].tolist() == [5.0]
    assert columns["deviation_2"].tolist() == [0.1]
    assert "deviation_1" not in latent_columns(latent_table(np.zeros((2, 1)), None))


def test_table_is_read_as_it_was_written_without_texts(source, tmp_path):
    table = source.latents()
    columns = latent_columns(table) | file_columns(table, source.particle_file())
    write_table(tmp_path / "t.csv", columns)
    back = read_table(tmp_path / "t.csv", table)
    assert "rlnMicrographName" not in back
    assert back["latent_2"] == pytest.approx(columns["latent_2"], rel=1e-6)


def test_table_of_other_particles_is_refused(source, tmp_path):
    table = source.latents()
    write_table(tmp_path / "t.csv", latent_columns(table.take(np.arange(4))))
    with pytest.raises(InputFileError, match=r"has other particles \(4 lines\)"):
        read_table(tmp_path / "t.csv", table)
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(InputFileError, match="run `icelens hetero analyze` again"):
        read_table(tmp_path / "t.csv", table)


def test_latents_of_other_particles_are_refused(source, tmp_path):
    table, file = source.latents(), source.particle_file()
    with pytest.raises(MetadataError, match=r"latents of 4 particles, but .* has 10"):
        check_particles(table.take(np.arange(4)), file, tmp_path)
    shifted = LatentTable(table.latent, table.particle, np.roll(table.row, 1))
    with pytest.raises(MetadataError, match="line 1 is of particle 0 in row 9"):
        check_particles(shifted, file, tmp_path)
    beyond = LatentTable(table.latent, table.particle, table.row + 5)
    with pytest.raises(MetadataError, match="does not have there"):
        check_particles(beyond, file, tmp_path)


def test_analysis_of_an_earlier_training_is_refused(source, tmp_path):
    table = source.latents()
    write_table(tmp_path / "t.csv", latent_columns(table))
    assert "norm" in read_table(tmp_path / "t.csv", table)
    again = replace(table, latent=table.latent + 0.1)
    with pytest.raises(InputFileError, match="other latents than the run, which was trained again"):
        read_table(tmp_path / "t.csv", again)


def test_particle_file_in_another_order_is_refused(source, tmp_path):
    table, file = source.latents(), source.particle_file()
    facts = ImageFacts(
        len(file), 12, 3.0, 5, 30.0, is_inverted=False, independence=1.0, cached_power=((1.0,),),
        noise_power=((1.0,),), fingerprint=fingerprint(file.particles),
    )  # fmt: skip
    write_facts(tmp_path, facts)
    check_particles(table, file, tmp_path)
    order = np.arange(len(file))[::-1]
    turned = replace(
        file.particles,
        stack=file.particles.stack[order],
        slice_index=file.particles.slice_index[order],
    )
    with pytest.raises(MetadataError, match=r"made from other images than .*order"):
        check_particles(table, replace(file, particles=turned), tmp_path)
