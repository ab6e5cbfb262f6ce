"""Transfer and aberration phases of particle images, each with its own defocus and optics group.

A group with anisotropic magnification sees the frequency `M k` where an undistorted image would
have `k`; CTF and phases are those of `M k`, and so is the place of a sample in the reference.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.optics.aberrations import (
    beam_tilt_phase,
    even_zernike_phase,
    odd_zernike_phase,
)
from icelens.core.optics.ctf import electron_wavelength

Device = torch.device | str


def particle_ctf(
    particles: Particles,
    rows: npt.ArrayLike,
    *,
    box_size: int,
    pixel_size: float,
    device: Device = "cpu",
) -> Float[Tensor, "row y x_half"]:
    """CTF of some images, rfft order.

    Astigmatism, phase plate, B-factor, scale, even Zernike polynomials and anisotropic
    magnification are in it; for images that were multiplied by their CTF it is the CTF all the
    same, for those whose phases were flipped its absolute value. The defocus at an angle `a` from x
    towards y is `(U + V) / 2 + (U - V) / 2 cos 2(a - A)`.

    Args:
        particles: All images.
        rows: Numbers of the images.
        box_size: Side of the grid to compute on, in px; not necessarily that of the images.
        pixel_size: Of that grid, in Å/px.
        device: Where to compute.

    References:
        RELION's `CTF::getCTF`; Rohou & Grigorieff, J. Struct. Biol. 192 (2015), eqs 2-5.
    """
    rows = np.atleast_1d(np.asarray(rows))
    parts = [
        (places, _group_ctf(particles, group, rows[places], box_size, pixel_size, device))
        for group, places in _by_group(particles, rows)
    ]
    if len(parts) == 1:
        return parts[0][1]
    total = torch.empty(len(rows), box_size, box_size // 2 + 1, device=device)
    for places, values in parts:
        total[torch.as_tensor(places, device=device)] = values
    return total


def aberration_phases(
    particles: Particles,
    rows: npt.ArrayLike,
    *,
    box_size: int,
    pixel_size: float,
    device: Device = "cpu",
) -> Complex[Tensor, "row y x_half"] | None:
    """Unit phases that beam tilt and odd Zernike polynomials gave to images; None if to none.

    The images carry them: `corrected = image_rfft * phases.conj()`.

    Args:
        particles: All images.
        rows: Numbers of the images.
        box_size: Side of the grid to compute on, in px.
        pixel_size: Of that grid, in Å/px.
        device: Where to compute.
    """
    rows = np.atleast_1d(np.asarray(rows))
    groups = list(_by_group(particles, rows))
    if not any(any(group.beam_tilt_xy) or any(group.odd_zernike) for group, _ in groups):
        return None
    phases = torch.empty(len(rows), box_size, box_size // 2 + 1, device=device)
    for group, places in groups:
        frequency_x, frequency_y = _frequencies(group, box_size, pixel_size)
        phase = odd_zernike_phase(group.odd_zernike, frequency_x, frequency_y) + beam_tilt_phase(
            group.beam_tilt_xy,
            frequency_x,
            frequency_y,
            voltage=group.voltage,
            spherical_aberration=group.spherical_aberration,
        )
        phases[torch.as_tensor(places, device=device)] = phase.to(phases)
    return torch.polar(torch.ones_like(phases), phases)


def slice_axes(
    particles: Particles, rows: npt.ArrayLike, *, box_size: int, pixel_size: float
) -> npt.NDArray[np.float64]:
    """Where the samples of images lie in the transform of a map, `(row, 3, 3)`.

    A sample `(k_x, k_y)`, in cycles per box of its image, lies at `k_x` times row 0 plus `k_y`
    times row 1, in cycles per box of the map. For a map with the images' box and pixel size these
    are the rotations, but for anisotropic magnification (`M^T R`).

    Args:
        particles: All images.
        rows: Numbers of the images.
        box_size: Side of the map, in px.
        pixel_size: Of the map, in Å/px.
    """
    rows = np.atleast_1d(np.asarray(rows))
    scale = box_size * pixel_size / (particles.box_size() * particles.pixel_size())[rows]
    matrices = np.asarray([group.magnification for group in particles.optics]).reshape(-1, 2, 2)
    axes: npt.NDArray[np.float64] = particles.rotation[rows].copy()
    transposed = np.swapaxes(matrices[particles.optics_index[rows]], 1, 2)
    axes[:, :2] = scale[:, None, None] * (transposed @ axes[:, :2])
    return axes


def _by_group(
    particles: Particles, rows: npt.NDArray[np.int64]
) -> Iterator[tuple[OpticsGroup, npt.NDArray[np.int64]]]:
    """Each optics group among the rows, with the places in `rows` that belong to it."""
    index = particles.optics_index[rows]
    for group in np.unique(index):
        yield particles.optics[group], np.flatnonzero(index == group)


def _frequencies(
    group: OpticsGroup, box_size: int, pixel_size: float
) -> tuple[Float[Tensor, "y x_half"], Float[Tensor, "y x_half"]]:
    """True frequencies x and y in 1/Å of the samples of a group's images, in float64."""
    y = torch.fft.fftfreq(box_size, d=pixel_size, dtype=torch.float64)[:, None]
    x = torch.fft.rfftfreq(box_size, d=pixel_size, dtype=torch.float64)
    m00, m01, m10, m11 = group.magnification
    return m00 * x + m01 * y, m10 * x + m11 * y


