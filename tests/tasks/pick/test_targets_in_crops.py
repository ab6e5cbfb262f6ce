"""Targets lie where the particles are, on the grid of the network, whatever its stride."""

import numpy as np
import pytest
from blob_project import blob, centroid

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import MetadataError
from icelens.tasks.pick.augment import Crop
from icelens.tasks.pick.targets_in_crops import TargetMaker

BIG = PickableObject("big", 4, 60.0)
SMALL = PickableObject("small", 2, 30.0)
MEMBRANE = PickableObject("membrane", 9, None, is_particle=False)
SHAPE = (16, 24, 20)


def maker(kind: str = "centres", stride: int = 1, **changes: object) -> TargetMaker:
    defaults = {
        "classes": (BIG, SMALL),
        "kind": kind,
        "stride": stride,
        "pixel_size": 10.0,
        "width": 12.0,
        "radius_scale": 0.7,
    }
    return TargetMaker(**{**defaults, **changes})


def crop(*centres: tuple[float, float, float], kind: object = 0, labels: object = None) -> Crop:
    centre = np.array(centres, np.float64).reshape(-1, 3)
    kinds = np.broadcast_to(np.array(kind, np.int64), (len(centre),))
    return Crop(np.zeros(SHAPE, np.float32), labels, centre, kinds)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_target_has_its_centroid_where_the_blob_has_its_own(stride: int, seed: int) -> None:
    place = np.random.default_rng(seed).uniform(7, np.array(SHAPE) - 8)
    maps = maker(stride=stride)(crop(tuple(place), kind=1))
    assert maps.shape == (2, *(side // stride for side in SHAPE))
    assert not maps[0].any()
    in_voxels = stride * centroid(maps[1]) + (stride - 1) / 2
    # a narrow Gaussian on a coarse grid is a sum of few samples: a tenth of a voxel
    np.testing.assert_allclose(in_voxels, centroid(blob(SHAPE, place, 1.2)), atol=0.1)
    assert maps.sum() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_blob_folded_to_the_grid_covers_its_target(stride: int) -> None:
    place = (7.5, 10.5, 9.5)
    image = blob(SHAPE, place, 1.5)
    z, y, x = (side // stride for side in SHAPE)
    folded = image.reshape(z, stride, y, stride, x, stride).mean(axis=(1, 3, 5))
    maps = maker(stride=stride)(crop(place))
    np.testing.assert_allclose(centroid(maps[0]), centroid(folded), atol=1e-3)


@pytest.mark.parametrize("stride", [1, 2])
def test_nearest_of_two_spheres_wins_in_its_own_radii(stride: int) -> None:
    made = maker("spheres", stride)
    first, second = (7.5, 8.5, 9.5), (7.5, 13.5, 9.5)
    labels = made(crop(first, second, kind=[0, 1]))
    assert labels.dtype == np.uint8
    points = stride * np.indices(labels.shape).reshape(3, -1).T + (stride - 1) / 2
    radii = np.maximum(0.7 * np.array([6.0, 3.0]), stride)  # none below a point of the grid
    distance = np.linalg.norm(points[:, None] - np.array([first, second]), axis=2) / radii
    expected = np.where(distance.min(axis=1) <= 1 + 1e-6, distance.argmin(axis=1) + 1, 0)
    np.testing.assert_array_equal(labels.reshape(-1), expected)
    assert set(np.unique(labels)) == {0, 1, 2}


@pytest.mark.parametrize("scale", [0.7, 1.5])
def test_sphere_of_a_centre_outside_still_reaches_in(scale: float) -> None:
    depth = scale * 6.0 - 1.0
    labels = maker("spheres", radius_scale=scale)(crop((7.0, -depth, 9.0)))
    assert labels[7, 0, 9] == 1


def test_centres_far_outside_leave_nothing() -> None:
    far = crop((-40.0, 8, 8), (8, 60.0, 8), (8.0, 8, 90.0))
    assert not maker()(far).any()
    assert not maker("spheres")(far).any()


@pytest.mark.parametrize("stride", [1, 2])
def test_shares_of_continuous_classes_are_exact(stride: int) -> None:
    labels = np.random.default_rng(0).integers(0, 3, SHAPE).astype(np.uint8)
    maps = maker(stride=stride, classes=(BIG, MEMBRANE))(crop(labels=labels))
    for z, y, x in ((0, 0, 0), (3, 5, 2), (7, 11, 9)):
        block = labels[tuple(slice(stride * i, stride * (i + 1)) for i in (z, y, x))]
        for number in (1, 2):
            assert maps[number - 1, z, y, x] == pytest.approx((block == number).mean())


def test_particles_and_membranes_are_both_drawn_though_a_membrane_has_no_radius() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, :, 15:] = 3
    classes = (BIG, SMALL, MEMBRANE)
    painted = maker("spheres", classes=classes)(crop((8, 8, 12), labels=labels))
    assert painted[8, 8, 12] == 1
    assert painted[8, 8, 15] == 1  # a particle wins over what runs on behind it
    assert painted[0, 0, 17] == 3
    maps = maker(classes=classes)(crop((8, 8, 12), labels=labels))
    assert maps[0].sum() == pytest.approx(1.0, abs=1e-3)
    assert (maps[2] == (labels == 3)).all()


def test_particle_without_radius_is_one_line_for_spheres() -> None:
    nameless = PickableObject("odd", 3, None)
    with pytest.raises(MetadataError, match="object odd has radius None"):
        maker("spheres", classes=(nameless,))(crop((8, 8, 8)))
