"""Lists of indices as users type them."""

import pytest

from icelens.core.data.index_list import parse_indices
from icelens.core.errors import MetadataError


def test_numbers_and_ranges_name_rows() -> None:
    assert parse_indices("1,3-5", [1, 2, 3, 4, 5], name="a.star") == {1, 3, 4, 5}


def test_endless_range_is_refused_without_laying_it_out() -> None:
    with pytest.raises(MetadataError, match=r"a\.star: no row has rlnIndex 3; there are 1, 2"):
        parse_indices("1-99999999999999", [1, 2], name="a.star")
