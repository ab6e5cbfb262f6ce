"""Objects of a folder get labels, radii and weights from a table, or from their names alone."""

import pytest

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.object_table import objects_of, write_objects


def table(folder, text):
    path = folder / "objects.csv"
    path.write_text(text)
    return path


def test_without_a_table_labels_follow_the_names_and_the_radius_is_asked_for(tmp_path):
    objects = objects_of(tmp_path / "objects.csv", {"virus", "ribosome"})
    assert [(each.name, each.label) for each in objects] == [("ribosome", 1), ("virus", 2)]
    with pytest.raises(MetadataError, match=r"objects.csv of a plain folder"):
        objects[0].known_radius()


def test_a_table_gives_radius_weight_and_label(tmp_path):
    path = table(
        tmp_path,
        "name,radius,label,weight,is_particle\nvirus,135,1,2,\nmembrane,,,,false\nbeta_gal,90,,,\n",
    )
    virus, beta_gal, membrane, ribosome = objects_of(path, {"ribosome", "virus"})
    assert (virus.name, virus.label, virus.known_radius(), virus.weight) == ("virus", 1, 135.0, 2.0)
    assert (beta_gal.name, beta_gal.label, beta_gal.weight) == ("beta-gal", 2, 1.0)
    assert (membrane.label, membrane.is_particle, membrane.radius) == (3, False, None)
    assert (ribosome.name, ribosome.label) == ("ribosome", 4)


def test_what_is_written_is_read_back(tmp_path):
    objects = (
        PickableObject("b", 1, 60.0, metadata={"score_weight": 2.0}),
        PickableObject("a", 5, None, is_particle=False, metadata={"score_weight": 1.0}),
    )
    write_objects(tmp_path / "objects.csv", objects)
    assert objects_of(tmp_path / "objects.csv", ()) == objects


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,size\na,3\n", "line 2 cannot be used"),
        ("name,radius\na,big\n", "could not convert"),
        ("name,radius,is_particle\na,3,maybe\n", "line 2"),
        ("name,radius\n,3\n", "cannot be a name"),
        ("name,radius\na,3\na,4\n", "object a is there twice"),
        ("name,radius,label\na,3,1\nb,4,1\n", "both have label 1"),
        ("name,radius,label\na,3,0\n", "label 0"),
        ("name,radius,weight\na,3,-1\n", "weight"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_in_one_line(tmp_path, text, words):
    path = table(tmp_path, text)
    with pytest.raises((InputFileError, MetadataError), match=f"^{path}: ") as caught:
        objects_of(path, ())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
