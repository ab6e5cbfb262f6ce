"""Thresholds come from the most trusted place; labels from the likeliest class."""

import numpy as np
import pytest

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import MetadataError
from icelens.core.events import Event, Message
from icelens.tasks.pick.localize_input import labels_from, thresholds_of

OBJECTS = [PickableObject(name, label, 60.0) for label, name in enumerate("abc", start=1)]


def chosen(flags=(), *described) -> tuple[dict[str, float], list[Event]]:
    events: list[Event] = []
    return thresholds_of(OBJECTS, flags, described, events.append), events


def test_flag_goes_before_model_before_probabilities_before_the_default():
    model, attributes = {"thresholds": {"a": 0.1, "b": 0.2}}, {"thresholds": {"b": 0.3}}
    found, events = chosen(("a=0.4",), model, attributes)
    assert found == {"a": 0.4, "b": 0.2, "c": 0.25}
    assert [event.text for event in events if isinstance(event, Message)] == [
        "no threshold is known for c: 0.25 is taken; give --model or --threshold OBJECT=VALUE"
    ]


def test_value_without_a_name_is_for_all_that_are_not_named():
    found, events = chosen(("0.3", "b=0.7"), {"thresholds": {"a": 0.1}})
    assert found == {"a": 0.3, "b": 0.7, "c": 0.3}
    assert events == []


@pytest.mark.parametrize("flag", ["a=", "a=x", "a=1.5", "a=0", "a=-1", "a=nan", "=", ""])
def test_impossible_thresholds_are_refused(flag):
    with pytest.raises(MetadataError, match="expected above 0 and at most 1"):
        chosen((flag,))


def test_impossible_threshold_of_a_model_is_refused():
    with pytest.raises(MetadataError, match="threshold of a is 7"):
        chosen((), {"thresholds": {"a": 7}})


def test_likeliest_class_is_the_label_where_background_is_not_likelier():
    array = np.array([[0.6, 0.2, 0.3, 0.1], [0.3, 0.2, 0.6, 0.4]], np.float16)
    assert labels_from(array[:, None, None])[0, 0].tolist() == [1, 0, 2, 0]
