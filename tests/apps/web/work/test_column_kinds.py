"""Columns are amounts or classes by what they hold."""

import numpy as np

from icelens.apps.web.work.column_kinds import MOST_CLASSES, as_sent, kind_of


def test_floats_are_amounts_and_few_whole_numbers_are_classes() -> None:
    amount = kind_of("defocus", np.linspace(0.0, 1.0, 5))
    assert amount is not None
    assert (amount.kind, amount.label, amount.unit) == ("amount", "Defocus", "Å")
    classes = kind_of("kmeans", np.asarray([3, 1, 3]))
    assert classes is not None
    assert (classes.kind, classes.values, classes.labels) == ("class", (1.0, 3.0), ("1", "3"))
    many = kind_of("kmeans", np.arange(MOST_CLASSES + 1))
    assert many is not None
    assert many.kind == "amount"


def test_texts_are_sent_as_places_of_their_labels_and_many_texts_not_at_all() -> None:
    values = np.asarray(["b", "a", "b"], object)
    kind = kind_of("rlnMicrographName", values)
    assert kind is not None
    assert kind.labels == ("a", "b")
    np.testing.assert_array_equal(as_sent(values, kind), [1.0, 0.0, 1.0])
    assert kind_of("rlnImageName", np.asarray([f"{n}@a" for n in range(200)], object)) is None


def test_numbers_beyond_single_precision_become_infinite_without_a_word() -> None:
    values = np.asarray([1e300, np.nan, 1.0])
    kind = kind_of("x", values)
    assert kind is not None
    np.testing.assert_array_equal(as_sent(values, kind), [np.inf, np.nan, 1.0])
