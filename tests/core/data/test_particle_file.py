"""A particle file knows the row of the table that each image comes from."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError

GROUP = OpticsGroup("g", pixel_size=1.0, box_size=64)
TWO = Particles((Path("a.mrcs"),), np.zeros(2, int), np.arange(2), (GROUP,))


def test_rows_and_images_are_as_many() -> None:
    assert len(ParticleFile(TWO, Path("p.star"), np.zeros(2, int))) == 2
    with pytest.raises(GeometryError, match=r"p.star: 3 table rows for 2 images"):
        ParticleFile(TWO, Path("p.star"), np.arange(3))
