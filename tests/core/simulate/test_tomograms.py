import math
from dataclasses import replace

import pytest
import torch

from icelens.core.events import Event, Progress
from icelens.core.simulate.chains import generated_species
from icelens.core.simulate.misalignment import Misalignment
from icelens.core.simulate.specimen import Species
from icelens.core.simulate.tilt_series import Acquisition
from icelens.core.simulate.tomograms import (
    SimulatedTomogram,
    TomogramSettings,
    simulate_tomograms,
)

SETTINGS = TomogramSettings(
    shape=(32, 64, 64),
    num_particles=12,
    scheme=Acquisition.dose_symmetric(-60.0, 60.0, 6.0, 6.0),
)


@pytest.fixture(scope="module")
def species() -> list[Species]:
    generator = torch.Generator().manual_seed(1)
    return generated_species(["C1", "D2"], 10.0, generator, mass_range=(150.0, 300.0))


@pytest.fixture(scope="module")
def tomogram(species: list[Species]) -> SimulatedTomogram:
    return next(simulate_tomograms(species, SETTINGS, seed=3))


def correlation(a: torch.Tensor, b: torch.Tensor, *, measured: bool) -> float:
    """Correlation between 200 and 50 Å in the measured or the missing region."""
    kz, ky, kx = torch.meshgrid(*(torch.fft.fftfreq(n) for n in a.shape), indexing="ij")
    radius = (kz**2 + ky**2 + kx**2).sqrt()
    inside = kz.abs() <= math.tan(math.radians(60)) * kx.abs()
    chosen = (radius > 0.05) & (radius < 0.2) & (inside == measured)
    a_fft, b_fft = torch.fft.fftn(a)[chosen], torch.fft.fftn(b)[chosen]
    return float((a_fft * b_fft.conj()).real.sum() / (a_fft.norm() * b_fft.norm()))


def test_truth_is_found_where_it_was_measured_only(tomogram: SimulatedTomogram) -> None:
    truth = tomogram.specimen.density
    # 0.77 with these small molecules; the CTF passes its first zero at 26 Å
    assert correlation(tomogram.full, truth, measured=True) > 0.7
    assert correlation(tomogram.full, truth, measured=False) < 0.4


def test_halves_share_signal_but_not_noise(tomogram: SimulatedTomogram) -> None:
    halves = correlation(tomogram.even, tomogram.odd, measured=True)
    whole = correlation(tomogram.full, tomogram.specimen.density, measured=True)
    assert 0.3 < halves < whole
    assert torch.allclose(0.5 * (tomogram.even + tomogram.odd), tomogram.full, atol=1e-6)


def test_seed_decides_and_each_tomogram_has_its_own(species: list[Species]) -> None:
    first, second = simulate_tomograms(species, SETTINGS, count=2, seed=3)
    again = next(simulate_tomograms(species, SETTINGS, seed=4))
    assert torch.equal(second.full, again.full)
    assert not torch.equal(first.specimen.density, second.specimen.density)


def test_halves_by_tilt_use_every_other_image(
    species: list[Species], tomogram: SimulatedTomogram
) -> None:
    by_tilt = next(simulate_tomograms(species, replace(SETTINGS, split="tilts"), seed=3))
    # the data are the same, parted otherwise
    assert torch.allclose(by_tilt.full, tomogram.full, atol=1e-5)
    assert not torch.allclose(by_tilt.even, tomogram.even, atol=1e-3)
    truth = by_tilt.specimen.density
    assert correlation(by_tilt.even, truth, measured=True) > 0.6


def test_misalignment_costs_resolution(species: list[Species], tomogram: SimulatedTomogram) -> None:
    errors = Misalignment(shift=20.0, tilt=0.5, tilt_axis=1.0)
    bad = next(simulate_tomograms(species, replace(SETTINGS, misalignment=errors), seed=3))
    assert torch.equal(bad.specimen.density, tomogram.specimen.density)
    score = correlation(bad.full, bad.specimen.density, measured=True)
    assert score < correlation(tomogram.full, tomogram.specimen.density, measured=True) - 0.03


def test_membranes_and_gold_are_in_the_truth_and_labelled(species: list[Species]) -> None:
    settings = replace(SETTINGS, num_particles=3, num_membranes=1, num_gold=2)
    specimen = next(simulate_tomograms(species, settings, seed=5)).specimen
    labels = set(specimen.class_labels.unique().tolist())
    assert {0, 1, 2, 4} <= labels  # ice, two species, gold
    assert float(specimen.density.max()) > 6.0  # gold


def test_every_molecule_and_tilt_is_announced(species: list[Species]) -> None:
    events: list[Event] = []
    next(simulate_tomograms(species, SETTINGS, seed=3, on_event=events.append))
    stages = [event.stage for event in events if isinstance(event, Progress)]
    assert stages.count("place molecules") == 12
    assert stages.count("record tilts") == 21
