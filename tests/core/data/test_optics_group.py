"""Optics groups refuse what no microscope does, by name."""

import pytest

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.errors import MetadataError


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pixel_size", 0.0, "pixel size is 0"),
        ("pixel_size", -1.35, "pixel size is -1.35"),
        ("pixel_size", float("nan"), "pixel size is nan"),
        ("box_size", 1, "box size is 1"),
        ("voltage", 0.0, "voltage is 0"),
        ("amplitude_contrast", 7.0, "a fraction from 0 to 1"),
    ],
)
def test_impossible_values_are_refused(field, value, words) -> None:
    values = {"pixel_size": 1.0, "box_size": 64} | {field: value}
    with pytest.raises(MetadataError, match=f"'krios'.*{words}"):
        OpticsGroup("krios", **values)


def test_what_is_left_out_means_a_perfect_common_microscope() -> None:
    group = OpticsGroup("krios", pixel_size=1.0, box_size=64)
    assert (group.voltage, group.beam_tilt_xy, group.odd_zernike) == (300.0, (0.0, 0.0), ())
    assert group.magnification == (1.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("matrix", [(1, 1, 1, 1), (0, 0, 0, 0), (-1, 0, 0, 1), (100, 0, 0, 100)])
def test_matrices_that_are_no_magnification_are_refused(matrix) -> None:
    with pytest.raises(MetadataError, match=r"magnification matrix .* changes areas"):
        OpticsGroup("krios", pixel_size=1.0, box_size=64, magnification=matrix)
