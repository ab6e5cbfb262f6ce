"""Principal components of volumes within a mask, worked out from their scalar products.

Fitting and applying share one preparation: a volume is multiplied by the mask and the voxels where
that is 0 are left out. Nothing is clipped, inverted or scaled, so that contrast is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.floating]

_VALUES_AT_ONCE = 1 << 23
"""Of all volumes together: bounds the memory, whatever the number of volumes."""
_ROUNDING = 1e-6
"""Relative deviation of volumes below which they differ by rounding only."""


@dataclass(frozen=True, eq=False)
class VolumeProducts:
    """Scalar products of masked volumes about their mean.

    Attributes:
        mask: `(z, y, x)` from 0 to 1.
        mean: `(voxel,)` of the masked volumes, for voxels where the mask is above 0.
        products: `(state, state)`.
    """

    mask: npt.NDArray[np.float32]
    mean: Floats
    products: Floats

    def distances(self) -> Floats:
        """Root of the summed squared difference of each two masked volumes, `(state, state)`."""
        own = np.diag(self.products)
        squared = own[:, None] + own - 2.0 * self.products
        np.fill_diagonal(squared, 0.0)
        root: Floats = np.sqrt(np.maximum(squared, 0.0))
        return root


@dataclass(frozen=True, eq=False)
class VolumePCA:
    """Directions in which masked volumes vary most.

    Attributes:
        mask: `(z, y, x)` from 0 to 1.
        mean: `(voxel,)` of the masked volumes, where the mask is above 0.
        components: `(component, voxel)`, orthonormal; the largest value of each is positive.
        variance: `(component,)` of the coordinates, weighted as in the fit.
        total_variance: Of all voxels together.
    """

    mask: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]
    components: npt.NDArray[np.float32]
    variance: Floats
    total_variance: float

    @property
    def explained(self) -> Floats:
        """Share of the variance along each component."""
        return self.variance / self.total_variance

    def coordinates(self, volumes: Values) -> Floats:
        """Coordinates of volumes `(state, z, y, x)`: `(state, component)`.

        Raises:
            GeometryError: If the volumes lie on another grid.
        """
        _check_grid(volumes, self.mask)
        values = np.asarray(volumes, np.float32)[:, self.mask > 0] * self.mask[self.mask > 0]
        found: Floats = ((values - self.mean) @ self.components.T).astype(np.float64)
        return found

    def volume(self, coordinates: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The masked volume at coordinates `(component,)`; fewer than there are count as 0."""
        given = np.asarray(coordinates, np.float32)
        filled = np.zeros(self.mask.shape, np.float32)
        filled[self.mask > 0] = self.mean + given @ self.components[: len(given)]
        return filled

    def component(self, number: int) -> npt.NDArray[np.float32]:
        """Component `number`, from 0, as a map of length 1."""
        filled = np.zeros(self.mask.shape, np.float32)
        filled[self.mask > 0] = self.components[number]
        return filled


def volume_products(volumes: Values, mask: npt.NDArray[np.float32]) -> VolumeProducts:
    """Multiply each two masked volumes; memory is bounded though `volumes` may be a file.

    Args:
        volumes: `(state, z, y, x)`, in memory or memory-mapped.
        mask: `(z, y, x)` from 0 to 1.

    Raises:
        GeometryError: If the mask is empty, on another grid, or the volumes are not finite.
    """
    _check_grid(volumes, mask)
    index = _inside(mask)
    products = np.zeros((len(volumes), len(volumes)))
    mean = np.empty(len(index))
    for part, values in _pieces(volumes, mask, index):
        mean[part] = values.mean(axis=0)
        centred = values - mean[part]
        products += centred @ centred.T
    if not np.isfinite(products).all():
        raise GeometryError("volumes hold values that are not finite; decode them again")
    return VolumeProducts(mask, mean, products)


def fit_volume_pca(
    volumes: Values,
    products: VolumeProducts,
    *,
    num_components: int,
    weight: npt.ArrayLike | None = None,
) -> VolumePCA:
    """Principal components of the volumes of which `products` are.

    Args:
        volumes: `(state, z, y, x)`, those of `products`.
        products: From `volume_products`.
        num_components: At most so many; fewer where the volumes span fewer.
        weight: `(state,)` how many particles each stands for; alike without it.

    Raises:
        GeometryError: If all volumes are alike.
    """
    count = len(volumes)
    share = np.ones(count) if weight is None else np.asarray(weight, np.float64)
    share = share / share.sum()
    centred = products.products - share @ products.products
    centred = centred - (centred @ share)[:, None]
    root = np.sqrt(share)
    values, vectors = np.linalg.eigh(root[:, None] * centred * root)
    values, vectors = values[::-1], vectors[:, ::-1]
    power = float(products.mean @ products.mean) + values[0]
    total = float(np.clip(values, 0.0, None).sum())
    if not total > _ROUNDING**2 * power:
        raise GeometryError(
            f"{count} volumes are alike within the mask: nothing to analyse; train longer, or give "
            "a mask of what should move"
        )
    kept = min(num_components, int((values > 1e-9 * values[0]).sum()))
    mixing = vectors[:, :kept].T * root / np.sqrt(values[:kept, None])
    return _assembled(volumes, products, share, mixing, values[:kept].copy(), total)


def _assembled(
    volumes: Values,
    products: VolumeProducts,
    share: Floats,
    mixing: Floats,
    variance: Floats,
    total: float,
) -> VolumePCA:
    """Mean and components from how the volumes are mixed into them, `(component, state)`."""
    index = _inside(products.mask)
    mean = np.empty(len(index), np.float32)
    components = np.empty((len(mixing), len(index)), np.float32)
    for part, values in _pieces(volumes, products.mask, index):
        middle = share @ values
        mean[part] = middle
        components[:, part] = mixing @ (values - middle)
    largest = np.abs(components).argmax(axis=1)
    components *= np.sign(components[np.arange(len(components)), largest])[:, None]
    return VolumePCA(products.mask, mean, components, variance, total)


def _pieces(
    volumes: Values, mask: npt.NDArray[np.float32], index: npt.NDArray[np.int64]
) -> Iterator[tuple[slice, Floats]]:
    """Masked values of some voxels of all volumes after the other, `(state, voxel)`."""
    flat = volumes.reshape(len(volumes), -1)
    factor = mask.ravel()[index]
    step = max(1, _VALUES_AT_ONCE // len(volumes))
    for start in range(0, len(index), step):
        part = slice(start, min(start + step, len(index)))
        yield part, flat[:, index[part]].astype(np.float64) * factor[part]


def _inside(mask: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    return np.flatnonzero(mask.ravel() > 0)


def _check_grid(volumes: Values, mask: npt.NDArray[np.float32]) -> None:
    if volumes.ndim != 4 or volumes.shape[1:] != mask.shape:
        raise GeometryError(
            f"volumes of shape {volumes.shape} for a mask of {mask.shape}; bring both to one grid"
        )
    if not (mask > 0).any():
        raise GeometryError("the mask keeps no voxel; give one of the particle")
