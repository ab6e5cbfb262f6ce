"""Connected components of equal labels, at a cost that follows the labelled voxels only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Labels = npt.NDArray[np.integer[Any]] | npt.NDArray[np.bool_]
Voxels = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Component:
    """Voxels of one label that hang together by their faces: indices (3, voxel) along z, y, x."""

    label: int
    zyx: Voxels


def label_components(labels: Labels) -> Iterator[Component]:
    """Every connected component of every label but 0, by its first voxel.

    Voxels that share a face belong together if their labels are equal. Rows of labelled voxels
    are joined as a graph; nothing of the volume's size is made.
    """
    voxels, values = _labelled(labels)
    if not len(voxels):
        return
    _, num_y, num_x = labels.shape
    begins_row = np.ones(len(voxels), bool)
    begins_row[1:] = (np.diff(voxels) != 1) | (np.diff(values) != 0) | (voxels[1:] % num_x == 0)
    row = np.cumsum(begins_row) - 1
    below = _joined(voxels, values, row, num_x * num_y)
    is_last_y = voxels // num_x % num_y == num_y - 1
    beside = _joined(voxels, values, row, num_x, leave_out=is_last_y)
    pairs = np.concatenate([below, beside], axis=1)
    num_rows = int(row[-1]) + 1
    graph = coo_array((np.ones(pairs.shape[1], bool), tuple(pairs)), shape=(num_rows, num_rows))
    _, component_of_row = connected_components(graph, directed=False)
    component = component_of_row[row]
    order = np.argsort(component, kind="stable")
    zyx = np.array(np.unravel_index(voxels[order], labels.shape), np.intp)
    ends = np.cumsum(np.bincount(component)).tolist()
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        yield Component(int(values[order[begin]]), zyx[:, begin:end])


def _labelled(labels: Labels) -> tuple[Voxels, npt.NDArray[np.int64]]:
    """Flat indices, ascending, and labels of all voxels that are not 0."""
    found, plane = [np.empty(0, np.intp)], labels.shape[1] * labels.shape[2]
    for z, section in enumerate(labels):
        # Most sections of most volumes hold little, and `any` stops at the first label.
        if section.any():
            found.append(np.flatnonzero(section) + z * plane)
    voxels = np.concatenate(found)
    return voxels, labels.reshape(-1)[voxels].astype(np.int64)


def _joined(
    voxels: Voxels,
    values: npt.NDArray[np.int64],
    row: Voxels,
    step: int,
    *,
    leave_out: npt.NDArray[np.bool_] | None = None,
) -> Voxels:
    """Pairs (2, pair) of rows that share a label across a `step` of the flat index."""
    place = np.minimum(np.searchsorted(voxels, voxels + step), len(voxels) - 1)
    is_joined = (voxels[place] == voxels + step) & (values[place] == values)
    if leave_out is not None:
        is_joined &= ~leave_out
    pairs = np.stack([row[is_joined], row[place[is_joined]]])
    is_new = np.ones(pairs.shape[1], bool)
    is_new[1:] = (np.diff(pairs, axis=1) != 0).any(axis=0)
    return pairs[:, is_new]
