"""Tables of particles: defaults stay out, names lead to the stacks, old ones get optics groups."""

from pathlib import Path

import mrcfile
import numpy as np
import pandas as pd

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.io.particle_files import read_particles
from icelens.core.io.particle_tables import new_blocks, numbered_blocks, written_names

GROUP = OpticsGroup("g", pixel_size=2.0, box_size=8)


def test_columns_of_defaults_are_left_out() -> None:
    particles = Particles((Path("a.mrcs"),), np.zeros(2, int), np.arange(2), (GROUP,))
    assert list(new_blocks(particles)["particles"].columns) == [
        "rlnImageName", "rlnOpticsGroup", "rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle",
    ]  # fmt: skip


def test_names_of_lost_stacks_stay_and_others_lead_there(tmp_path: Path) -> None:
    mrcfile.write(tmp_path / "a.mrcs", np.zeros((1, 8, 8), np.float32))
    stacks = (tmp_path / "a.mrcs", tmp_path / "lost" / "b.mrcs")
    particles = Particles(stacks, np.array([0, 1]), np.zeros(2, int), (GROUP,))
    file = ParticleFile(particles, tmp_path / "p.star", np.arange(2))
    names = pd.Series(["01@a.mrcs", "1@lost/b.mrcs"])
    elsewhere = tmp_path / "other" / "q.star"
    elsewhere.parent.mkdir()
    rows = np.arange(2)
    # the folders above are looked through, so the short name still leads there
    assert written_names(elsewhere, file, names, rows).tolist() == names.tolist()
    far = tmp_path.parent / "q.star"
    assert written_names(far, file, names, rows).tolist() == [
        f"01@{tmp_path.name}/a.mrcs", "1@lost/b.mrcs",
    ]  # fmt: skip


def test_old_tables_get_groups_and_origins_in_angstrom(tmp_path: Path) -> None:
    mrcfile.write(tmp_path / "a.mrcs", np.zeros((1, 8, 8), np.float32))
    (tmp_path / "p.star").write_text(
        "data_\nloop_\n_rlnImageName\n_rlnImagePixelSize\n_rlnOriginX\n_rlnOriginY\n"
        "1@a.mrcs 2.0 3 4\n"
    )
    blocks = numbered_blocks(read_particles(tmp_path / "p.star"))
    assert blocks["optics"]["rlnImageSize"].tolist() == [8]
    table = blocks["particles"]
    assert table[["rlnOpticsGroup", "rlnOriginXAngst", "rlnOriginYAngst"]].to_numpy().tolist() == [
        [1.0, 6.0, 8.0]
    ]
    assert "rlnOriginX" not in table.columns
