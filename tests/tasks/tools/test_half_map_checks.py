"""Curves of half maps betray identical maps, full maps, unrelated maps and tight masks."""

import pytest
import torch

from icelens.core.errors import GeometryError, InputFileError
from icelens.core.events import Message
from icelens.core.metrics.fsc import ShellCorrelation
from icelens.core.metrics.phase_randomisation import MaskedCorrelation
from icelens.tasks.tools.half_map_checks import first_below, refuse_no_halves, warn_of_doubts

PATHS = ("a.mrc", "b.mrc")
SHELLS = 33


def curve(values: torch.Tensor) -> ShellCorrelation:
    return ShellCorrelation(
        torch.arange(SHELLS).double() / 128.0, values.double(), torch.ones(SHELLS).double()
    )


def falling(middle: float = 15.0) -> torch.Tensor:
    return torch.sigmoid((middle - torch.arange(SHELLS)) / 1.5)


def warnings(
    corrected: torch.Tensor, unmasked: torch.Tensor, randomised: torch.Tensor | None = None
) -> list[str]:
    random = torch.zeros(SHELLS) if randomised is None else randomised
    events = []
    curves = MaskedCorrelation(curve(unmasked), curve(corrected), curve(random), curve(corrected))
    warn_of_doubts(curves, events.append)
    assert all(isinstance(event, Message) and event.level == "warning" for event in events)
    return [event.text for event in events]


def test_good_half_maps_pass_without_a_word():
    refuse_no_halves(PATHS, curve(falling()))
    assert warnings(falling(), falling(12.0)) == []


def test_identical_and_unrelated_maps_are_refused():
    with pytest.raises(InputFileError, match="correlation 1 in every shell"):
        refuse_no_halves(PATHS, curve(torch.ones(SHELLS)))
    with pytest.raises(GeometryError, match=r"only 0\.05.*check both files"):
        refuse_no_halves(PATHS, curve(torch.full((SHELLS,), 0.05)))
    with pytest.raises(GeometryError, match="contrast of one inverted"):
        refuse_no_halves(PATHS, curve(-falling()))
    with pytest.raises(GeometryError, match="nan"):
        refuse_no_halves(PATHS, curve(torch.full((SHELLS,), float("nan"))))


def test_mean_of_both_in_place_of_a_half_is_suspected():
    with_mean = ((1 + falling()) / 2).sqrt()  # correlation of a half with the mean of both
    (text, limit) = warnings(with_mean, with_mean)
    assert "near 0.71" in text
    assert "limit of the sampling" in limit


def test_curve_that_never_falls_or_rises_again_is_told():
    (text,) = warnings(torch.full((SHELLS,), 0.9), torch.full((SHELLS,), 0.9))
    assert "never falls below 0.143: 4 Å is the limit" in text
    again = falling()
    again[25:28] = 0.5
    (text,) = warnings(again, falling())
    assert "rises to 0.50 again at 5.12 Å" in text


def test_tight_mask_is_told():
    (text,) = warnings(falling(), falling(12.0), torch.full((SHELLS,), 0.4))
    assert "random phases correlate by 0.40" in text


def test_first_shell_below_skips_zero_and_empty_ones():
    values = falling()
    values[0] = 0.0
    with_hole = curve(values)
    with_hole.count[5] = 0.0
    with_hole.correlation[5] = 0.0
    assert first_below(with_hole) == 18
    assert first_below(curve(torch.ones(SHELLS))) is None
