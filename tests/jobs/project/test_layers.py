"""Graphs read from left to right: no overlaps, cycles broken, hundreds of nodes at once."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from icelens.jobs.project.layers import layers_of, place


def test_every_link_of_a_graph_without_cycles_goes_to_the_right():
    links = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")]
    places = place("abcd", links).places
    assert all(places[one][0] < places[two][0] for one, two in links)


def test_a_source_stands_next_to_the_first_that_needs_it():
    layer, _ = layers_of("abcx", [("a", "b"), ("b", "c"), ("x", "c")])
    assert layer["x"] == layer["c"] - 1


def test_a_cycle_is_broken_by_one_link_that_goes_back():
    layer, back = layers_of("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    assert back == {("c", "a")}
    assert layer == {"a": 0, "b": 1, "c": 2}


def test_a_long_link_bends_in_each_layer_that_it_passes():
    way = place("abcd", [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")]).ways["a", "d"]
    assert [layer for layer, _ in way] == [0, 1, 2, 3]


def test_a_chain_is_straight():
    rows = {row for _, row in place("abcd", [("a", "b"), ("b", "c"), ("c", "d")]).places.values()}
    assert len(rows) == 1


def test_nodes_without_links_stand_in_rows_below():
    placing = place([str(i) for i in range(12)], [("0", "1")])
    lonely = [placing.places[str(i)] for i in range(2, 12)]
    assert len(set(lonely)) == 10
    assert min(row for _, row in lonely) >= 1


def test_links_that_make_no_sense_are_dropped():
    placing = place("ab", [("a", "a"), ("a", "b"), ("a", "b"), ("a", "nobody")])
    assert set(placing.ways) == {("a", "b")}


def test_nothing_has_no_height():
    assert place([], []).places == {}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40))
def test_no_two_nodes_of_a_layer_overlap(pairs):
    names = [str(i) for i in range(15)]
    placing = place(names, [(str(a), str(b)) for a, b in pairs])
    assert set(placing.places) == set(names)
    by_layer: dict[int, list[float]] = {}
    for layer, row in placing.places.values():
        by_layer.setdefault(layer, []).append(row)
    for rows in by_layer.values():
        rows.sort()
        # rounding of means is far below a thousandth of a row
        assert all(b - a > 0.999 for a, b in pairwise(rows))
    assert all(0 <= row <= placing.num_rows for _, row in placing.places.values())


def test_a_chain_of_thousands_does_not_recurse():
    names = [str(i) for i in range(3000)]
    placing = place(names, list(pairwise(names)))
    assert placing.num_layers == 3000


def test_three_hundred_jobs_are_laid_out():
    draw = random.Random(1)
    links = [(str(draw.randrange(max(0, i - 20), i)), str(i)) for i in range(1, 300)]
    placing = place([str(i) for i in range(300)], links)
    assert len(set(placing.places.values())) == 300
