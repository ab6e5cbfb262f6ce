"""A configuration is read as copick means it, and mistakes in it are told in one line."""

import json
from pathlib import Path

import pytest

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.config import (
    new_project_content,
    read_project_file,
    write_project_file,
)

RIBOSOME = {"name": "ribosome", "is_particle": True, "label": 1, "radius": 150}


def written(folder, **changes):
    content = {"pickable_objects": [RIBOSOME], "overlay_root": f"local://{folder}/overlay"}
    path = folder / "project.json"
    path.write_text(json.dumps(content | changes))
    return path


def test_what_is_written_is_read_back(tmp_path):
    objects = (
        PickableObject("ribosome", 1, 150.0, metadata={"score_weight": 2}),
        PickableObject("membrane", 7, is_particle=False, color=(1, 2, 3, 4)),
    )
    content = new_project_content(
        "yeast", objects, overlay_root=tmp_path / "overlay", static_root=tmp_path
    )
    write_project_file(tmp_path / "project.json", content)
    found = read_project_file(tmp_path / "project.json")
    assert found.objects == objects
    assert (found.name, found.objects[0].weight) == ("yeast", 2.0)
    assert (found.static_root, found.overlay_root) == (tmp_path, tmp_path / "overlay")
    assert not found.is_remote


def test_fields_that_copick_may_add_are_carried_along(tmp_path):
    entry = RIBOSOME | {"metadata": None, "filament": {"pitch": 3}, "label": 4}
    found = read_project_file(written(tmp_path, pickable_objects=[entry], future={"a": 1}))
    assert found.content["future"] == {"a": 1}
    assert found.objects == (PickableObject("ribosome", 4, 150.0),)


def test_a_missing_radius_is_told_when_it_is_needed(tmp_path):
    entries = [RIBOSOME | {"radius": 0}, {"name": "b", "label": 2, "is_particle": True}]
    for each in read_project_file(written(tmp_path, pickable_objects=entries)).objects:
        with pytest.raises(MetadataError, match="give its radius"):
            each.known_radius()


def test_a_relative_root_counts_from_the_working_directory_or_else_from_the_file(
    tmp_path, monkeypatch
):
    project, work = tmp_path / "project", tmp_path / "work"
    (project / "data").mkdir(parents=True)
    work.mkdir()
    monkeypatch.chdir(work)
    path = written(project, overlay_root="local://data")
    assert read_project_file(path).overlay_root == project / "data"
    (work / "data").mkdir()
    assert read_project_file(path).overlay_root == Path("data")


@pytest.mark.parametrize("root", ["s3://bucket/x", "ssh:///home/x", "smb://host/x"])
def test_a_root_elsewhere_makes_the_project_remote(tmp_path, root):
    assert read_project_file(written(tmp_path, overlay_root=root)).is_remote
    assert read_project_file(written(tmp_path, static_root=root)).is_remote


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"config_type": "cloud"}, "config_type is 'cloud'"),
        ({"pickable_objects": None}, "no list of pickable_objects"),
        ({"pickable_objects": ["ribosome"]}, "cannot be read"),
        ({"pickable_objects": [{"label": 1}]}, "KeyError: 'name'"),
        ({"pickable_objects": [RIBOSOME | {"label": 0}]}, "ribosome has label 0"),
        ({"pickable_objects": [RIBOSOME | {"label": "x"}]}, "ribosome has label x"),
        ({"pickable_objects": [RIBOSOME | {"radius": "15 nm"}]}, "radius '15 nm', expected Å"),
        ({"pickable_objects": [RIBOSOME, RIBOSOME | {"name": "b"}]}, "ribosome and b both have"),
        ({"pickable_objects": [RIBOSOME, RIBOSOME | {"label": 2}]}, "ribosome is there twice"),
        ({"pickable_objects": [RIBOSOME | {"name": "beta_gal"}]}, "call it 'beta-gal'"),
        ({"pickable_objects": [RIBOSOME | {"color": [1, 2, 300, 0]}]}, "expected RGBA"),
        ({"pickable_objects": [RIBOSOME | {"metadata": {"weight": "x"}}]}, "weight"),
        ({"pickable_objects": [RIBOSOME | {"name": None}]}, "has name None, expected text"),
        ({"pickable_objects": [RIBOSOME | {"is_particle": "false"}]}, "expected true or false"),
        ({"runs": 5}, "runs is no list of names"),
        ({"runs": "TS_1"}, "runs is no list of names"),
        ({"overlay_root": None}, "overlay_root is missing"),
        ({"static_root": "local:///no/such/folder"}, "is no folder"),
    ],
)
def test_a_mistake_is_told_in_one_line_that_begins_with_the_file(tmp_path, changes, words):
    path = written(tmp_path, **changes)
    with pytest.raises((InputFileError, MetadataError), match=f"^{path}: ") as caught:
        read_project_file(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{a", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "JSON without fields"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path, text, words):
    path = tmp_path / "project.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputFileError, match=words):
        read_project_file(path)
