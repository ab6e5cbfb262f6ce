"""The likeliest class is numbered, and background is what the classes leave."""

import numpy as np

from icelens.core.volumes.likeliest import likeliest


def test_class_is_numbered_where_background_is_not_likelier() -> None:
    array = np.array([[0.6, 0.2, 0.3, 0.1], [0.3, 0.2, 0.6, 0.4]], np.float16)[:, None, None]
    assert likeliest(list(array))[0, 0].tolist() == [1, 0, 2, 0]


def test_background_is_what_the_given_classes_leave() -> None:
    a, b, c = np.array([0.3, 0.2, 0.6], np.float16).reshape(3, 1, 1, 1)
    assert likeliest([a, b]).item() == 0
    assert likeliest([a, c]).item() == 2
    assert likeliest([c]).item() == 1


def test_probabilities_are_not_written_into() -> None:
    array = np.full((2, 1, 1, 2), 0.4, np.float32)
    likeliest(list(array))
    assert (array == np.float32(0.4)).all()
