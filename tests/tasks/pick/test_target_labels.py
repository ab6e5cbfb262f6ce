"""Labels of a run lie where its picks are, over its segmentations."""

import numpy as np
import pytest
from small_project import CURATION, PIXEL_SIZE, RIBOSOMES, SHAPE, small_project

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.io.copick.project import SegmentationKey
from icelens.tasks.pick.target_labels import Wanted, fitted, target_labels

MEMBRANE = SegmentationKey(10.0, "membrane", CURATION, is_multilabel=False)


@pytest.fixture
def project(tmp_path):
    return small_project(tmp_path)


def labels_of(project, *names, segmentations=(), run="TS_1"):
    picks = tuple((project.find(name), CURATION) for name in names)
    wanted = Wanted(picks, tuple((name, CURATION) for name in segmentations))
    key = project.choose_tomogram(run, None, None)
    return target_labels(project, run, key, wanted, 0.7)[0]


def test_spheres_wear_the_labels_of_the_project_and_keep_their_places(project):
    labels = labels_of(project, "ribosome")
    assert set(np.unique(labels)) == {0, 2}
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1) * PIXEL_SIZE
    distance = np.linalg.norm(grid[:, :, :, None] - RIBOSOMES, axis=-1).min(axis=-1)
    np.testing.assert_array_equal(labels > 0, distance <= 0.7 * 50.0)


def test_the_nearer_centre_wins_whatever_the_labels(project):
    both = labels_of(project, "ribosome", "apoferritin")
    np.testing.assert_array_equal(both, labels_of(project, "apoferritin", "ribosome"))
    assert both[8, 13, 17] == 2
    assert both[8, 16, 19] == 5


def test_an_empty_list_of_picks_gives_background(project):
    assert not labels_of(project, "ribosome", run="TS_2").any()


def test_spheres_lie_over_segmentations(project):
    project.write_segmentation("TS_1", MEMBRANE, Volume(np.ones(SHAPE), 10.0))
    labels = labels_of(project, "ribosome", segmentations=["membrane"])
    assert (labels[6, 6, 6], labels[0, 0, 0]) == (2, 7)


def test_labels_of_several_objects_are_taken_over_if_they_are_known(project):
    key = SegmentationKey(10.0, "painted", CURATION, is_multilabel=True)
    values = np.zeros(SHAPE, int)
    values[0, 0, :2] = (5, 7)
    project.write_segmentation("TS_1", key, Volume(values, 10.0))
    np.testing.assert_array_equal(labels_of(project, segmentations=["painted"]), values)
    values[0, 0, 0] = 9
    project.write_segmentation("TS_1", key, Volume(values, 10.0))
    with pytest.raises(MetadataError, match="label 9 is of no object"):
        labels_of(project, segmentations=["painted"])


def test_a_segmentation_on_a_grid_a_little_off_is_fitted_at_the_far_end(project):
    values = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    larger = fitted(values, (3, 2, 4), "a")
    np.testing.assert_array_equal(larger[:2], values[:, :2])
    assert not larger[2].any()


def test_a_segmentation_of_another_shape_is_refused(project):
    project.write_segmentation("TS_1", MEMBRANE, Volume(np.ones((16, 20, 30)), 10.0))
    with pytest.raises(GeometryError, match=r"membrane,curation,0@10 of run TS_1: has .*20, 30"):
        labels_of(project, segmentations=["membrane"])
