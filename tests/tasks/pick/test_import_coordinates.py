"""Coordinates come in under the objects of the project, in Å, inside their tomograms."""

import numpy as np
import pytest
from small_project import OBJECTS, PIXEL_SIZE, RIBOSOMES, SHAPE, small_project

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.project import PicksKey
from icelens.core.io.picks import write_picks_csv
from icelens.core.io.relion_particles import write_relion_particles
from icelens.tasks.pick.import_folder import import_into_project
from icelens.tasks.pick.project_jobs import ImportConfig

EXTENT = tuple(side * PIXEL_SIZE for side in SHAPE)
IMPORTED = Source("imported", "0")


def table(path, places=RIBOSOMES, species="ribosome", run="TS_1"):
    num = len(places)
    picks = Picks(np.asarray(places), species=(species,) * num, tomogram_id=(run,) * num)
    if path.suffix == ".star":
        write_relion_particles(path, picks, extent_zyx=EXTENT, pixel_size=PIXEL_SIZE)
    else:
        write_picks_csv(path, picks)
    return path


def imported(project, path, on_event=lambda event: None, **changes):
    import_into_project(ImportConfig(project=project.path, picks=path, **changes), on_event)


def test_a_table_becomes_picks_of_its_objects(tmp_path):
    project = small_project(tmp_path)
    imported(project, table(tmp_path / "a.csv", run="TS_2"))
    found = project.read_picks("TS_2", PicksKey("ribosome", IMPORTED))
    np.testing.assert_array_equal(found.position_zyx, RIBOSOMES)


def test_classes_of_relion_are_given_a_name(tmp_path):
    project = small_project(tmp_path)
    path = table(tmp_path / "a.star")
    with pytest.raises(MetadataError, match=r"class-1 is no object of the project .apoferritin"):
        imported(project, path)
    imported(project, path, object_name="apoferritin", user="me", session="3")
    found = project.read_picks("TS_1", PicksKey("apoferritin", Source("me", "3")))
    # STAR holds six decimals
    np.testing.assert_allclose(found.position_zyx, RIBOSOMES, atol=1e-5)


def test_several_classes_of_one_name_are_joined(tmp_path):
    project = small_project(tmp_path)
    picks = Picks(RIBOSOMES, species=("a", "b"), tomogram_id=("TS_1",) * 2)
    path = tmp_path / "a.star"
    write_relion_particles(path, picks, extent_zyx=EXTENT, pixel_size=PIXEL_SIZE)
    imported(project, path, object_name="ribosome")
    assert len(project.read_picks("TS_1", PicksKey("ribosome", IMPORTED))) == 2


def test_an_object_may_be_added_with_its_picks(tmp_path):
    project = small_project(tmp_path)
    path = table(tmp_path / "a.csv", species="virus")
    imported(project, path, objects=("virus=130",))
    assert len(project.read_picks("TS_1", PicksKey("virus", IMPORTED))) == 2


def test_positions_that_count_voxels_are_asked_about(tmp_path):
    project = small_project(tmp_path)
    voxels = np.random.default_rng(0).uniform(1, 15, (20, 3))
    path = table(tmp_path / "a.csv", voxels)
    with pytest.raises(MetadataError, match="as if they counted voxels; say --unit voxel"):
        imported(project, path)
    imported(project, path, unit="voxel")
    key = PicksKey("ribosome", IMPORTED)
    np.testing.assert_allclose(project.read_picks("TS_1", key).position_zyx, voxels * PIXEL_SIZE)
    imported(project, path, unit="angstrom")
    np.testing.assert_array_equal(project.read_picks("TS_1", key).position_zyx, voxels)


def test_many_outside_are_refused_and_few_are_left_out(tmp_path):
    project = small_project(tmp_path)
    places = np.random.default_rng(0).uniform(0, 150, (200, 3))
    places[0] = -50.0
    events = []
    imported(project, table(tmp_path / "a.csv", places), events.append)
    assert len(project.read_picks("TS_1", PicksKey("ribosome", IMPORTED))) == 199
    texts = [event.text for event in events if hasattr(event, "text")]
    assert any("1 of 200 picks lie outside their tomogram" in text for text in texts)
    places[:3] = -50.0
    with pytest.raises(MetadataError, match="3 of ribosome in TS_1"):
        imported(project, table(tmp_path / "a.csv", places), user="second")
    assert PicksKey("ribosome", Source("second", "0")) not in project.picks("TS_1")


def test_coordinates_of_runs_that_are_not_there_are_refused(tmp_path):
    project = small_project(tmp_path, OBJECTS)
    with pytest.raises(InputFileError, match="coordinates of TS_9, but the tomograms are TS_1"):
        imported(project, table(tmp_path / "a.csv", run="TS_9"))
