"""Latents that no analysis can use are refused in one line."""

import numpy as np
import pytest

from icelens.core.errors import MetadataError
from icelens.core.latents.checked import checked_latents


def test_latents_that_are_not_finite_are_counted_and_the_first_is_named():
    latent = np.zeros((5, 2))
    latent[3, 1] = latent[4, 0] = np.nan
    with pytest.raises(MetadataError, match=r"run: latents of 2 of 5 .* first is particle 4"):
        checked_latents(latent, "run")


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (4,)])
def test_latents_of_no_particle_or_no_dimension_are_refused(shape):
    with pytest.raises(MetadataError, match="expected one row for each particle"):
        checked_latents(np.zeros(shape), "run")
