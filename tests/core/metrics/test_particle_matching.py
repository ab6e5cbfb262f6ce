"""The same particles are found under other names and in another order."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.io.particle_files import new_particle_file
from icelens.core.metrics.particle_matching import match_particles


def listed(images: list[tuple[str, int]], **columns: object) -> ParticleFile:
    """A file of images `(stack, number)`."""
    stacks = list(dict.fromkeys(name for name, _ in images))
    particles = Particles(
        stacks=tuple(Path(name) for name in stacks),
        stack=np.array([stacks.index(name) for name, _ in images]),
        slice_index=np.array([number for _, number in images]),
        optics=(OpticsGroup("one", 3.0, 16),),
    )
    return new_particle_file(particles, columns)


def test_rows_are_paired_by_image_whatever_their_order():
    first = listed([("a.mrcs", 0), ("a.mrcs", 1), ("b.mrcs", 0), ("b.mrcs", 5)])
    second = listed([("b.mrcs", 5), ("b.mrcs", 7), ("a.mrcs", 1)])
    matched = match_particles(first, second)
    assert (matched.rows_1.tolist(), matched.rows_2.tolist()) == ([1, 3], [2, 0])
    assert matched.found_by == "image and stack"


def test_images_that_come_twice_are_paired_once_each():
    first = listed([("a.mrcs", 0), ("a.mrcs", 0), ("a.mrcs", 1)])
    second = listed([("a.mrcs", 1), ("a.mrcs", 0)])
    matched = match_particles(first, second)
    assert (matched.rows_1.tolist(), matched.rows_2.tolist()) == ([0, 2], [1, 0])


def test_stacks_that_moved_are_known_by_their_names():
    matched = match_particles(listed([("here/a.mrcs", 0)]), listed([("/there/a.mrcs", 0)]))
    assert len(matched) == 1
    assert "without folders" in matched.found_by


def test_places_in_micrographs_count_where_names_differ():
    first = listed(
        [("a.mrcs", n) for n in range(3)],
        rlnMicrographName=["x/m1.mrc", "x/m1.mrc", "x/m2.mrc"],
        rlnCoordinateX=[100.0, 500.0, 100.0],
        rlnCoordinateY=[100.0, 500.0, 100.0],
    )
    second = listed(
        [("b.mrcs", n) for n in range(3)],
        rlnMicrographName=["y/m2.mrc", "y/m1.mrc", "y/m1.mrc"],
        rlnCoordinateX=[103.0, 502.0, 120.0],
        rlnCoordinateY=[104.0, 500.0, 100.0],
    )
    matched = match_particles(first, second)
    assert (matched.rows_1.tolist(), matched.rows_2.tolist()) == ([1, 2], [1, 0])
    assert len(match_particles(first, second, coordinate_margin=30.0)) == 3


def test_strangers_are_an_error_that_names_both():
    with pytest.raises(MetadataError, match=r"1@a.mrcs against 1@b.mrcs"):
        match_particles(listed([("a.mrcs", 0)]), listed([("b.mrcs", 0)]))
