"""What the correlation of two half maps tells of mistakes: refuse what is none, warn of doubts."""

from icelens.core.errors import GeometryError, InputFileError
from icelens.core.events import Message, OnEvent
from icelens.core.metrics.fsc import ShellCorrelation, resolution_at
from icelens.core.metrics.phase_randomisation import MaskedCorrelation

THRESHOLD = 0.143
"""Of half maps: where the mean of both correlates with the truth by one half."""
_IDENTICAL = 0.9999
_OF_ITS_MEAN = 0.5**0.5
_FLAT = 0.08
_OPPOSITE = -0.2
_TIGHT = 0.2
_FIRST_SHELLS = slice(1, 4)


def refuse_no_halves(paths: tuple[object, object], curve: ShellCorrelation) -> None:
    """Refuse maps that cannot be two half maps of one particle.

    Args:
        paths: Names of both files.
        curve: Their correlation without a mask.

    Raises:
        InputFileError: If they are the same map.
        GeometryError: If they do not even agree at low resolution.
    """
    first, second = paths
    correlation = curve.correlation[curve.count > 0]
    if float(correlation.min()) > _IDENTICAL:
        raise InputFileError(
            f"{second}: the same density as {first} (correlation 1 in every shell), expected the "
            "map of the other half set; give both half maps"
        )
    low = float(correlation[_FIRST_SHELLS].mean())
    if not low >= THRESHOLD:
        hint = "; is the contrast of one inverted?" if low < _OPPOSITE else ""
        raise GeometryError(
            f"{second}: correlates by only {low:.2f} with {first} at the lowest resolutions, "
            f"expected two half maps of one particle on one grid{hint or '; check both files'}"
        )


def warn_of_doubts(curves: MaskedCorrelation, on_event: OnEvent) -> None:
    """Say what the curves of two half maps may have to do with something else than the particle."""

    def warn(text: str) -> None:
        on_event(Message(text, "warning"))

    tail = curves.unmasked.correlation[-(len(curves.unmasked.correlation) // 4) - 1 :]
    if bool(((tail - _OF_ITS_MEAN).abs() < _FLAT).all()):
        warn(
            "the correlation stays near 0.71 up to the highest resolution, as that of a half map "
            "with the mean of both does; give the two half maps"
        )
    curve = curves.corrected.correlation
    crossing = first_below(curves.corrected)
    if crossing is None:
        finest = resolution_at(curves.corrected, THRESHOLD)
        warn(
            f"the correlation never falls below {THRESHOLD}: {finest:.3g} Å is the limit of the "
            "sampling; reconstruct with a smaller pixel size"
        )
        return
    if crossing + 1 < len(curve) and float(curve[crossing + 1 :].max()) > 2 * THRESHOLD:
        again = crossing + 1 + int(curve[crossing + 1 :].argmax())
        warn(
            f"the correlation rises to {float(curve[again]):.2f} again at "
            f"{1.0 / float(curves.corrected.spatial_frequency[again]):.3g} Å; its first fall counts"
        )
    if float(curves.randomised.correlation[crossing]) > _TIGHT:
        warn(
            f"random phases correlate by {float(curves.randomised.correlation[crossing]):.2f} at "
            "the resolution: the mask is tight or sharp; widen it or its edge"
        )


def first_below(curve: ShellCorrelation) -> int | None:
    """The first shell with samples whose correlation is below 0.143, if there is one."""
    is_below = (~(curve.correlation >= THRESHOLD)) & (curve.count > 0)
    is_below[0] = False
    found = is_below.nonzero()
    return int(found[0]) if len(found) else None
