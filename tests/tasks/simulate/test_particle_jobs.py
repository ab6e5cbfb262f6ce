"""`icelens simulate particles`: what it writes is what it says, and bad settings write nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.fourier.slices import project_volume
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.simulate.particles import simulate_images
from icelens.jobs.run import run_job
from icelens.tasks.simulate.particle_jobs import ParticlesConfig, estimate_particles, particles
from icelens.tasks.simulate.particle_plan import planned_particles

BOX, PIXEL = 32, 4.0


def settings(folder: Path, **changes: object) -> ParticlesConfig:
    usual = {"output": folder, "count": 24, "box_size": BOX, "pixel_size": PIXEL, "mass": 30.0}
    return ParticlesConfig(**(usual | changes))


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder") / "simulated"
    return run_job(particles, settings(folder, snr=None, stack_size=10))


def images_of(star: Path) -> torch.Tensor:
    written = read_particles(star).particles
    return torch.from_numpy(ImageReader(written).read(np.arange(len(written))))


def test_list_names_every_image_and_its_pose(star: Path) -> None:
    written = read_particles(star).particles
    assert len(written) == 24
    assert [path.name for path in written.stacks] == [f"particles_00{n}.mrcs" for n in (1, 2, 3)]
    assert written.has_poses
    assert np.abs(written.shift_yx).max() <= 6.0
    assert sorted(np.bincount(written.half_set).tolist()) == [0, 12, 12]
    mean = 0.5 * (written.defocus_u + written.defocus_v)
    assert (mean >= 5000).all()
    assert (mean <= 25000).all()


def test_images_are_those_of_the_map_at_the_written_poses(star: Path) -> None:
    written = read_particles(star).particles
    truth = torch.from_numpy(np.array(open_volume(star.parent / "map.mrc").array))
    expected = simulate_images(truth, written, snr=None, generator=torch.Generator())
    # angles are written with all digits; the images are float32
    assert torch.allclose(images_of(star), expected, atol=1e-3 * float(expected.abs().max()))


def test_noise_is_one_and_as_strong_as_asked(tmp_path: Path) -> None:
    noisy = run_job(particles, settings(tmp_path / "sim", snr=0.5))
    written = read_particles(noisy).particles
    truth = torch.from_numpy(np.array(open_volume(noisy.parent / "map.mrc").array))
    clean = simulate_images(truth, written, snr=None, generator=torch.Generator())
    noise = images_of(noisy) - clean
    assert float(noise.std()) == pytest.approx(1.0, rel=0.02)
    signal = float(clean[:, 8:24, 8:24].var())
    assert 0.2 < signal < 1.0  # 0.5 in the disc, whatever its exact size
    assert (noisy.parent / "images.png").exists()


def test_same_seed_gives_same_files(star: Path, tmp_path: Path) -> None:
    again = run_job(particles, settings(tmp_path / "again", snr=None, stack_size=10))
    assert again.read_text() == star.read_text()
    assert torch.equal(images_of(again), images_of(star))


def test_groups_of_optics_show_the_same_particle(tmp_path: Path) -> None:
    # amplitude contrast alone and no defocus: plain projections
    plain = {"amplitude_contrast": 1.0, "spherical_aberration": 0.0, "defocus_range": (0, 0)}
    config = settings(
        tmp_path / "two", snr=None, optics_groups=2, astigmatism=0.0, max_shift=0.0, **plain
    )
    written = read_particles(run_job(particles, config)).particles
    assert [group.pixel_size for group in written.optics] == [4.0, 4.4]
    assert [group.voltage for group in written.optics] == [300.0, 200.0]
    images = torch.from_numpy(ImageReader(written).read([0, 1])).double()
    # the integral over the image in Å^2 is that of the density, in either group
    mass = images.sum(dim=(1, 2)) * torch.tensor([4.0, 4.4]) ** 2
    assert float(mass[1] / mass[0]) == pytest.approx(1.0, rel=0.01)


def test_map_of_another_sampling_is_brought_to_the_images(tmp_path: Path) -> None:
    axis = (torch.arange(41) - 20) * 3.0
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    blob = torch.exp(-((x - 9) ** 2 + y**2 + z**2) / 200.0)
    write_volume(tmp_path / "blob.mrc", Volume(blob.numpy(), 3.0))
    config = settings(tmp_path / "sim", map=tmp_path / "blob.mrc", snr=None)
    written = read_particles(run_job(particles, config)).particles
    truth = open_volume(tmp_path / "sim" / "map.mrc")
    assert (truth.shape, truth.pixel_size) == ((BOX,) * 3, PIXEL)
    values = np.array(truth.array)
    place = (np.arange(BOX) - BOX // 2) * PIXEL
    assert (values.sum(axis=(0, 1)) @ place) / values.sum() == pytest.approx(9.0, abs=0.1)
    seen = project_volume(torch.from_numpy(values), torch.from_numpy(written.rotation).float())
    assert seen.shape == (24, BOX, BOX)


def test_poses_and_optics_are_taken_over(star: Path, tmp_path: Path) -> None:
    again = run_job(
        particles, settings(tmp_path / "s", particles_star=star, count=None, pixel_size=1.7)
    )
    first, second = (read_particles(each).particles for each in (star, again))
    assert np.allclose(first.rotation, second.rotation, atol=1e-6)
    assert np.allclose(first.shift_yx, second.shift_yx)
    assert np.array_equal(first.half_set, second.half_set)
    assert np.allclose(first.defocus_u, second.defocus_u)
    assert second.optics[0].pixel_size == 1.7
    assert len(second.stacks) == 1


def test_generated_particle_has_the_symmetry_asked_for(tmp_path: Path) -> None:
    config = settings(tmp_path / "sim", symmetry="C4", count=1, snr=None, mass=60.0)
    run_job(particles, config)
    values = np.array(open_volume(tmp_path / "sim" / "map.mrc").array)[1:, 1:, 1:]
    turned = np.rot90(values, axes=(1, 2))
    assert np.corrcoef(values.ravel(), turned.ravel())[0, 1] > 0.99


def test_estimate_counts_pixels() -> None:
    estimate = estimate_particles(ParticlesConfig(count=100, box_size=50))
    assert estimate.disk_bytes == 4 * 100 * 2500 + 4 * 50**3


def test_random_plan_needs_no_files(tmp_path: Path) -> None:
    plan = planned_particles(settings(tmp_path, preferred_views=1, view_spread=0.0), tmp_path)
    assert np.ptp(plan.rotation[:, 2], axis=0).max() < 1e-9


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--defocus-range", "20000,10000"], "expected 10000,20000"),
        (["--map", "nothing.mrc"], "nothing.mrc"),
        (["--map", "{map}", "--model", "a.pdb"], "--map and --model"),
        (["--map", "{map}", "--symmetry", "D2"], "correlates only"),
        (["--symmetry", "Q5"], "unknown symmetry"),
        (["--particles-star", "{star}", "--count", "99"], "holds 24 particles"),
        (["--snr", "0"], "--snr"),
    ],
)
def test_impossible_settings_write_no_particles(words, piece, star, tmp_path, capsys):
    lopsided = np.zeros((16, 16, 16), np.float32)
    lopsided[8:12, 8:10, 8:15] = 1.0
    write_volume(tmp_path / "map.mrc", Volume(lopsided, 4.0))
    words = [word.format(map=tmp_path / "map.mrc", star=star) for word in words]
    if "--count" not in words:
        words += ["--count", "4"]
    command = ["simulate", "particles", "--output", str(tmp_path / "out")]
    assert cli.main([*command, *words]) == 2
    assert piece in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*.mrc*"))


def test_defocus_in_micrometres_and_what_is_read_are_refused(tmp_path: Path, capsys) -> None:
    words = ["simulate", "particles", "--count", "4", "--box-size", "16", "--output"]
    assert cli.main([*words, str(tmp_path / "a"), "--defocus-range", "0.5,2.5"]) == 2
    assert "expected Å such as 5000,25000" in capsys.readouterr().err
    folder = tmp_path / "b"
    folder.mkdir()
    given = folder / "map.mrc"
    write_volume(given, Volume(np.random.default_rng(0).normal(size=(16,) * 3), 3.0))
    before = given.read_bytes()
    assert cli.main([*words, str(folder), "--map", str(given)]) == 2
    assert "over itself" in capsys.readouterr().err
    assert given.read_bytes() == before
