"""Volumes of a run are written as the model makes them, with what backs each."""

from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from linear_family import BOX, PIXEL, FamilyModel, ball, make_run, occupied, use_images, use_model

from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import Message
from icelens.core.io.volumes import open_volume, write_volume
from icelens.tasks.hetero.hetero_run import open_hetero_run
from icelens.tasks.hetero.volume_options import VolumeOptions
from icelens.tasks.hetero.volumes import write_volumes

PLAIN = VolumeOptions(is_checked=False)


@pytest.fixture
def run(tmp_path):
    latent = np.random.default_rng(0).uniform(0, 1, (400, 2))
    return open_hetero_run(make_run(tmp_path / "run", latent))


@pytest.fixture
def model(monkeypatch):
    return use_model(monkeypatch, FamilyModel(occupied, 2))


def one(run, folder, options=PLAIN, state=(0.5, 0.5)):
    table = write_volumes(run, np.asarray([state]), folder, ["one"], options=options)
    return pandas.read_csv(table).iloc[0], open_volume(folder / "one.mrc")


def test_volumes_are_those_of_the_model_with_its_pixel_size(run, model, tmp_path):
    latent = np.asarray([[0.2, 0.5], [0.8, 0.5]])
    table = pandas.read_csv(
        write_volumes(run, latent, tmp_path / "out", ["low", "high"], options=PLAIN)
    )
    assert table["name"].tolist() == ["low", "high"]
    assert table[["latent_1", "latent_2"]].to_numpy() == pytest.approx(latent)
    for state, file in zip(latent, table["file"], strict=True):
        volume = open_volume(tmp_path / "out" / file)
        assert volume.pixel_size == pytest.approx(PIXEL)
        assert volume.array == pytest.approx(occupied(torch.tensor(state)).numpy(), abs=1e-6)


def test_latent_without_particles_is_extrapolated_in_table_and_warning(run, model, tmp_path):
    events = []
    latent = np.asarray([[0.5, 0.5], [30.0, 0.5]])
    path = write_volumes(
        run, latent, tmp_path, ["near", "far"], options=PLAIN, on_event=events.append
    )
    table = pandas.read_csv(path)
    assert table["support"].tolist() == ["supported", "extrapolated"]
    assert table["num_near"][0] > 5
    assert table["num_near"][1] == 0
    warnings = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert len(warnings) == 1
    assert "far" in warnings[0]


def test_resolution_comes_from_the_half_decoders_where_there_are_some(run, tmp_path, monkeypatch):
    coarse, fine = (one_resolution(run, tmp_path, monkeypatch, noise) for noise in (0.3, 0.0003))
    assert fine < coarse


def one_resolution(run, folder, monkeypatch, noise):
    use_model(monkeypatch, FamilyModel(occupied, 2, has_halves=True, noise=noise))
    line, _ = one(run, folder)
    assert np.isnan(line["agreement"])
    return float(line["resolution_halves"])


def test_volume_is_compared_with_a_map_of_its_own_images(run, model, tmp_path, monkeypatch):
    asked = use_images(monkeypatch, occupied, noise=0.005)
    right, _ = one(run, tmp_path, VolumeOptions(num_particles=50))
    assert asked[0] == pytest.approx([0.5, 0.5])
    assert right["agreement"] > 0.95
    assert 2 * PIXEL <= right["resolution_halves"] < 30
    use_images(monkeypatch, lambda latent: ball(0, 7, width=1.5))
    wrong, _ = one(run, tmp_path, VolumeOptions())
    assert wrong["agreement"] < 0.5


def test_images_that_cannot_be_read_leave_checks_empty_and_say_so(run, model, tmp_path):
    events = []
    path = write_volumes(run, np.asarray([[0.5, 0.5]]), tmp_path, ["a"], on_event=events.append)
    assert np.isnan(pandas.read_csv(path)["agreement"][0])
    assert any("cannot be read" in e.text for e in events if isinstance(e, Message))


def test_halves_and_uncertainty_are_those_of_the_decoders(run, tmp_path, monkeypatch):
    use_model(monkeypatch, FamilyModel(occupied, 2, has_halves=True, noise=0.1))
    options = VolumeOptions(is_checked=False, with_halves=True, with_uncertainty=True)
    line, _ = one(run, tmp_path, options)
    half_1, half_2, uncertainty = (
        np.asarray(open_volume(tmp_path / line[name]).array)
        for name in ("half_1", "half_2", "uncertainty")
    )
    assert uncertainty == pytest.approx(0.5 * np.abs(half_1 - half_2), abs=1e-6)
    assert uncertainty.mean() == pytest.approx(0.1 / np.pi**0.5, rel=0.05)


def test_half_maps_without_decoders_or_images_are_refused(run, model, tmp_path):
    with pytest.raises(MetadataError, match="check-images"):
        one(run, tmp_path, VolumeOptions(is_checked=False, with_halves=True))
    assert not list(tmp_path.glob("*.mrc"))


