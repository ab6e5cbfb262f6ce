"""A tilt series keeps what is known of it on its way to a scheme."""

import numpy as np

from icelens.core.data.tilt_series import TiltSeries
from icelens.core.optics.missing_wedge import measured_mask
from icelens.core.optics.tilt_schemes import scheme_of_series


def test_scheme_holds_every_tilt_with_dose_and_mean_defocus():
    series = TiltSeries(
        np.array([40.0, -20.0, 0.0]),
        dose=np.array([6.0, 3.0, 0.0]),
        defocus_u=np.array([30000.0, 31000.0, 32000.0]),
        defocus_v=np.array([31000.0, 31000.0, 32000.0]),
    )
    scheme = scheme_of_series(series, voltage=200.0)
    assert (scheme.tilt_min, scheme.tilt_max) == (-20.0, 40.0)
    assert scheme.angles == (40.0, -20.0, 0.0)
    assert scheme.doses == (6.0, 3.0, 0.0)
    assert scheme.defoci == (30500.0, 31000.0, 32000.0)
    assert scheme.voltage == 200.0
    assert measured_mask((8, 8, 8), scheme, pixel_size=10.0).shape == (8, 8, 5)


def test_unknown_dose_and_defocus_stay_unknown():
    scheme = scheme_of_series(TiltSeries(np.array([-10.0, 10.0])))
    assert scheme.doses == scheme.defoci == ()
