"""What a dose leaves of each frequency."""

import math

import torch

from icelens.core.optics.dose import dose_weight


def test_dose_takes_high_frequencies_first() -> None:
    frequency = torch.tensor([0.0, 1 / 20, 1 / 5])
    fade = dose_weight(frequency, 30.0, voltage=300.0)
    assert bool((fade[1:] < fade[:-1]).all())
    assert torch.equal(dose_weight(frequency, 0.0, voltage=300.0), torch.ones(3))
    # critical dose at 1/20 per Å is 0.245 * 20^1.6649 + 2.81 = 38.7 e/Å^2
    assert math.isclose(float(fade[1]), math.exp(-30.0 / (2 * 38.7)), rel_tol=0.01)
    assert bool((dose_weight(frequency, 30.0, voltage=200.0) < fade)[1:].all())
    assert float(fade[0]) == 1.0
