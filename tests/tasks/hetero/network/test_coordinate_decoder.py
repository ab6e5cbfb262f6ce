"""Slices that a decoder makes are those of the volumes it makes."""

import itertools

import pytest
import torch
from hetero_networks import ENCODINGS, RADIUS, model, network
from hetero_world import BOX
from torch import Tensor

from icelens.core.fourier.crop import crop_volumes
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.fourier.transforms import volume_rfft
from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.hetero.network.coordinate_decoder import CoordinateDecoder
from icelens.tasks.hetero.network.hetero_network import HeteroNetwork

LATENT = torch.tensor([0.7, -1.2])


def decoder(made: HeteroNetwork) -> CoordinateDecoder:
    found = made.decoders[0]
    assert isinstance(found, CoordinateDecoder)
    return found


def slices(made: HeteroNetwork, axes: Tensor, latent: Tensor = LATENT) -> Tensor:
    places = torch.arange(len(made.samples.index))
    with torch.no_grad():
        parts = decoder(made)(latent.expand(len(axes), -1), axes, made.samples, places)
    return torch.view_as_complex(parts.contiguous())


def cube_rotations() -> Tensor:
    """The 24 that bring samples onto samples, the identity first."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = torch.zeros(3, 3)
            for row, column in enumerate(order):
                matrix[row, column] = signs[row]
            if torch.linalg.det(matrix) > 0:
                found.append(matrix)
    return torch.stack(found)


def from_volume(volume: Tensor, axes: Tensor, frequency_xy: Tensor) -> Tensor:
    """A volume's transform at whole frequencies."""
    full = torch.fft.fftn(torch.fft.ifftshift(volume))
    index = torch.einsum("rkx,ks->rxs", axes[:, :2], frequency_xy).round().long()
    x, y, z = (index[:, axis] % len(volume) for axis in range(3))
    return full[z, y, x]


@pytest.mark.parametrize("domain", ["fourier", "hartley"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_slices_are_those_of_the_decoded_volume(encoding: str, domain: str) -> None:
    settings = {"width": 16, "num_layers": 1, "encoding": encoding, "domain": domain}
    made = network(decoder_settings=settings)
    (volume,) = model(made).volumes(LATENT[None])
    axes = cube_rotations()
    expected = from_volume(volume, axes, made.samples.frequency_xy)
    found = slices(made, axes)
    assert float((found - expected).abs().max()) < 1e-3 * float(expected.abs().max())


@pytest.mark.parametrize("num_components", [0, 2])
def test_what_a_network_starts_from_is_in_slices_and_volumes_alike(num_components: int) -> None:
    start = "linear" if num_components else "map"
    made = network(start=start, num_components=num_components)
    part = decoder(made).start
    assert part is not None
    bare = network(seed=0)
    bare.decoders[0].load_state_dict(decoder(made).state_dict(), strict=False)
    density = part.volume(part.coefficients(LATENT[None])[0]).detach()
    axes = random_rotations(6, torch.Generator().manual_seed(2))
    added = slices(made, axes) - slices(bare, axes)
    expected = made.samples.of(central_slices(slice_source(density), axes))
    # the same interpolation on another grid
    assert float((added - expected).abs().max()) < 0.01 * float(expected.abs().max())
    (with_start,) = model(made).volumes(LATENT[None])
    (without,) = model(bare).volumes(LATENT[None])
    assert float((with_start - without - density).abs().max()) < 1e-4 * float(density.max())


def test_first_volumes_are_the_map_that_was_given() -> None:
    made = network(start="map")
    torch.nn.init.zeros_(decoder(made).network.last.weight)
    torch.nn.init.zeros_(decoder(made).network.last.bias)
    part = decoder(made).start
    assert part is not None
    (volume,) = model(made).volumes(LATENT[None])
    assert float((volume - part.channels[0]).abs().max()) < 1e-4 * float(volume.max())


@pytest.mark.parametrize("domain", ["fourier", "hartley"])
def test_turned_axes_are_turned_points(domain: str) -> None:
    made = network(decoder_settings={"width": 16, "num_layers": 1, "domain": domain})
    axes = random_rotations(4, torch.Generator().manual_seed(3))
    found = slices(made, axes)
    index_xyz = torch.einsum("rkx,ks->rsx", axes[:, :2], made.samples.frequency_xy)
    own = decoder(made)
    with torch.no_grad():
        for row, points in enumerate(index_xyz):
            is_upper = points[:, 2] > 0
            lower = torch.where(is_upper[:, None], -points, points)
            value = own.points(LATENT, lower, own.embedded_points(lower))
            expected = torch.where(is_upper, value.conj(), value)
            assert float((found[row] - expected).abs().max()) < 1e-3 * float(expected.abs().max())


@pytest.mark.parametrize("domain", ["fourier", "hartley"])
@pytest.mark.parametrize("start", ["nothing", "map"])
def test_opposite_samples_are_conjugates(domain: str, start: str) -> None:
    made = network(start=start, decoder_settings={"width": 16, "domain": domain})
    axes = torch.cat([random_rotations(5, torch.Generator().manual_seed(4)), torch.eye(3)[None]])
    found, opposite = slices(made, axes), slices(made, -axes)
    assert float((found - opposite.conj()).abs().max()) < 1e-4 * float(found.abs().max())


def test_half_a_box_is_the_fourier_cropped_volume() -> None:
    made = network(start="map")
    (full,) = model(made).volumes(LATENT[None])
    (half,) = model(made).volumes(LATENT[None], box_size=BOX // 2)
    assert half.shape == (BOX // 2,) * 3
    expected, found = volume_rfft(crop_volumes(full, BOX // 2)), volume_rfft(half)
    axis = torch.fft.fftfreq(BOX // 2, 2.0 / BOX)
    z, y, x = torch.meshgrid(axis, axis, axis[: BOX // 4 + 1], indexing="ij")
    inside = (z**2 + y**2 + x**2 <= (BOX // 4 - 1) ** 2) & (x > -1)
    rest = (found - expected)[inside].abs().max()
    assert float(rest) < 1e-4 * float(expected.abs().max())


def test_single_and_half_precision_agree() -> None:
    made = network(start="linear", num_components=2, decoder_settings={"width": 128})
    axes = random_rotations(8, torch.Generator().manual_seed(5))
    exact = slices(made, axes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = slices(made, axes)
    assert float((rough - exact).norm() / exact.norm()) < 0.01


def test_volumes_differ_by_latent_and_decoders_by_half() -> None:
    made = network(has_halves=True)
    own = model(made)
    latent = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    first, second = own.volumes(latent, half=1)
    other, _ = own.volumes(latent, half=2)
    mean, _ = own.volumes(latent)
    assert not torch.allclose(first, second)
    assert not torch.allclose(first, other)
    assert torch.allclose(mean, 0.5 * (first + other), atol=1e-6)


def test_nothing_is_said_beyond_the_radius() -> None:
    made = network(radius=6)
    (volume,) = model(made).volumes(LATENT[None])
    spectrum = volume_rfft(volume).abs()
    axis = torch.fft.fftfreq(BOX, 1.0 / BOX)
    distance = (
        axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis[: BOX // 2 + 1].abs() ** 2
    ).sqrt()
    assert float(spectrum[distance > 6.6].max()) < 1e-4 * float(spectrum.max())
    assert RADIUS > 6
