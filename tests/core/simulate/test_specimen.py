import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.geometry.rotations import random_rotations, rotation_about_y
from icelens.core.simulate.placing import dilated, free_corner, overlap
from icelens.core.simulate.specimen import Species, Specimen, crowd, envelope, radius_px
from icelens.core.simulate.structures import GOLD, MEMBRANE, gold_bead, membrane
from icelens.core.simulate.turning import prepared, rotated

SHAPE = (24, 48, 48)


def rod(length: float, name: str = "rod") -> Species:
    """A rod along +x with a knob at its end: a species whose orientation shows."""
    axis = torch.arange(17) - 8
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    body = (x.abs() <= length).float() * torch.exp(-(y**2 + z**2) / 3.0)
    knob = torch.exp(-((x - length) ** 2 + y**2 + z**2) / 6.0)
    return Species(name, body + knob)


def small_specimen(num_particles: int = 20) -> Specimen:
    generator = torch.Generator().manual_seed(3)
    return crowd([rod(5.0), rod(2.0, "stub")], SHAPE, num_particles, generator)


def test_molecules_do_not_overlap() -> None:
    specimen = small_specimen()
    # each pick has the voxels of its envelope for itself: none was overwritten by a later one
    counts = torch.bincount(specimen.instance_labels.flatten().long())[1:]
    for index in range(20):
        kind = [rod(5.0), rod(2.0)][int(specimen.species[index])]
        box = prepared(kind.density)
        whole = envelope(rotated(box, specimen.rotation[index], torch.zeros(3))).sum()
        # the offset within a voxel moves the count by a few
        assert abs(int(counts[index]) - int(whole)) <= 0.2 * int(whole)


def test_labels_agree_with_picks_and_with_the_density() -> None:
    specimen = small_specimen()
    total = 0.0
    for index in range(20):
        mask = specimen.instance_labels == index + 1
        assert bool((specimen.class_labels[mask] == specimen.species[index] + 1).all())
        weights = specimen.density * mask
        grid = torch.stack(torch.meshgrid(*(torch.arange(n) for n in SHAPE), indexing="ij"), -1)
        centroid = (grid * weights[..., None]).sum((0, 1, 2)) / weights.sum()
        assert float((centroid - specimen.position_zyx_px[index]).norm()) < 2.5  # the knob's pull
        total += float(weights.sum())
    # a rod this thin has much of its density in the rim outside of the envelope, but none elsewhere
    assert total > 0.6 * float(specimen.density.sum())
    near = dilated(dilated(specimen.instance_labels > 0))
    assert float(specimen.density[near].sum()) > 0.98 * float(specimen.density.sum())
    assert bool(((specimen.class_labels > 0) == (specimen.instance_labels > 0)).all())


def test_rotation_takes_the_molecule_to_the_tomogram() -> None:
    specimen = small_specimen()
    for index in range(20):
        if int(specimen.species[index]) != 0:
            continue
        mask = specimen.instance_labels == index + 1
        points = torch.nonzero(mask).float() - specimen.position_zyx_px[index]
        weights = specimen.density[mask]
        centre_xyz = ((points * weights[:, None]).sum(0) / weights.sum()).flip(0)
        # the knob lies along the molecule's +x, which the pick says is R @ (1, 0, 0)
        knob = specimen.rotation[index][:, 0]
        assert float(torch.nn.functional.cosine_similarity(centre_xyz, knob, dim=0)) > 0.9


def test_same_generator_same_specimen() -> None:
    assert torch.equal(small_specimen().density, small_specimen().density)


def test_no_room_is_said_in_one_line() -> None:
    with pytest.raises(GeometryError, match=r"found room for \d+ of 500 molecules"):
        small_specimen(500)
    crowded = crowd([rod(5.0)], SHAPE, 150, torch.Generator().manual_seed(3), allow_fewer=True)
    assert 0 < len(crowded.species) < 150
    assert int(crowded.instance_labels.max()) == len(crowded.species)
    with pytest.raises(GeometryError, match="no species"):
        crowd([], SHAPE, 1, torch.Generator())


