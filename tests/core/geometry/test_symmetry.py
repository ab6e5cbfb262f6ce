import pytest
import torch
from scipy.spatial.transform import Rotation

from icelens.core.errors import MetadataError
from icelens.core.geometry.symmetry import symmetry_operators

ORDERS = {"C1": 1, "C7": 7, "D2": 4, "D7": 14, "T": 12, "O": 24, "I": 60}
ORDERS |= {f"I{number}": 60 for number in (1, 2, 3, 4)}
# entries are rounded to float32
EPSILON = 1e-5


def _distance_to_nearest(rotations: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
    # the shortcut by matrix products would lose half of the digits
    mode = "donot_use_mm_for_euclid_dist"
    distance = torch.cdist(rotations.reshape(-1, 9), group.reshape(-1, 9), compute_mode=mode)
    return distance.min(dim=1).values


@pytest.mark.parametrize("name", ORDERS)
def test_groups_are_closed_and_complete(name: str) -> None:
    group = symmetry_operators(name)
    assert len(group) == ORDERS[name]
    assert torch.equal(group[0], torch.eye(3))
    products = torch.einsum("aij,bjk->abik", group, group).reshape(-1, 3, 3)
    assert float(_distance_to_nearest(products, group).max()) < EPSILON
    assert float(_distance_to_nearest(group.mT, group).max()) < EPSILON
    assert torch.allclose(torch.linalg.det(group), torch.ones(len(group)), atol=EPSILON)


@pytest.mark.parametrize("name", ["T", "O", "I"])
def test_orders_agree_with_scipy(name: str) -> None:
    # SciPy may choose other axes, but traces (angles of turn) do not depend on them
    ours = symmetry_operators(name).diagonal(dim1=1, dim2=2).sum(1).sort().values
    theirs = Rotation.create_group(name).as_matrix().trace(axis1=1, axis2=2)
    assert torch.allclose(ours, torch.from_numpy(theirs).float().sort().values, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "fold", "axis"),
    [
        ("D3", 2, (1.0, 0.0, 0.0)),
        ("T", 3, (0.0, 0.0, 1.0)),
        ("T", 2, (0.0, 0.816496, 0.577350)),
        ("O", 4, (0.0, 0.0, 1.0)),
        ("O", 3, (0.5773502, 0.5773502, 0.5773502)),
        ("I1", 5, (0.85065080, 0.0, -0.52573111)),
        ("I1", 3, (0.93417236, 0.35682208, 0.0)),
        ("I2", 5, (0.52573111, 0.0, 0.85065081)),
        ("I2", 3, (0.0, 0.35682208, 0.93417236)),
        ("I3", 2, (-0.52573111, 0.0, 0.85065081)),
        ("I3", 3, (-0.49112348, 0.35682208, 0.79465448)),
        ("I4", 5, (0.89442719, 0.0, 0.44721359)),
        ("I4", 3, (0.49112348, 0.35682208, 0.79465448)),
    ],
)
def test_axes_are_relions(name: str, fold: int, axis: tuple[float, float, float]) -> None:
    turn = Rotation.from_rotvec(2 * torch.pi / fold * torch.tensor(axis).numpy()).as_matrix()
    distance = _distance_to_nearest(torch.from_numpy(turn).float(), symmetry_operators(name))
    assert float(distance) < 1e-5 * 10  # the axes are given to six digits


@pytest.mark.parametrize("name", ["", "C0", "X3", "I5", "Cn"])
def test_unknown_groups_are_refused(name: str) -> None:
    with pytest.raises(MetadataError, match="unknown symmetry"):
        symmetry_operators(name)
