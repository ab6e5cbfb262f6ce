"""Agglomerative clusters of things of which the distances are known, numbered by their size."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Linkage = Literal["average", "complete", "single", "ward"]


def agglomerative_labels(distance: Floats, num_clusters: int, *, method: Linkage) -> Integers:
    """Join what is nearest until so many clusters are left.

    Args:
        distance: `(thing, thing)`, Euclidean for `ward`.
        num_clusters: Clusters that are left, or as many as there are things.
        method: How far two clusters are from each other: by the mean, the largest or the smallest
            distance of their things, or by what joining adds to the sum of squares.

    Returns:
        `(thing,)` from 1, in no particular order.

    Raises:
        GeometryError: If the distances are not those of things to each other.
    """
    if distance.ndim != 2 or distance.shape[0] != distance.shape[1] or not len(distance):
        raise GeometryError(f"distances of shape {distance.shape}, expected (thing, thing)")
    if len(distance) == 1:
        return np.ones(1, np.int64)
    tree = linkage(squareform(distance, checks=False), method)
    return np.asarray(fcluster(tree, num_clusters, criterion="maxclust"), np.int64)


def numbered_by_size(labels: Integers, weight: npt.ArrayLike) -> Integers:
    """The same classes, number 1 the heaviest; of equal ones the first to appear.

    Args:
        labels: `(thing,)` any whole numbers.
        weight: `(thing,)` what each counts.
    """
    _, first, place = np.unique(labels, return_index=True, return_inverse=True)
    place = place.ravel()
    total = np.bincount(place, np.asarray(weight, np.float64))
    order = np.lexsort((first, -total))
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(1, len(order) + 1)
    return number[place]
