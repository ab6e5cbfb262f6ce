"""Expressions choose the rows they say, and are never run."""

import numpy as np
import pytest

from icelens.core.data.row_filter import filter_rows
from icelens.core.errors import MetadataError

COLUMNS = {
    "rlnParticleFigureOfMerit": np.array([0.1, 0.6, 0.9, np.nan]),
    "rlnClassNumber": np.array([1, 4, 2, 1]),
    "rlnMicrographName": np.array(["a/m1.mrc", "a/m2.mrc", "b/m1.mrc", "b/m3.mrc"], object),
}


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("rlnParticleFigureOfMerit > 0.5 and rlnClassNumber in (1, 4)", [1]),
        ("rlnClassNumber not in [1]", [1, 2]),
        ("not rlnParticleFigureOfMerit > 0.5", [0, 3]),
        ("0.05 < rlnParticleFigureOfMerit <= 0.6", [0, 1]),
        ("rlnClassNumber * 2 - 1 == 3 or rlnClassNumber % 4 == 0", [1, 2]),
        ("abs(-rlnClassNumber) >= 2", [1, 2]),
        ('contains(rlnMicrographName, "m1")', [0, 2]),
        ("rlnMicrographName == 'a/m2.mrc'", [1]),
        ("_rlnClassNumber == 1", [0, 3]),
        ("rlnMicrographName in ('b/m3.mrc', 'no')", [3]),
        ("1 < 2", [0, 1, 2, 3]),
        ("  rlnClassNumber / 0 > 1", [0, 1, 2, 3]),
    ],
)
def test_rows_are_those_for_which_it_is_true(expression, rows):
    assert np.flatnonzero(filter_rows(expression, COLUMNS)).tolist() == rows


@pytest.mark.parametrize(
    ("expression", "piece"),
    [
        ("rlnClasNumber == 1", "did you mean rlnClassNumber"),
        ("zzz == 1", "there are rlnClassNumber"),
        ("rlnClassNumber = 1", "cannot be read"),
        ("rlnClassNumber ==", "cannot be read"),
        ("", "cannot be read"),
        ("rlnClassNumber", "is no condition"),
        ("rlnClassNumber and 1 < 2", "no condition"),
        ("rlnClassNumber == 'one'", "compares text with numbers"),
        ("rlnMicrographName < 4", "compares text with numbers"),
        ("rlnMicrographName + 1 > 2", "no number"),
        ("rlnClassNumber in 4", "needs a list"),
        ("rlnClassNumber ** 9 > 1", "expected only"),
        ("__import__('os').system('true')", "expected only"),
        ("rlnClassNumber.dtype == 1", "expected only"),
        ("(lambda: 1)() == 1", "expected only"),
        ("[x for x in (1,)] == 1", "expected only"),
        ("open('a') == 1", "expected only"),
        ("rlnClassNumber == True", "expected only"),
        ("contains(rlnClassNumber, 'a')", "column of text"),
        ("rlnClassNumber is 1", "expected only"),
        ("-" * 5000 + "1 > 0", "too deep|cannot be read"),
        ("(" * 5000 + "1" + ")" * 5000, "cannot be read|too deep"),
        ("1 > 0 and " * 2000 + "1 > 0", "too long"),
    ],
)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_anything_else_is_refused_in_one_line(expression, piece):
    with pytest.raises(MetadataError, match=piece) as found:
        filter_rows(expression, COLUMNS)
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 400


def test_numbers_with_too_many_digits_are_refused() -> None:
    with pytest.raises(MetadataError, match="too many digits"):
        filter_rows("a < " + "9" * 400, {"a": np.arange(3)})
