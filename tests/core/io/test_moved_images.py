"""Tables follow their images and keep everything else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from image_stars import write_cs, write_noise_star, write_old_star

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.io.moved_images import with_moved_images
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.io.star import read_star, write_star

GROUP = OpticsGroup("one", 2.0, 16)


def moved(file: ParticleFile, **optics: object) -> Particles:
    """All images in reverse order in one new stack, with changed groups."""
    count = len(file)
    groups = tuple(replace(group, **optics) for group in file.particles.optics)
    return replace(
        file.particles,
        stacks=(file.path.with_name("new.mrcs"),),
        stack=np.zeros(count, np.int64),
        slice_index=np.arange(count)[::-1],
        optics=groups,
    )


def test_both_kinds_of_origins_in_one_table_stay_true(tmp_path):
    star = write_noise_star(tmp_path / "a.star", (3,), (GROUP,))
    blocks = read_star(star)
    angst = blocks["particles"]["rlnOriginXAngst"]
    table = blocks["particles"].assign(rlnOriginX=angst / 2.0, rlnOriginXPrior=[2.0, 4.0, 6.0])
    write_star(star, {**blocks, "particles": table})
    file = read_particles(star)
    new = with_moved_images(file, moved(file, pixel_size=4.0, box_size=8))
    write_particles(tmp_path / "b.star", new)
    written = read_star(tmp_path / "b.star")["particles"]
    assert written["rlnImageName"].tolist() == [f"00000{n}@new.mrcs" for n in (3, 2, 1)]
    assert np.allclose(written["rlnOriginXAngst"], angst)
    assert np.allclose(written["rlnOriginX"] * 4.0, angst, atol=1e-5)
    assert written["rlnOriginXPrior"].tolist() == [1.0, 2.0, 3.0]


def test_groups_without_images_keep_what_they_say(tmp_path):
    star = write_noise_star(tmp_path / "a.star", (3,), (GROUP, replace(GROUP, name="idle")))
    file = read_particles(star)
    new = with_moved_images(file, moved(file, pixel_size=4.0, box_size=8))
    assert new.blocks["optics"]["rlnImagePixelSize"].tolist() == [4.0, 2.0]
    assert new.blocks["optics"]["rlnImageSize"].tolist() == [8, 16]


def test_tables_without_groups_say_it_row_by_row(tmp_path):
    file = read_particles(write_old_star(tmp_path / "a.star", 3, side=16, pixel_size=2.0))
    new = with_moved_images(file, moved(file, pixel_size=4.0, box_size=8, is_phase_flipped=True))
    table = new.blocks[""]
    assert np.allclose(5e4 / table["rlnMagnification"], 4.0)
    assert table["rlnCtfDataArePhaseFlipped"].tolist() == [1, 1, 1]
    assert np.allclose(table["rlnOriginX"], file.blocks[""]["rlnOriginX"] / 2.0)
    # a file that knows no magnification
    plain = {"": file.blocks[""].drop(columns="rlnMagnification").assign(rlnDetectorPixelSize=2.0)}
    again = with_moved_images(replace(file, blocks=plain), moved(file, pixel_size=4.0, box_size=8))
    assert again.blocks[""]["rlnDetectorPixelSize"].tolist() == [4.0] * 3


def test_records_keep_shifts_that_have_their_own_pixels(tmp_path):
    file = read_particles(write_cs(tmp_path / "a.cs", 3, side=16, pixel_size=2.0))
    new = with_moved_images(file, moved(file, pixel_size=4.0, box_size=8))
    assert new.records is not None
    assert file.records is not None
    assert new.records["blob/idx"].tolist() == [2, 1, 0]
    assert new.records["blob/shape"].tolist() == [[8, 8]] * 3
    assert new.records["blob/psize_A"].tolist() == [4.0] * 3
    assert np.allclose(new.records["alignments3D/shift"], file.records["alignments3D/shift"] / 2)
    assert new.records["uid"].tolist() == file.records["uid"].tolist()
    # what was given is as it was
    assert file.records["blob/idx"].tolist() == [0, 1, 2]


def test_same_sampling_changes_names_alone(tmp_path):
    star: Path = write_noise_star(tmp_path / "a.star", (3,), (GROUP,))
    file = read_particles(star)
    new = with_moved_images(file, moved(file))
    assert new.blocks["optics"].equals(file.blocks["optics"])
    old, table = (each.blocks["particles"].drop(columns="rlnImageName") for each in (file, new))
    assert table.equals(old)