def _group_ctf(
    particles: Particles,
    group: OpticsGroup,
    rows: npt.NDArray[np.int64],
    box_size: int,
    pixel_size: float,
    device: Device,
) -> Float[Tensor, "row y x_half"]:
    frequency_x, frequency_y = _frequencies(group, box_size, pixel_size)
    k2 = frequency_x**2 + frequency_y**2
    wavelength = electron_wavelength(group.voltage)
    shared = -0.5 * math.pi * group.spherical_aberration * 1e7 * wavelength**3 * k2**2
    shared = shared - even_zernike_phase(group.even_zernike, frequency_x, frequency_y)
    shared = shared + math.asin(group.amplitude_contrast)
    # k2, k2 cos 2a, k2 sin 2a: a defocus with astigmatism is a sum of them
    basis = torch.stack([k2, frequency_x**2 - frequency_y**2, 2.0 * frequency_x * frequency_y])
    weights = torch.from_numpy(_defocus_weights(particles, rows)) * (math.pi * wavelength)
    constant = torch.from_numpy(np.deg2rad(particles.phase_shift[rows]))
    # one product gives all phases: the columns beside the basis are what the images share
    basis = torch.cat([basis, shared[None], torch.ones_like(k2)[None]]).flatten(1)
    weights = torch.cat([weights, torch.ones(len(rows), 1), constant[:, None]], dim=1)
    phase = weights.float().to(device) @ basis.float().to(device)
    transfer = phase.sin_().reshape(len(rows), *k2.shape)
    if group.is_phase_flipped:
        transfer = transfer.abs_()
    if particles.b_factor[rows].any():
        b_factor = torch.from_numpy(particles.b_factor[rows])[:, None, None].float().to(device)
        transfer *= torch.exp(-0.25 * b_factor * k2.float().to(device))
    if (particles.ctf_scale[rows] != 1.0).any():
        transfer *= torch.from_numpy(particles.ctf_scale[rows])[:, None, None].float().to(device)
    return transfer


def _defocus_weights(particles: Particles, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Mean defocus and its cosine and sine parts, `(row, 3)` in Å."""
    mean = 0.5 * (particles.defocus_u[rows] + particles.defocus_v[rows])
    half_difference = 0.5 * (particles.defocus_u[rows] - particles.defocus_v[rows])
    twice_angle = 2.0 * np.deg2rad(particles.astigmatism_angle[rows])
    cosine, sine = np.cos(twice_angle), np.sin(twice_angle)
    return np.stack([mean, half_difference * cosine, half_difference * sine], axis=1)
