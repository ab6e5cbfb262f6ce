"""cryoDRGN's decoder evaluated in NumPy from the published formulas, for comparison.

Zhong et al., Nature Methods 18 (2021); Levy et al., arXiv 2022 (Hartley, Gaussian features). Names
and shapes of parameters are those of its files.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class ReferenceDecoder:
    """Hartley values at points and volumes on the lattice, for one latent at a time."""

    def __init__(self, weights: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        """Take a state dict of the decoder (names without a prefix) and a `config.yaml`."""
        self.box = config["lattice_args"]["D"] - 1
        self.extent = config["lattice_args"]["extent"]
        model = config["model_args"]
        self.encoding, self.domain = model["pe_type"], model["domain"]
        self.count = model["pe_dim"] or self.box // 2
        self.slope = 0.01 if model.get("activation") == "leaky_relu" else 0.0
        if "data_norm_mean" in config:
            self.mean, self.std = config["data_norm_mean"], config["data_norm_std"]
        else:
            self.mean, self.std = config["dataset_args"]["norm"]
        self.values = {name: np.asarray(value, np.float64) for name, value in weights.items()}

    def features(self, points: Floats) -> Floats:
        """Positional encoding of lattice coordinates `(point, 3)`."""
        n, e = float(self.box), self.count
        if self.encoding == "none":
            return points
        if self.encoding == "gaussian":
            phase = points @ (self.values["rand_freqs"] * (n / 2)).T
            return np.concatenate([np.sin(phase), np.cos(phase)], axis=1)
        part = np.arange(e) / (e - 1)
        lengths = {
            "geom_ft": n * np.pi * (2 / n) ** part,
            "geom_full": n * np.pi * (1 / (n * np.pi)) ** part,
            "geom_lowf": n / 2 * (2 / n) ** part,
            "geom_nohighf": n / 2 * (4 * np.pi / n) ** part,
            "linear_lowf": np.arange(1, e + 1),
        }[self.encoding]
        # along each axis first all sines, then all cosines
        parts = [f(points[:, [axis]] * lengths) for axis in range(3) for f in (np.sin, np.cos)]
        return np.concatenate(parts, axis=1)

    def network(self, points: Floats, latent: Floats) -> Floats:
        """Outputs `(point, 1 or 2)`."""
        repeated = np.broadcast_to(latent, (len(points), len(latent)))
        hidden = np.concatenate([self.features(points), repeated], axis=1)
        numbers = sorted({int(word) for name in self.values for word in name.split(".")
                          if word.isdigit()})  # fmt: skip
        for number in numbers:
            (weight,) = [v for k, v in self.values.items()
                         if f"main.{number}." in k and k.endswith("weight")]  # fmt: skip
            (bias,) = [v for k, v in self.values.items()
                       if f"main.{number}." in k and k.endswith("bias")]  # fmt: skip
            is_residual = any(f"main.{number}.linear" in name for name in self.values)
            out = hidden @ weight.T + bias + (hidden if is_residual else 0.0)
            is_last = number == numbers[-1]
            hidden = out if is_last else np.where(out > 0, out, self.slope * out)
        return hidden

    def hartley(self, frequency_xyz: Floats, latent: Floats) -> Floats:
        """Coefficients of the volume at frequencies in cycles per pixel, in greys of images."""
        points = 2.0 * self.extent * np.asarray(frequency_xyz, np.float64)
        if self.domain == "hartley":
            return self.network(points, latent)[:, 0] * self.std + self.mean
        # the network knows half of the space, the other is its conjugate
        x, y, z = points.T
        is_mate = (z > 0) | ((z == 0) & ((y > 0) | ((y == 0) & (x > 0))))
        out = self.network(np.where(is_mate[:, None], -points, points), latent)
        imaginary = np.where(is_mate, -out[:, 1], out[:, 1])
        return (out[:, 0] - imaginary) * self.std + self.mean

    def fourier(self, frequency_xyz: Floats, latent: Floats) -> npt.NDArray[np.complex128]:
        """Fourier coefficients, phase origin at the centre voxel."""
        here = self.hartley(frequency_xyz, latent)
        there = self.hartley(-np.asarray(frequency_xyz), latent)
        return 0.5 * (here + there) + 0.5j * (there - here)

    def volume(self, latent: Floats, radius: float | None = None) -> Floats:
        """Density `(z, y, x)`: the lattice within a sphere (in px), and its inverse transform."""
        n = self.box
        axis = (np.arange(n) - n // 2) / n
        z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
        points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
        is_known = np.linalg.norm(points, axis=1) <= (n / 2 if radius is None else radius) / n
        values = np.zeros(n**3)
        values[is_known] = self.hartley(points[is_known], latent)
        lattice = values.reshape(n, n, n)
        spectrum = np.fft.fftshift(np.fft.fftn(np.fft.ifftshift(lattice))) / n**3
        return np.asarray(spectrum.real - spectrum.imag)
