"""Components of volumes are those of a singular value decomposition, and keep contrast."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.volumes import volume_pca
from icelens.core.volumes.volume_pca import fit_volume_pca, volume_products

SIZE = 8


@pytest.fixture
def volumes() -> np.ndarray:
    generator = np.random.default_rng(1)
    return generator.standard_normal((12, SIZE, SIZE, SIZE)).astype(np.float32) + 0.5


@pytest.fixture
def mask() -> np.ndarray:
    return np.random.default_rng(2).uniform(-0.5, 1.0, (SIZE,) * 3).clip(0).astype(np.float32)


def masked(volumes, mask):
    return (volumes * mask)[:, mask > 0].astype(np.float64)


@pytest.mark.parametrize("weight", [None, np.arange(1.0, 13.0)])
def test_components_are_those_of_a_decomposition(volumes, mask, weight, monkeypatch):
    monkeypatch.setattr(volume_pca, "_VALUES_AT_ONCE", 1000)  # many pieces
    pca = fit_volume_pca(volumes, volume_products(volumes, mask), num_components=4, weight=weight)
    share = np.ones(12) / 12 if weight is None else weight / weight.sum()
    values = masked(volumes, mask)
    centred = values - share @ values
    _, singular, rows = np.linalg.svd(np.sqrt(share)[:, None] * centred, full_matrices=False)
    assert pca.variance == pytest.approx(singular[:4] ** 2)
    assert pca.total_variance == pytest.approx((singular**2).sum())
    overlap = np.abs(pca.components @ rows[:4].T)
    assert overlap == pytest.approx(np.eye(4), abs=1e-4)  # single precision
    assert (pca.components.max(1) >= -pca.components.min(1)).all()


def test_fit_and_application_share_one_preparation(volumes, mask):
    pca = fit_volume_pca(volumes, volume_products(volumes, mask), num_components=11)
    found = pca.coordinates(volumes)
    assert found.mean(0) == pytest.approx(np.zeros(11), abs=1e-4)
    assert found.var(0) == pytest.approx(pca.variance, rel=1e-4)
    again = np.stack([pca.volume(each) for each in found])
    assert again == pytest.approx(volumes * mask, abs=1e-4)


def test_inverted_volumes_have_inverted_coordinates_about_the_mean(volumes, mask):
    pca = fit_volume_pca(volumes, volume_products(volumes, mask), num_components=3)
    middle = pca.coordinates(np.zeros((1, SIZE, SIZE, SIZE)))
    assert pca.coordinates(-volumes) - middle == pytest.approx(
        -(pca.coordinates(volumes) - middle), abs=1e-3
    )


def test_distances_are_those_of_masked_volumes(volumes, mask):
    values = masked(volumes, mask)
    direct = np.linalg.norm(values[:, None] - values, axis=-1)
    assert volume_products(volumes, mask).distances() == pytest.approx(direct, abs=1e-5)


def test_no_more_components_than_the_volumes_span(volumes, mask):
    few = volumes[[0, 1, 0, 1]]
    pca = fit_volume_pca(few, volume_products(few, mask), num_components=3)
    assert len(pca.components) == 1
    assert pca.explained == pytest.approx([1.0])


def test_component_as_a_map_has_length_one(volumes, mask):
    pca = fit_volume_pca(volumes, volume_products(volumes, mask), num_components=2)
    assert np.linalg.norm(pca.component(1)) == pytest.approx(1.0, abs=1e-5)


def test_volumes_that_are_alike_are_refused(volumes, mask):
    same = volumes[[0] * 5]
    with pytest.raises(GeometryError, match="alike"):
        fit_volume_pca(same, volume_products(same, mask), num_components=2)


def test_mask_of_another_grid_or_empty_is_refused(volumes, mask):
    with pytest.raises(GeometryError, match="one grid"):
        volume_products(volumes, mask[1:])
    with pytest.raises(GeometryError, match="no voxel"):
        volume_products(volumes, 0 * mask)


def test_volumes_that_are_not_finite_are_refused(volumes, mask):
    volumes[3, 4] = np.nan
    with pytest.raises(GeometryError, match="not finite"):
        volume_products(volumes, np.ones_like(mask))
