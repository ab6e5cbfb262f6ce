"""Optics groups that agree become one; rows keep the optics they had."""

from dataclasses import replace

from particle_stars import GROUP, write_star

from icelens.core.io.equal_groups import group_names, with_equal_groups_merged
from icelens.core.io.joined_particles import join_particle_files
from icelens.core.io.particle_files import read_particles, write_particles


def test_groups_of_several_files_that_agree_become_one(tmp_path):
    optics = (GROUP, replace(GROUP, name="two", voltage=200.0))
    files = [read_particles(write_star(tmp_path / f"{n}.star", (1, 2), optics)) for n in "abc"]
    joined = join_particle_files(files)
    names = [name for each in files for name in group_names(each)]
    merged = with_equal_groups_merged(joined, names)
    assert len(joined.blocks["optics"]) == 6
    assert merged.blocks["optics"]["rlnOpticsGroupName"].tolist() == ["one", "two"]
    write_particles(tmp_path / "out.star", merged)
    particles = read_particles(tmp_path / "out.star").particles
    voltages = [particles.optics[group].voltage for group in particles.optics_index]
    assert voltages == 3 * [300.0, 200.0, 200.0]