def test_flipping_the_hand_moves_nothing_and_twice_is_nothing(run, model, tmp_path, monkeypatch):
    lopsided = ball(3, 2)
    lopsided[BOX // 2 + 1 :] *= 2.0
    use_model(monkeypatch, FamilyModel(lambda latent: lopsided, 2))
    _, flipped = one(run, tmp_path, VolumeOptions(is_checked=False, is_hand_flipped=True))
    plain, array = lopsided.numpy(), np.asarray(flipped.array)
    assert np.array_equal(array[BOX // 2], plain[BOX // 2])
    assert np.array_equal(array[1:], plain[1:][::-1])


def test_coarser_volumes_have_larger_pixels_and_the_same_grey(run, model, tmp_path):
    _, volume = one(run, tmp_path, VolumeOptions(is_checked=False, box_size=12))
    assert volume.shape == (12, 12, 12)
    assert volume.pixel_size == pytest.approx(2 * PIXEL)
    full = occupied(torch.tensor([0.5, 0.5]))
    assert float(volume.array.mean()) == pytest.approx(float(full.mean()), rel=1e-4)


def test_cropping_keeps_the_middle_and_where_it_was(run, model, tmp_path):
    _, volume = one(run, tmp_path, VolumeOptions(is_checked=False, crop_box=16))
    full = occupied(torch.tensor([0.5, 0.5])).numpy()
    assert volume.array == pytest.approx(full[4:20, 4:20, 4:20], abs=1e-6)
    assert volume.origin_xyz == pytest.approx((4 * PIXEL,) * 3)


def test_low_pass_takes_fine_detail_alone(run, tmp_path, monkeypatch):
    noise = torch.randn(BOX, BOX, BOX, generator=torch.Generator().manual_seed(1))
    use_model(monkeypatch, FamilyModel(lambda latent: noise, 2))
    _, volume = one(run, tmp_path, VolumeOptions(is_checked=False, low_pass=24.0))
    power = np.abs(np.fft.fftn(volume.array)) ** 2
    axes = np.meshgrid(*[np.fft.fftfreq(BOX, PIXEL)] * 3, indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    assert power[radius > 1 / 24].max() < 1e-6 * power.max()
    before = np.abs(np.fft.fftn(noise.numpy())) ** 2
    assert power[radius < 0.89 / 24] == pytest.approx(before[radius < 0.89 / 24], rel=1e-3)


def test_mask_normalisation_and_inversion_do_what_they_say(run, model, tmp_path):
    mask = (ball(-4, width=4.0) > 0.5).float().numpy()
    write_volume(tmp_path / "mask.mrc", Volume(mask, PIXEL))
    options = VolumeOptions(
        is_checked=False, mask=tmp_path / "mask.mrc", is_normalised=True, is_inverted=True
    )
    _, volume = one(run, tmp_path / "out", options)
    inside = np.asarray(volume.array)[mask > 0]
    assert inside.mean() == pytest.approx(0, abs=1e-5)
    assert inside.std() == pytest.approx(1, rel=1e-3)
    assert not np.asarray(volume.array)[mask == 0].any()
    density = occupied(torch.tensor([0.5, 0.5])).numpy()[mask > 0]
    assert np.corrcoef(inside, density)[0, 1] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("latent", "names", "found"),
    [
        (np.zeros((2, 3)), ["a", "b"], r"expected \(state, 2\)"),
        (np.zeros((2, 2)), ["a", "a"], "name each"),
        (np.full((1, 2), np.nan), ["a"], "not finite"),
        (np.empty((0, 2)), [], "no latents"),
    ],
)
def test_latents_that_do_not_fit_are_refused(latent, names, found, run, model, tmp_path):
    with pytest.raises(MetadataError, match=found):
        write_volumes(run, latent, tmp_path / "out", names, options=PLAIN)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [{"box_size": 48}, {"box_size": 13}, {"crop_box": 99}])
def test_sizes_that_cannot_be_are_refused(options, run, model, tmp_path):
    with pytest.raises(MetadataError, match="expected"):
        one(run, tmp_path, VolumeOptions(is_checked=False, **options))


def test_model_that_answers_nan_is_refused(run, tmp_path, monkeypatch):
    use_model(monkeypatch, FamilyModel(lambda latent: occupied(latent) * float("nan"), 2))
    with pytest.raises(MetadataError, match="not finite"):
        one(run, tmp_path)
    assert not list(Path(tmp_path).glob("*.mrc"))


def test_run_of_one_structure_has_one_volume(tmp_path, monkeypatch):
    run = open_hetero_run(make_run(tmp_path / "run", np.zeros((5, 0))))
    use_model(monkeypatch, FamilyModel(lambda latent: ball(0), 0, has_halves=True))
    path = write_volumes(run, np.zeros((1, 0)), tmp_path, ["volume"])
    line = pandas.read_csv(path).iloc[0]
    assert line["resolution_halves"] > 0
    assert np.isnan(line["support"])
