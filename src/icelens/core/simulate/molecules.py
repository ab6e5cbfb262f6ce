"""Molecules to put into a specimen, from atomic models or from density maps."""

from collections.abc import Mapping
from pathlib import Path

import gemmi
import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError
from icelens.core.simulate.atoms import read_atom_table
from icelens.core.simulate.potential import FormFactor, Points, potential
from icelens.core.simulate.specimen import ENVELOPE, Species

# h^2 / (2 pi m e) in V Å^2: from scattering factors in Å to volume integrals of potential.
POTENTIAL_PER_SCATTERING = 47.878
# Mean inner potential of vitreous ice, which every atom displaces (Vulović et al. 2013), in V.
SOLVENT_POTENTIAL = 4.5301
# What counts as density 1, in V: the median over the envelope of proteins in 10 Å voxels, where the
# 3 V of solid protein over ice are blurred (measured: 2.0 to 2.3 V for 1bxn, 3j9i, 1IHM).
PROTEIN_OVER_ICE = 2.1
# Å^3 displaced by one atom (Fraser, MacRae & Suzuki, J. Appl. Cryst. 11 (1978), table 1).
_DISPLACED = {"H": 5.15, "C": 16.44, "N": 2.49, "O": 9.13, "P": 5.73, "S": 19.86}
_DISPLACED_OTHER = 12.0
# Maps nearer to their centre than this stay as they are.
_CENTRED_PX = 0.02
B_FACTOR = 70.0
"""Of atoms in Å^2, unless another is asked for."""
# Hydrogens per heavy atom in an average protein, for models that leave them out.
_HYDROGENS = {"C": 1.2, "N": 1.1, "O": 0.15}


def species_from_model(path: Path, pixel_size: float, *, b_factor: float = B_FACTOR) -> Species:
    """Read a PDB or mmCIF file, build its first biological assembly and compute its potential.

    Args:
        path: `.pdb`, `.ent`, `.cif` or `.mmcif`, also `.gz`.
        pixel_size: Of the specimen, in Å/px.
        b_factor: Of all atoms, in Å^2.

    Raises:
        InputFileError: If the file is no atomic model.
    """
    atoms = read_atoms(path)
    name = path.name.split(".")[0]
    points = atom_points(atoms, b_factor=b_factor)
    return Species(name, potential(points, pixel_size) / PROTEIN_OVER_ICE)


def atom_points(
    atoms: Mapping[str, npt.NDArray[np.float32]],
    *,
    b_factor: float = B_FACTOR,
    has_hydrogens: bool | None = None,
) -> list[Points]:
    """Atoms with their form factors, less that of the ice that they displace.

    Args:
        atoms: Positions (atom, xyz) in Å by element.
        b_factor: Of all atoms, in Å^2.
        has_hydrogens: Whether hydrogens are among the atoms or stand for themselves only by the
            share that heavy atoms carry; seen from the atoms if left out.
    """
    explicit = "H" in atoms if has_hydrogens is None else has_hydrogens
    return [
        Points(
            torch.from_numpy(positions),
            _atom_form_factor(element, b_factor, has_hydrogens=explicit),
        )
        for element, positions in atoms.items()
    ]


def read_atoms(path: Path) -> dict[str, np.ndarray]:
    """Positions (atom, xyz) in Å of the first assembly's atoms by element; no water.

    Raises:
        InputFileError: If the file is missing, unreadable or holds no atoms.
    """
    return read_atom_table(path).by_element()


def species_from_map(name: str, volume: Volume, pixel_size: float) -> Species:
    """Take a density map as molecule, its grey scale set so that protein is 1.

    The scale is the median of the voxels above a fifth of the maximum; the sampling is changed to
    `pixel_size` by linear interpolation, after a Gaussian low-pass if voxels become larger. It is
    shifted so that its centre of mass lies on the centre voxel: that is what a picker can find, and
    maps of databases lie up to 10 Å beside it.

    Raises:
        GeometryError: If the map has no positive density.
    """
    density = torch.from_numpy(np.array(volume.array, dtype=np.float32))
    if not float(density.max()) > 0:
        raise GeometryError(f"{name}: expected a map with positive density (protein bright)")
    if abs(volume.pixel_size / pixel_size - 1.0) > 1e-3:
        density = _resampled(density, volume.pixel_size / pixel_size)
    return Species(name, normalised(recentred(density)))


