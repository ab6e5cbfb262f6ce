"""A crude reconstruction, independent of the package's own, by which tests judge poses."""

import numpy as np

from icelens.core.data.particles import Particles


def back_projection(particles: Particles, images: np.ndarray) -> np.ndarray:
    """Mean of the images' transforms on the planes of their poses, by nearest neighbours."""
    side = images.shape[-1]
    k = np.fft.fftshift(np.fft.fftfreq(side, 1 / side))
    ky, kx = np.meshgrid(k, k, indexing="ij")
    shift = particles.shift_yx / particles.pixel_size()[:, None]
    phase = ky * shift[:, 0, None, None] + kx * shift[:, 1, None, None]
    centred = np.fft.ifftshift(images, axes=(1, 2))
    planes = np.fft.fftshift(np.fft.fft2(centred), axes=(1, 2)) * np.exp(-2j * np.pi * phase / side)
    is_inside = np.hypot(ky, kx) < side // 2 - 1
    frequency = np.stack([kx[is_inside], ky[is_inside]], axis=-1)
    total, count = np.zeros((side,) * 3, complex), np.zeros((side,) * 3)
    for plane, rotation in zip(planes, particles.rotation, strict=True):
        x, y, z = (np.rint(frequency @ rotation[:2]).astype(int) + side // 2).T
        np.add.at(total, (z, y, x), plane[is_inside])
        np.add.at(count, (z, y, x), 1.0)
    volume = np.fft.ifftn(np.fft.ifftshift(total / np.maximum(count, 1.0))).real
    return np.fft.fftshift(volume)


def fourier_shell_correlation(volume: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """By shell from 0, within a soft sphere."""
    side = len(truth)
    radius = np.sqrt(((np.indices((side,) * 3) - side // 2) ** 2).sum(0))
    sphere = np.clip((side / 2 - 2 - radius) / 3, 0, 1)
    a, b = (np.fft.fftshift(np.fft.fftn(np.fft.ifftshift(v * sphere))) for v in (volume, truth))
    shell = np.rint(radius).astype(int)
    cross, aa, bb = (
        np.bincount(shell.ravel(), (p * q.conj()).real.ravel())[: side // 2]
        for p, q in ((a, b), (a, a), (b, b))
    )
    return cross / np.sqrt(aa * bb)
