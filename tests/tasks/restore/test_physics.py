"""Masks and transfers of one tomogram: which CTF setting does what."""

import pytest
import torch
from toy_tomograms import physics

from icelens.core.fourier.filters import b_factor_envelope
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.optics.ctf import ctf
from icelens.core.volumes.rotate import right_angle_rotations

SHAPE = (12, 16, 20)
CUBE = (16, 16, 16)


def test_phases_are_flipped_only_where_a_ctf_mode_asks_and_they_are_not_yet() -> None:
    ones = torch.ones(12, 16, 11)
    assert torch.equal(physics().phase_flip(SHAPE), ones)
    assert torch.equal(physics(mode="network", phase_flipped=True).phase_flip(SHAPE), ones)
    assert torch.equal(physics(mode="network", phase_flip_input=False).phase_flip(SHAPE), ones)
    flip = physics(mode="network").phase_flip(SHAPE)
    exact = ctf(frequency_radius(SHAPE).clamp(max=0.5) / 10.0, 30000.0)
    clear = exact.abs() > 0.05  # the curve is looked up at 1024 places: signs hold off its zeros
    assert torch.equal(flip[clear], torch.sign(exact)[clear])
    assert (flip < 0).any()


def test_transfer_is_the_amplitude_of_the_ctf_once_phases_are_right() -> None:
    exact = ctf(frequency_radius(SHAPE).clamp(max=0.5) / 10.0, 30000.0)
    found = physics(mode="network").transfer(SHAPE)
    # linear interpolation of a curve that turns by about 10 degrees between samples at most
    torch.testing.assert_close(found, exact.abs(), atol=5e-3, rtol=0)
    signed = physics(mode="network", phase_flip_input=False).transfer(SHAPE)
    torch.testing.assert_close(signed, exact, atol=5e-3, rtol=0)


def test_envelope_is_applied_once_or_twice_as_in_isonet2() -> None:
    plain = physics(mode="network").transfer(CUBE)
    once = physics(mode="network", b_factor=300.0).transfer(CUBE)
    twice = physics(mode="network", b_factor=300.0, isonet2_exact=True).transfer(CUBE)
    radius = frequency_radius(CUBE)
    inside = radius <= 0.5
    envelope = b_factor_envelope(radius / 10.0, 300.0)
    torch.testing.assert_close(once[inside], (plain * envelope)[inside], atol=2e-3, rtol=0)
    torch.testing.assert_close(twice[inside], (plain * envelope**2)[inside], atol=2e-3, rtol=0)


def test_b_factor_and_first_peak_concern_network_mode_alone() -> None:
    changed = {"b_factor": 300.0, "clip_first_peak": 1}
    one, other = (physics(mode="phase-only", **fields).transfer(CUBE) for fields in (changed, {}))
    assert torch.equal(one, other)
    clipped = physics(mode="network", clip_first_peak=1).transfer(CUBE)
    assert float(clipped[0, 0, 0]) > 0.9 > float(other[0, 0, 0])


def test_wiener_filter_heeds_its_settings() -> None:
    usual = physics(mode="wiener").wiener(CUBE)
    for field, value in (
        ("deconvolution_strength", 0.2),
        ("snr_falloff", 1.0),
        ("highpass_nyquist", 0.3),
    ):
        assert not torch.allclose(usual, physics(mode="wiener", **{field: value}).wiener(CUBE))


@pytest.mark.parametrize("number", [0, 5, 17])
def test_turned_mask_is_that_of_the_turned_box_and_kept_for_right_angles(number: int) -> None:
    owner = physics()
    rotation = right_angle_rotations()[number]
    first = owner.turned(CUBE, rotation)
    assert owner.turned(CUBE, rotation.clone()) is first
    if number == 0:
        assert torch.equal(first, owner.measured(CUBE))
    assert float(first.sum()) == pytest.approx(float(owner.measured(CUBE).sum()), rel=0.1)


def test_masks_of_free_rotations_are_not_kept_without_bound() -> None:
    owner = physics()
    angles = torch.linspace(0.1, 1.0, 40)
    for angle in angles:
        c, s = torch.cos(angle), torch.sin(angle)
        owner.turned((4, 4, 4), torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]))
    assert len(owner._kept) == 0


def test_input_is_multiplied_by_flip_and_wedge() -> None:
    owner = physics(mode="network")
    flip, measured = owner.phase_flip(SHAPE), owner.measured(SHAPE)
    assert torch.equal(owner.before_network(SHAPE, apply_wedge=True), flip * measured)
    assert torch.equal(owner.before_network(SHAPE, apply_wedge=False), flip)
