"""Fill a slab of ice with molecules that do not overlap, and remember what is where."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.geometry.rotations import random_rotations
from icelens.core.simulate.placing import dilated, free_corner, overlap
from icelens.core.simulate.structures import Structure
from icelens.core.simulate.turning import prepared, rotated

# A voxel belongs to a molecule where its density passes this part of its maximum.
ENVELOPE = 0.2


@dataclass(frozen=True)
class Species:
    """One kind of molecule: density with protein = 1 in the specimen's voxels, centred."""

    name: str
    density: Float[Tensor, "z y x"]
    symmetry: str = "C1"


@dataclass(frozen=True)
class Specimen:
    """The truth: density (protein = 1, ice = 0), labels (0 = ice) and where each molecule sits.

    `position_zyx_px` counts voxels from the centre of voxel (0, 0, 0); `rotation` takes the
    molecule to the tomogram. Pick `i` is of species number `species[i]`; its class label is
    `species[i] + 1` and its instance label `i + 1`. Labels of membranes and gold follow those of
    the molecules.
    """

    density: Float[Tensor, "z y x"]
    class_labels: Int[Tensor, "z y x"]
    instance_labels: Int[Tensor, "z y x"]
    position_zyx_px: Float[Tensor, "particle 3"]
    rotation: Float[Tensor, "particle 3 3"]
    species: Int[Tensor, " particle"]

    @property
    def occupancy(self) -> float:
        """Part of the volume that is not ice."""
        return float((self.class_labels > 0).float().mean())


def crowd(
    species: Sequence[Species],
    shape: tuple[int, int, int],
    num_particles: int,
    generator: torch.Generator,
    *,
    structures: Sequence[Structure] = (),
    allow_fewer: bool = False,
    on_event: OnEvent = ignore,
) -> Specimen:
    """Place molecules of all species in equal numbers, anywhere and in any orientation.

    Args:
        species: At least one.
        shape: Voxels (z, y, x).
        num_particles: Of all species together.
        generator: Source of randomness.
        structures: Membranes and gold, which are there before the molecules.
        allow_fewer: Leave out molecules that find no room, as long as some do.
        on_event: Hears one `Progress` for each molecule.

    Raises:
        GeometryError: If there is no species, or no room for so many molecules.
    """
    if not species:
        raise GeometryError("no species to place; give at least one molecule")
    canvas = _Canvas(shape)
    kinds = _kinds(species, num_particles)
    rotations = random_rotations(num_particles, generator)
    offsets_zyx = torch.rand(num_particles, 3, generator=generator) - 0.5
    for number, structure in enumerate(structures):
        label = len(species) + 1 + structure.kind
        canvas.add((0, 0, 0), structure.density, structure.mask, label, num_particles + 1 + number)
    fine = [prepared(kind.density) for kind in species]
    positions = torch.zeros(num_particles, 3)
    placed: list[int] = []
    for index, kind in enumerate(kinds.tolist()):
        box = rotated(fine[kind], rotations[index], offsets_zyx[index])
        mask = envelope(box)
        corner = free_corner(canvas.occupied, dilated(mask), generator)
        if corner is not None:
            placed.append(index)
            canvas.add(corner, box, mask, kind + 1, len(placed))
            positions[index] = torch.tensor(corner) + box.shape[0] // 2 + offsets_zyx[index]
        elif not allow_fewer:
            break
        on_event(Progress("place molecules", index + 1, num_particles, "molecule"))
    if not placed or (len(placed) < num_particles and not allow_fewer):
        raise GeometryError(
            f"found room for {len(placed)} of {num_particles} molecules in {shape} voxels "
            "(z, y, x); ask for fewer particles, smaller molecules or a larger shape"
        )
    return Specimen(
        canvas.density,
        canvas.classes,
        canvas.instances,
        positions[placed],
        rotations[placed],
        kinds[placed],
    )


def envelope(density: Float[Tensor, "z y x"]) -> Bool[Tensor, "z y x"]:
    """Voxels that belong to the molecule."""
    return density > ENVELOPE * density.max()


def radius_px(density: Float[Tensor, "z y x"]) -> float:
    """Radius of the sphere about the middle voxel that holds the molecule, in voxels.

    Its surface is where the density has fallen to half of that of protein, which is 1.
    """
    inside = (density > 0.5).nonzero().float()
    middle = torch.tensor([float(side // 2) for side in density.shape])
    return max(float((inside - middle).norm(dim=1).max()), 0.5)


def _kinds(species: Sequence[Species], num_particles: int) -> Int[Tensor, " particle"]:
    """Species of each molecule, the largest first: only small ones would find a gap."""
    kinds = torch.arange(num_particles) % len(species)
    num_voxels = torch.tensor([int(envelope(kind.density).sum()) for kind in species])
    return kinds[torch.argsort(num_voxels[kinds], descending=True, stable=True)]


class _Canvas:
    """Density, labels and occupied voxels while the specimen fills up."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.density = torch.zeros(shape)
        self.occupied = torch.zeros(shape, dtype=torch.bool)
        self.classes = torch.zeros(shape, dtype=torch.int16)
        self.instances = torch.zeros(shape, dtype=torch.int16)

    def add(
        self,
        corner: Sequence[int],
        box: Float[Tensor, "z y x"],
        mask: Bool[Tensor, "z y x"],
        class_label: int,
        instance_label: int,
    ) -> None:
        """Put a density at a corner and label the voxels of its mask."""
        window, inner = overlap(corner, box.shape, self.density.shape)
        inside = mask[inner]
        self.density[window] += box[inner]
        self.occupied[window] |= inside
        self.classes[window][inside] = class_label
        self.instances[window][inside] = instance_label
