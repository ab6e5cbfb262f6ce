"""The in-plane angle is the network's exact symmetry, and its answers depend on nothing else."""

import pytest
import torch
from scipy.spatial.transform import Rotation
from turned_images import quarter_turned

from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.so3_functions import RotationGrid, value_at, wigner_at
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.tasks.pose.network.build import build_network
from icelens.tasks.pose.network.rotation_network import RotationNetwork

MAX_BYTES = 0.3e9
"""Of the default model's checkpoint; the reference's have 10 GB and more."""


def _network(symmetry: str = "C1", box_size: int = 32) -> RotationNetwork:
    settings = {
        "box_size": box_size,
        "encoder_settings": {"channels": 8, "num_blocks": 1},
        "max_degree": 6,
        "sphere_channels": 16,
        "rotation_channels": 4,
    }
    network = build_network(settings, symmetry).eval()
    torch.nn.init.normal_(network.shift, std=0.1)
    return network


@torch.no_grad()
def _answer(network: RotationNetwork, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    coefficients, shift_yx = network(images)
    return torch.view_as_complex(coefficients.contiguous()), shift_yx


def _values(coefficients: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
    """Values `(item, rotation)` of every item at every rotation."""
    wigner = wigner_at(rotation, coefficients.shape[0] - 1)
    per_item = [
        value_at(each[..., None].expand(-1, -1, -1, len(rotation)), wigner)
        for each in coefficients.unbind(-1)
    ]
    return torch.stack(per_item)


def _correlations(a: torch.Tensor, b: torch.Tensor) -> list[float]:
    """Of each item with its like."""
    pairs = zip(a, b, strict=True)
    return [float(torch.corrcoef(torch.stack(pair))[0, 1]) for pair in pairs]


def _about(axis: str, degrees: float) -> torch.Tensor:
    turn = Rotation.from_euler(axis, degrees, degrees=True)
    return torch.from_numpy(turn.as_matrix())


def _rotations() -> torch.Tensor:
    return random_rotations(400, torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turning_the_image_turns_the_distribution_about_z_on_the_left(quarters: int) -> None:
    network, images = _network(), torch.randn(3, 2, 32, 32)
    start, _ = _answer(network, quarter_turned(images, 0))
    turned, _ = _answer(network, quarter_turned(images, quarters))
    # the golden test of the in-plane symmetry says that this turn belongs to this rotation
    rotation = _rotations()
    found = _values(turned, _about("z", 90.0 * quarters) @ rotation)
    assert min(_correlations(found, _values(start, rotation))) > 0.999


def test_no_other_axis_side_or_sign_would_do() -> None:
    network, images = _network(), torch.randn(3, 2, 32, 32)
    start, _ = _answer(network, quarter_turned(images, 0))
    turned, _ = _answer(network, quarter_turned(images))
    # order 0 knows nothing of turns, and is most of what an untrained network says
    start[0], turned[0] = 0.0, 0.0
    rotation = _rotations()
    expected = _values(start, rotation)
    assert min(_correlations(_values(turned, _about("z", 90.0) @ rotation), expected)) > 0.999
    wrong = [
        _about("z", -90.0) @ rotation,
        rotation @ _about("z", 90.0),
        rotation @ _about("z", -90.0),
        *(_about(axis, 90.0) @ rotation for axis in "xy"),
        *(rotation @ _about(axis, 90.0) for axis in "xy"),
        rotation,
    ]
    for each in wrong:
        assert max(_correlations(_values(turned, each), expected)) < 0.5


def test_any_angle_of_the_grid_of_rings_is_kept_nearly() -> None:
    # 30 degrees are no symmetry of pixels: interpolation alone is in the way
    network = _network()
    axis = torch.arange(32) - 16
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    places = torch.randn(2, 2, 6, 2) * 4.0

    def images(degrees: float) -> torch.Tensor:
        turn = _about("z", degrees)[:2, :2].float()
        centres = places @ turn.T  # xy
        off = (x - centres[..., 0, None, None]) ** 2 + (y - centres[..., 1, None, None]) ** 2
        return torch.exp(-off / (2 * 2.0**2)).sum(dim=2)

    start, start_shift = _answer(network, images(0.0))
    turned, turned_shift = _answer(network, images(30.0))
    rotation = _rotations()
    found = _values(turned, _about("z", 30.0) @ rotation)
    assert min(_correlations(found, _values(start, rotation))) > 0.98
    expected = (start_shift.flip(1) @ _about("z", 30.0)[:2, :2].float().T).flip(1)
    assert float((turned_shift - expected).norm() / expected.norm()) < 0.15


def test_the_shift_turns_with_the_image() -> None:
    network, images = _network(), torch.randn(4, 2, 32, 32)
    _, start = _answer(network, quarter_turned(images, 0))
    _, turned = _answer(network, quarter_turned(images))
    # from x towards y: what was along x is along y, what was along y is along -x
    expected = torch.stack([start[:, 1], -start[:, 0]], dim=1)
    assert torch.allclose(turned, expected, atol=1e-4)
    assert float(start.abs().min()) > 1e-3


def test_answers_are_the_same_every_time() -> None:
    network, images = _network(), torch.randn(3, 2, 32, 32)
    first, second = _answer(network, images), _answer(network, images)
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))


@pytest.mark.parametrize("symmetry", ["C1", "D2"])
@pytest.mark.parametrize("size", [1, 2, 5, 11])
def test_any_batch_size_gives_the_same_answers(symmetry: str, size: int) -> None:
    network, images = _network(symmetry), torch.randn(11, 2, 32, 32)
    coefficients, shift_yx = _answer(network, images)
    parts = [_answer(network, part) for part in images.split(size)]
    scale = float(coefficients.abs().max())
    joined = torch.cat([part[0] for part in parts], dim=-1)
    assert torch.allclose(joined, coefficients, atol=1e-4 * scale)
    assert torch.allclose(torch.cat([part[1] for part in parts]), shift_yx, atol=1e-4)


@pytest.mark.parametrize("symmetry", ["C3", "D2", "T"])
def test_equivalent_poses_get_the_same_probability(symmetry: str) -> None:
    coefficients, _ = _answer(_network(symmetry), torch.randn(2, 2, 32, 32))
    rotation = _rotations()[:50]
    values = _values(coefficients, rotation)
    assert float(values.std()) > 1e-3
    for operator in symmetry_operators(symmetry).double():
        found = _values(coefficients, rotation @ operator)
        assert torch.allclose(found, values, atol=1e-3 * float(values.abs().max()))


def test_values_on_the_grid_are_real_and_differ_between_images() -> None:
    coefficients, _ = _answer(_network(), torch.randn(2, 2, 32, 32))
    values = RotationGrid(6, 1)(coefficients)
    assert not values.is_complex()
    assert values.shape == (2, 576)
    assert values.isfinite().all()
    assert abs(float(torch.corrcoef(values)[0, 1])) < 0.9


def test_nothing_but_weights_is_saved() -> None:
    network = build_network({}, "D2")
    saved = network.state_dict()
    assert set(saved) == {name for name, _ in network.named_parameters()}
    assert sum(each.numel() * each.element_size() for each in saved.values()) < MAX_BYTES
    assert not any(each.is_complex() for each in saved.values())


def test_an_empty_image_gets_an_answer() -> None:
    coefficients, shift_yx = _answer(_network(), torch.zeros(1, 2, 32, 32))
    assert coefficients.isfinite().all()
    assert shift_yx.isfinite().all()


@pytest.mark.parametrize("symmetry", ["C1", "D2"])
def test_bfloat16_changes_little(symmetry: str) -> None:
    network, images = _network(symmetry), torch.randn(2, 2, 32, 32)
    plain, _ = _answer(network, images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        coarse, _ = _answer(network, images)
    assert float((coarse - plain).norm() / plain.norm()) < 0.05