def recentred(density: Float[Tensor, "z y x"]) -> Float[Tensor, "z2 y2 x2"]:
    """The density with the centre of mass of its envelope on voxel `n // 2`, in a box that fits."""
    inside = torch.where(density > ENVELOPE * density.max(), density, 0.0)
    places = torch.stack(torch.meshgrid(*map(torch.arange, density.shape), indexing="ij")).float()
    mass = (places * inside).sum(dim=(1, 2, 3)) / inside.sum()
    shift = torch.tensor([n // 2 for n in density.shape]) - mass
    if float(shift.norm()) < _CENTRED_PX:
        return density
    # as much on both sides, an even number of voxels in all: voxel n // 2 stays where it is
    margin = int(shift.abs().max().ceil()) + 1
    padded = torch.nn.functional.pad(density, [margin] * 6)
    spectrum = torch.fft.rfftn(padded)
    full = [torch.fft.fftfreq(n) for n in padded.shape[:2]]
    half = torch.fft.rfftfreq(padded.shape[2])
    turns = full[0][:, None, None] * shift[0] + full[1][:, None] * shift[1] + half * shift[2]
    moved: Tensor = torch.fft.irfftn(spectrum * torch.exp(-2j * torch.pi * turns), s=padded.shape)
    return moved


def normalised(density: Float[Tensor, "z y x"]) -> Float[Tensor, "z y x"]:
    """The density in units of the median over its envelope."""
    return density / density[density > ENVELOPE * density.max()].median()


def _atom_form_factor(element: str, b_factor: float, *, has_hydrogens: bool) -> FormFactor:
    """Potential of an atom and its implied hydrogens, less that of the ice they displace."""
    hydrogens = 0.0 if has_hydrogens else _HYDROGENS.get(element, 0.0)
    parts = [(element, 1.0), ("H", hydrogens)]

    def form_factor(k2: Tensor) -> Tensor:
        total = torch.zeros_like(k2)
        for name, count in parts:
            coefficients = gemmi.Element(name).c4322
            for a, b in zip(coefficients.a, coefficients.b, strict=True):
                # exp(-b s^2) with s = k / 2 (Peng et al., Acta Cryst. A52 (1996), eq. 3)
                scattering = a * torch.exp(-0.25 * (b + b_factor) * k2)
                total = total + count * POTENTIAL_PER_SCATTERING * scattering
            volume = _DISPLACED.get(name, _DISPLACED_OTHER)
            # A Gaussian of that volume, exp(-pi r^2 / V^(2/3)) (Fraser et al. 1978, eq. 2).
            ice = SOLVENT_POTENTIAL * volume * torch.exp(-torch.pi * volume ** (2 / 3) * k2)
            total = total - count * ice * torch.exp(-0.25 * b_factor * k2)
        return total

    return form_factor


def _resampled(density: Float[Tensor, "z y x"], factor: float) -> Float[Tensor, "n n n"]:
    """Sample a map `factor` times as finely by linear interpolation of its low-passed values."""
    if factor < 1.0:
        # Falls to exp(-1) at the new Nyquist frequency, as `potential` does.
        full = [torch.fft.fftfreq(n) ** 2 for n in density.shape[:2]]
        half = torch.fft.rfftfreq(density.shape[2]) ** 2
        k2 = full[0][:, None, None] + full[1][:, None] + half
        spectrum = torch.fft.rfftn(density) * torch.exp(-k2 * (2.0 / factor) ** 2)
        density = torch.fft.irfftn(spectrum, s=density.shape)
    counts = [2 * int(np.ceil(n * factor / 2)) for n in density.shape]
    axes = [
        ((torch.arange(count) - count // 2) / factor + n // 2) * 2.0 / (n - 1) - 1.0
        for count, n in zip(counts, density.shape, strict=True)
    ]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flip(-1)
    return torch.nn.functional.grid_sample(
        density[None, None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=True
    )[0, 0]