def test_last_free_place_is_found() -> None:
    occupied = torch.ones(12, 12, 12, dtype=torch.bool)
    occupied[7:10, 2:5, 6:9] = False
    mask = torch.zeros(5, 5, 5, dtype=torch.bool)
    mask[1:4, 1:4, 1:4] = True
    corner = free_corner(occupied, mask, torch.Generator().manual_seed(1))
    assert corner == (6, 1, 5)
    occupied[8, 3, 7] = True
    assert free_corner(occupied, mask, torch.Generator().manual_seed(1)) is None


def test_boxes_are_cut_at_the_border() -> None:
    window, inner = overlap((-2, 0, 5), (4, 4, 4), (8, 8, 8))
    assert window == (slice(0, 2), slice(0, 4), slice(5, 8))
    assert inner == (slice(2, 4), slice(0, 4), slice(0, 3))


def test_turning_keeps_mass_and_inverts() -> None:
    fine = prepared(rod(5.0).density)
    turn = random_rotations(1, torch.Generator().manual_seed(5))[0]
    turned = rotated(fine, turn, torch.zeros(3))
    plain = rotated(fine, torch.eye(3), torch.zeros(3))
    assert abs(float(turned.sum() / plain.sum()) - 1.0) < 0.01  # sampled twofold
    back = rotated(prepared(turned), turn.T, torch.zeros(3))
    n = min(len(back), len(plain))
    cut = [slice(len(v) // 2 - n // 2, len(v) // 2 - n // 2 + n) for v in (back, plain)]
    a, b = back[cut[0], cut[0], cut[0]], plain[cut[1], cut[1], cut[1]]
    assert float((a * b).sum() / (a.norm() * b.norm())) > 0.99


def test_quarter_turn_about_y_moves_z_to_x() -> None:
    density = torch.zeros(9, 9, 9)
    density[7, 4, 4] = 1.0
    density[4, 4, 4] = 0.5  # keeps the box as large as needed
    turned = rotated(prepared(density), rotation_about_y(90.0), torch.zeros(3))
    n = len(turned)
    assert int(turned.argmax()) == (n // 2 * n + n // 2) * n + n // 2 + 3


def test_bilayer_has_two_leaflets_37_angstrom_apart() -> None:
    sphere = membrane(
        (65, 65, 65), 5.0, torch.full((3,), 32.0), torch.full((3,), 100.0), torch.eye(3)
    )
    profile = sphere.density[32, 32, 32:]
    peaks = [i for i in range(1, 32) if profile[i] > profile[i - 1] and profile[i] > profile[i + 1]]
    radii = [5.0 * peak for peak in peaks]
    assert len(radii) == 2
    assert abs(radii[1] - radii[0] - 37.0) <= 5.0  # one voxel
    assert abs(sum(radii) / 2 - 100.0) <= 2.5
    assert sphere.kind == MEMBRANE


def test_gold_is_a_ball_of_ten_nanometres() -> None:
    bead = gold_bead((20, 20, 20), 10.0, torch.full((3,), 10.0))
    volume = float(bead.density.sum() / bead.density.max()) * 1000.0
    assert abs(volume / (4 / 3 * torch.pi * 50.0**3) - 1.0) < 0.05
    assert bead.kind == GOLD


def test_structures_wear_labels_after_the_species() -> None:
    bead = gold_bead(SHAPE, 10.0, torch.tensor([12.0, 24.0, 24.0]))
    specimen = crowd([rod(2.0)], SHAPE, 3, torch.Generator().manual_seed(1), structures=[bead])
    at = specimen.class_labels[12, 24, 24], specimen.instance_labels[12, 24, 24]
    assert tuple(map(int, at)) == (1 + 1 + GOLD, 4)
    assert not bool((dilated(bead.mask) & (specimen.class_labels == 1) & bead.mask).any())


def test_a_ball_has_its_radius() -> None:
    axes = torch.meshgrid(*[torch.arange(32.0) - 16] * 3, indexing="ij")
    distance = torch.stack(axes).norm(dim=0)
    # density falls over one voxel about the surface, of which the grid meets some point closely
    assert radius_px((9.5 - distance).clamp(0, 1)) == pytest.approx(9.0, abs=0.1)
