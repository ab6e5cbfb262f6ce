"""Lists of indices as users type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icelens.core.data.index_list import parse_indices, share_of
from icelens.core.errors import MetadataError


def test_numbers_and_ranges_name_rows() -> None:
    assert parse_indices("1,3-5", [1, 2, 3, 4, 5], name="a.star") == {1, 3, 4, 5}


def test_endless_range_is_refused_without_laying_it_out() -> None:
    with pytest.raises(MetadataError, match=r"a\.star: no row has rlnIndex 3; there are 1, 2"):
        parse_indices("1-99999999999999", [1, 2], name="a.star")


@given(st.integers(1, 12), st.integers(0, 40))
def test_shares_are_all_together_and_none_twice(count: int, more: int) -> None:
    items = tuple(range(count + more))
    dealt = [share_of(f"{number}/{count}", items, name="x") for number in range(1, count + 1)]
    assert sorted(item for share in dealt for item in share) == list(items)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


def test_a_share_names_rows_of_a_list() -> None:
    assert parse_indices("2/3", [1, 2, 5, 7], name="x.star") == {2}
    assert parse_indices(" 1 / 3 ", [1, 2, 5, 7], name="x.star") == {1, 7}


@pytest.mark.parametrize("text", ["0/3", "4/3", "5/5", "1/0"])
def test_shares_that_are_empty_or_none_are_named(text: str) -> None:
    with pytest.raises(MetadataError, match=r"x\.star: .*share"):
        parse_indices(text, [1, 2, 5, 7], name="x.star")
