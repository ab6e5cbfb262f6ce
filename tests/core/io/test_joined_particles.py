"""Joined files have tables without blanks, whatever each of them knew."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import MetadataError
from icelens.core.io.joined_particles import join_particle_files
from icelens.core.io.particle_files import read_particles, write_particles


def test_real_dialects_join_and_return(shared_data: Path, tmp_path: Path) -> None:
    paths = [
        shared_data / "metadata_star" / "relion5.star",
        shared_data / "metadata_star" / "relion31.6opticsgroups.star",
        shared_data / "particles_real" / "cryosparc_P12_J24_001_particles.cs",
        shared_data / "subtomo_real" / "sta_testing_bin8.star",
    ]
    joined = read_particles(paths)
    counts = [17, 139, 2019, 219]
    assert len(joined) == sum(counts)
    assert not joined.blocks["optics"].isna().any().any()
    starts = np.cumsum([0, *counts[:-1]])
    assert joined.particles.optics_index[starts].tolist() == [0, 6, 7, 8]
    assert joined.particles.particle[starts].tolist() == [0, 17, 156, 2175]
    write_particles(tmp_path / "joined.star", joined)
    again = read_particles(tmp_path / "joined.star").particles
    for name in ("rotation", "shift_yx", "defocus_u", "ctf_scale", "optics_index"):
        np.testing.assert_allclose(
            getattr(again, name), getattr(joined.particles, name), atol=1e-5, err_msg=name
        )
    assert again.optics[1].odd_zernike == joined.particles.optics[1].odd_zernike
    assert [group.name for group in again.optics][7:] == ["opticsGroup1_3", "opticsGroup1_4"]


def test_tilt_stacks_join_only_each_other(shared_data: Path) -> None:
    image = read_particles(shared_data / "metadata_star" / "relion5.star")
    stacked = ParticleFile(
        image.particles, Path("t.star"), image.table_row, {**image.blocks, "general": None}
    )
    with pytest.raises(MetadataError, match=r"t.star: cannot be joined with .*relion5.star"):
        join_particle_files([image, stacked])
