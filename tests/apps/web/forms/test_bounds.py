"""Tests of apps/web/forms/bounds.py."""

import pytest

from icelens.apps.web.forms.bounds import bounds_text, node_at
from icelens.jobs.registry import find_job
from icelens.jobs.validation import schema


@pytest.mark.parametrize(
    ("job", "path", "text"),
    [
        ("restore.deconvolve", ("highpass_nyquist",), "above 0, at most 1"),
        ("restore.deconvolve", ("chunk_size",), "16 or more"),
        ("restore.refine", ("box_size",), "16 or more, a multiple of 16"),
        ("restore.mask", ("density_percentage",), "from 0 to 100"),
        ("simulate.tomograms", ("shape",), "3 values, each 16 or more"),
        ("simulate.tomograms", ("recording", "tilt_range"), "2 values"),
        ("hetero.train", ("latent_weight", "weight"), "0 or more"),
        ("simulate.states", ("populations",), "each above 0"),
        ("restore.refine", ("contrast",), ""),
    ],
)
def test_limits_are_told_in_words(job: str, path: tuple[str, ...], text: str) -> None:
    assert bounds_text(node_at(schema(find_job(job)), path)) == text


def test_a_setting_that_is_not_there_has_no_limits() -> None:
    assert bounds_text(node_at(schema(find_job("restore.mask")), ("no", "such"))) == ""
