"""Groups of particles with similar latents by k-means, numbered from 1 along their similarity."""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import leaves_list, linkage
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_MOST_TO_LEARN_FROM = 100_000
"""Particles that centres are learnt from: more move them by less than the clusters' own width."""
_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Clusters:
    """Particles in groups.

    Attributes:
        label: `(particle,)` number of the group, from 1.
        centre: `(cluster, latent_dim)` mean of those of each group that have a say.
        particle: `(cluster,)` place of the member that lies nearest to the mean: a latent that some
            image really has, where the mean may lie between particles.
    """

    label: Integers
    centre: Floats
    particle: Integers

    def __len__(self) -> int:
        """Number of groups."""
        return len(self.centre)

    def sizes(self) -> Integers:
        """Members of each group `(cluster,)`."""
        return np.bincount(self.label, minlength=len(self) + 1)[1:].astype(np.int64)


def k_means(
    latent: Floats,
    count: int,
    *,
    learnt_from: npt.NDArray[np.bool_] | None = None,
    seed: int = 0,
) -> Clusters:
    """Part latents into groups about their means; neighbours in number are neighbours in space.

    No array of clusters times particles is made. There are fewer groups than asked for where there
    are fewer different latents.

    Args:
        latent: `(particle, latent_dim)`, finite.
        count: Groups, 1 or more.
        learnt_from: `(particle,)` which have a say in where the groups are; the others only join
            the nearest. Else a few particles far away from all would each get a group.
        seed: Of the first centres.
    """
    teaches = np.ones(len(latent), bool) if learnt_from is None else learnt_from
    teachers = np.flatnonzero(teaches if teaches.any() else ~teaches)
    if len(teachers) > _MOST_TO_LEARN_FROM:
        rng = np.random.default_rng(seed)
        teachers = rng.choice(teachers, _MOST_TO_LEARN_FROM, replace=False)
    model = KMeans(min(count, len(teachers)), n_init=1, max_iter=_ROUNDS, random_state=seed)
    with warnings.catch_warnings():
        # fewer different latents than groups: the empty groups are left out below
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(np.ascontiguousarray(latent[teachers]))
    label = model.predict(np.ascontiguousarray(latent)).astype(np.int64)
    used = np.unique(label[teachers])
    if len(used) <= int(label.max()):
        # groups without a teacher: their members join the nearest of the others
        label = used[_nearest(latent, model.cluster_centers_[used])]
    taught, members = latent[teachers], label[teachers]
    centre = np.stack([taught[members == number].mean(axis=0) for number in used])
    order = similar_order(centre)
    new_number = np.zeros(int(used.max()) + 1, np.int64)
    new_number[used[order]] = np.arange(1, len(used) + 1)
    label, centre = new_number[label], centre[order]
    return Clusters(label, centre, _nearest_members(latent, label, centre))


def _nearest(latent: Floats, centre: Floats) -> Integers:
    """Place of the nearest centre `(particle,)`, one centre after the other."""
    best = np.full(len(latent), np.inf)
    place = np.zeros(len(latent), np.int64)
    for number, middle in enumerate(centre):
        squared = ((latent - middle) ** 2).sum(axis=1)
        is_nearer = squared < best
        place[is_nearer], best[is_nearer] = number, squared[is_nearer]
    return place


def similar_order(centre: Floats) -> Integers:
    """Order `(cluster,)` in which neighbours are alike: leaves of a tree of average linkage.

    The branches are turned so that the way from the first leaf to the last is shortest (Bar-Joseph
    et al., Bioinformatics 2001).
    """
    if len(centre) < 3:
        return np.arange(len(centre))
    tree = linkage(centre, method="average", optimal_ordering=True)
    return np.asarray(leaves_list(tree), np.int64)


def _nearest_members(latent: Floats, label: Integers, centre: Floats) -> Integers:
    nearest = np.empty(len(centre), np.int64)
    for number, middle in enumerate(centre, start=1):
        members = np.flatnonzero(label == number)
        squared = ((latent[members] - middle) ** 2).sum(axis=1)
        nearest[number - 1] = members[int(squared.argmin())]
    return nearest
