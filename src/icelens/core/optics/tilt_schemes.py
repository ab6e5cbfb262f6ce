"""From what a program wrote about a tilt series to the scheme that weights are computed from."""

from icelens.core.data.tilt_series import TiltSeries
from icelens.core.optics.missing_wedge import TiltScheme


def scheme_of_series(
    series: TiltSeries,
    *,
    voltage: float = 300.0,
    spherical_aberration: float = 2.7,
    amplitude_contrast: float = 0.1,
) -> TiltScheme:
    """The single tilts of a series, with dose and defocus where they are known.

    Args:
        series: As read from a file.
        voltage: In kV.
        spherical_aberration: In mm.
        amplitude_contrast: Fraction.
    """
    defocus = series.defocus
    return TiltScheme(
        series.tilt_min,
        series.tilt_max,
        angles=tuple(series.angles.tolist()),
        doses=() if series.dose is None else tuple(series.dose.tolist()),
        defoci=() if defocus is None else tuple(defocus.tolist()),
        voltage=voltage,
        spherical_aberration=spherical_aberration,
        amplitude_contrast=amplitude_contrast,
    )
