"""`icelens simulate states`: images show the states they are said to, all in one frame."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from chain_models import angled, rod, write_model

from icelens.apps import cli
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.io.star import read_star
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.simulate.particles import signal_variance, simulate_images, simulator_for
from icelens.jobs.run import run_job
from icelens.tasks.simulate.state_jobs import StatesConfig, estimate_states, num_states, states

BOX, PIXEL = 24, 5.0


def settings(folder: Path, **changes: object) -> StatesConfig:
    usual = {"output": folder, "count": 24, "box_size": BOX, "pixel_size": PIXEL, "mass": 30.0}
    return StatesConfig(**(usual | changes))


def table_of(star: Path) -> list[dict[str, str]]:
    with (star.parent / "states.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def states_in(star: Path) -> np.ndarray:
    return np.array([int(line["state"]) for line in table_of(star)])


def maps_of(star: Path) -> torch.Tensor:
    paths = sorted((star.parent / "maps").glob("state_*.mrc"))
    return torch.from_numpy(np.stack([np.array(open_volume(path).array) for path in paths]))


def images_of(particles: Particles) -> torch.Tensor:
    return torch.from_numpy(ImageReader(particles).read(np.arange(len(particles))))


def expected_images(star: Path, particles: Particles) -> torch.Tensor:
    """Clean images of the map of each row's state."""
    maps, state = maps_of(star), states_in(star)
    clean = torch.empty(len(particles), BOX, BOX)
    for which, volume in enumerate(maps):
        rows = np.flatnonzero(state == which)
        clean[rows] = simulate_images(
            volume, particles.take(rows), snr=None, generator=torch.Generator()
        )
    return clean


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three states of a generated molecule that swings, without noise, in several stacks."""
    folder = tmp_path_factory.mktemp("a folder") / "simulated"
    return run_job(states, settings(folder, states=3, snr=None, stack_size=10))


def test_images_show_the_state_that_the_tables_say(star: Path) -> None:
    particles = read_particles(star).particles
    assert np.bincount(states_in(star)).tolist() == [8, 8, 8]
    expected = expected_images(star, particles)
    assert torch.allclose(images_of(particles), expected, atol=1e-3 * float(expected.abs().max()))
    table = read_star(star)["particles"]
    assert (table["rlnClassNumber"].to_numpy() == states_in(star) + 1).all()
    angle = np.array([float(line["coordinate"]) for line in table_of(star)])
    assert np.allclose(table["icelensStateCoordinate"], angle)
    assert np.allclose(np.unique(angle), [-30.0, 0.0, 30.0])
    assert len(particles.stacks) == 3
    assert {"states.png", "images.png", "report.html"} <= {p.name for p in star.parent.iterdir()}


def test_extra_columns_survive_reading_and_writing(star: Path, tmp_path: Path) -> None:
    write_particles(tmp_path / "again.star", read_particles(star), rows=[3, 5])
    again = read_star(tmp_path / "again.star")["particles"]
    assert (again["rlnClassNumber"].to_numpy() == states_in(star)[[3, 5]] + 1).all()
    assert "icelensStateCoordinate" in again


def test_same_seed_gives_the_same_files(star: Path, tmp_path: Path) -> None:
    config = settings(tmp_path / "again", states=3, snr=None, stack_size=10)
    again = run_job(states, config)
    assert again.read_text() == star.read_text()
    assert torch.equal(maps_of(again), maps_of(star))


def test_noise_is_one_and_shares_are_as_asked(tmp_path: Path) -> None:
    config = settings(tmp_path / "s", count=40, snr=0.5, populations=(3.0, 1.0))
    noisy = run_job(states, config)
    particles = read_particles(noisy).particles
    noise = images_of(particles) - expected_images(noisy, particles)
    assert float(noise.std()) == pytest.approx(1.0, rel=0.02)
    assert np.bincount(states_in(noisy)).tolist() == [30, 10]


def test_signal_over_the_whole_box_is_the_ratio_asked_for(tmp_path: Path) -> None:
    config = settings(tmp_path / "s", snr=0.2, snr_region="box")
    written = run_job(states, config)
    particles, state = read_particles(written).particles, states_in(written)
    variances = [
        signal_variance(
            simulator_for(volume, particles, snr=None),
            particles.take(np.flatnonzero(state == which)),
            radius_px=float("inf"),
        )
        for which, volume in enumerate(maps_of(written))
    ]
    assert float(np.mean(variances)) == pytest.approx(0.2, rel=1e-3)


def test_a_lost_domain_leaves_the_rest_in_its_place(tmp_path: Path) -> None:
    written = run_job(states, settings(tmp_path / "s", change="loss", snr=None))
    whole, rest = maps_of(written)
    assert 0.6 < float(rest.sum() / whole.sum()) < 0.7
    # what is missing is density, nowhere is any gained but for ripples of the sampling
    assert float((rest - whole).max()) < 0.02 * float(whole.max())
    assert not any(line["coordinate"] for line in table_of(written))


def test_given_maps_keep_their_frame_and_order(tmp_path: Path) -> None:
    blob = np.zeros((20, 20, 20), np.float32)
    paths = []
    for number, x in enumerate((6, 14)):
        values = blob.copy()
        values[10, 10, x] = 1.0
        paths.append(tmp_path / f"map {number}.mrc")
        write_volume(paths[-1], Volume(values, PIXEL))
    written = run_job(states, settings(tmp_path / "s", maps=paths, snr=None))
    places = [int(each.argmax()) % BOX for each in maps_of(written)]
    assert places == [12 - 4, 12 + 4]


def test_hinge_moves_its_chains_and_nothing_else(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.pdb", angled())
    config = settings(
        tmp_path / "s", model=model, hinge_chains=("A",), states=2, hinge_range=(0.0, 180.0),
        hinge_axis="0,1,0", hinge_point="0,0,0", snr=None,
    )  # fmt: skip
    written = run_job(states, config)
    first, second = maps_of(written)
    # half a turn about y mirrors what lies along x; both share the centre, 10 Å above the corner
    along_x = [each.sum(dim=(0, 1)).numpy() for each in (first, second)]
    assert np.allclose(along_x[0][1:], along_x[1][1:][::-1], atol=0.02 * along_x[0].max())
    centre = BOX // 2
    fixed = (slice(centre - 1, centre + 2), slice(centre, None), slice(centre - 1, centre + 2))
    assert torch.allclose(first[fixed], second[fixed], atol=0.05 * float(first.max()))


def test_a_full_turn_leaves_out_its_end_and_says_where_the_hinge_is(tmp_path: Path, capsys) -> None:
    model = write_model(tmp_path / "model.pdb", angled())
    words = ["simulate", "states", "--model", str(model), "--hinge-chains", "B", "--states", "4"]
    words += ["--count", "8", "--box-size", "16", "--pixel-size", "8", "--output"]
    assert cli.main([*words, str(tmp_path / "s")]) == 0
    angles = {line["coordinate"] for line in table_of(tmp_path / "s" / "particles.star")}
    assert angles == {"0", "90", "180", "270"}
    assert "the hinge is at x,y,z" in capsys.readouterr().err


def test_a_part_that_runs_into_the_other_is_told(tmp_path: Path, capsys) -> None:
    chains = {"A": rod((0, 0, 0), (80, 0, 0), 60), "B": rod((0, 1, 0), (0, 80, 0), 60)}
    model = write_model(tmp_path / "model.pdb", chains)
    words = ["simulate", "states", "--model", str(model), "--hinge-chains", "A", "--states", "2"]
    words += ["--hinge-range", "0,90", "--hinge-axis", "0,0,1", "--hinge-point", "0,0,0"]
    words += ["--count", "4", "--box-size", "16", "--pixel-size", "16"]
    assert cli.main([*words, "--output", str(tmp_path / "s")]) == 0
    assert "in state 2" in capsys.readouterr().err


def test_states_lack_the_chains_that_are_named(tmp_path: Path) -> None:
    chains = angled() | {"C": rod((0.0, 0.0, 4.0), (0.0, 0.0, 40.0))}
    model = write_model(tmp_path / "model.pdb", chains)
    config = settings(tmp_path / "s", model=model, drop_chains=";C;A,B:1-10", snr=None)
    maps = maps_of(run_job(states, config))
    shares = (maps.sum(dim=(1, 2, 3)) / maps[0].sum()).tolist()
    assert shares == pytest.approx([1.0, 40 / 60, 30 / 60], rel=0.01)


def test_models_are_states_in_their_own_frame(tmp_path: Path) -> None:
    shifted = {name: places + np.array([0.0, 0.0, 10.0]) for name, places in angled().items()}
    paths = [
        write_model(tmp_path / "one.pdb", angled()), write_model(tmp_path / "two.pdb", shifted)
    ]  # fmt: skip
    written = run_job(states, settings(tmp_path / "s", models=paths, snr=None))
    first, second = (each.sum(dim=(1, 2)) for each in maps_of(written))
    place = (torch.arange(BOX) - BOX // 2) * PIXEL
    centres = [float((each * place).sum() / each.sum()) for each in (first, second)]
    assert centres == pytest.approx([-5.0, 5.0], abs=0.1)


def test_tilts_are_read_back_as_images_of_one_particle(tmp_path: Path) -> None:
    written = run_job(states, settings(tmp_path / "s", count=6, tilts=5, snr=None, stack_size=7))
    particles = read_particles(written).particles
    assert particles.particle.tolist() == np.repeat(np.arange(6), 5).tolist()
    assert np.allclose(particles.b_factor[:5], 12.0 * np.arange(1, 6))
    assert np.allclose(particles.ctf_scale[:5], np.cos(np.deg2rad([0, 3, 3, 6, 6])))
    tilt = np.rad2deg(np.arccos((np.trace(particles.stage[5:10], axis1=1, axis2=2) - 1) / 2))
    assert np.allclose(tilt, [0.0, 3.0, 3.0, 6.0, 6.0], atol=1e-3)
    assert all(len(np.unique(half)) == 1 for half in particles.half_set.reshape(6, 5))
    assert all(len(np.unique(each)) == 1 for each in states_in(written).reshape(6, 5))
    expected = expected_images(written, particles)
    found = images_of(particles)
    assert torch.allclose(found, expected, atol=1e-3 * float(expected.abs().max()))
    assert [line["particle"] for line in table_of(written)[4:6]] == ["0", "1"]


def test_poses_are_taken_over_and_particles_keep_one_state(star: Path, tmp_path: Path) -> None:
    tilts = run_job(states, settings(tmp_path / "tilts", count=4, tilts=3, snr=None))
    config = settings(tmp_path / "s", particles_star=tilts, count=None, snr=None)
    again = read_particles(run_job(states, config)).particles
    assert np.allclose(again.rotation, read_particles(tilts).particles.rotation, atol=1e-6)
    state = states_in(tmp_path / "s" / "particles.star").reshape(4, 3)
    assert (state == state[:, :1]).all()


def test_number_of_states_and_costs_follow_from_the_settings() -> None:
    assert num_states(StatesConfig()) == 2
    assert num_states(StatesConfig(model=Path("a.pdb"), hinge_chains=("A",))) == 100
    assert num_states(StatesConfig(model=Path("a.pdb"), drop_chains=";A;B")) == 3
    few = estimate_states(StatesConfig(count=100, box_size=50))
    many = estimate_states(StatesConfig(count=100, box_size=50, tilts=41, states=20))
    assert few.disk_bytes == 4 * 100 * 2500 + 2 * 4 * 50**3
    assert many.seconds > 10 * few.seconds


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--maps", "nothing.mrc"], "nothing.mrc"),
        (["--models", "nothing.pdb"], "nothing.pdb: no such file"),
        (["--models", "{model}", "--maps", "{model}"], "--maps and --models both name"),
        (["--model", "{model}"], "expected --hinge-chains or --drop-chains"),
        (["--model", "{model}", "--hinge-chains", "A", "--drop-chains", ";A"], "give one of them"),
        (["--hinge-chains", "A"], "needs a --model"),
        (["--model", "{model}", "--hinge-chains", "Q"], "there are A, B"),
        (["--model", "{model}", "--hinge-chains", "A,B"], "leave out what stays fixed"),
        (["--model", "{model}", "--hinge-chains", "A", "--hinge-axis", "up"], "auto or three"),
        (["--model", "{model}", "--hinge-chains", "A", "--hinge-axis", "0,0,0"], "a direction"),
        (["--model", "{model}", "--hinge-chains", "A", "--hinge-point", "1,2"], "auto or three"),
        (["--model", "{model}", "--drop-chains", "A,B"], "nothing of"),
        (["--model", "{model}", "--drop-chains", ";A", "--states", "5"], "but 2 are given"),
        (["--populations", "1,2,3"], "expected 2, one for each state"),
        (["--populations", "1,1000"], "would have no particle"),
        (["--states", "9"], "would have no particle"),
        (["--change", "loss", "--states", "3"], "--change loss has 2"),
        (["--tilts", "3", "--optics-groups", "2"], "does not go with --tilts"),
        (["--tilts", "99"], "expected less than 90"),
        (["--tilts", "1"], "--tilts"),
    ],
)
def test_impossible_settings_write_nothing(words, piece, tmp_path, capsys) -> None:
    model = write_model(tmp_path / "model.pdb", angled())
    words = [word.format(model=model) for word in words]
    command = ["simulate", "states", "--output", str(tmp_path / "out"), "--count", "4"]
    assert cli.main([*command, "--box-size", "16", *words]) == 2
    error = capsys.readouterr().err
    assert piece in error
    assert not list(tmp_path.glob("out/*.mrc*"))
    assert not list(tmp_path.glob("out/maps/*"))


def test_a_map_of_its_own_output_is_not_overwritten(tmp_path: Path, capsys) -> None:
    given = tmp_path / "out" / "maps" / "state_001.mrc"
    given.parent.mkdir(parents=True)
    write_volume(given, Volume(np.ones((16,) * 3, np.float32), 3.0))
    before = given.read_bytes()
    words = ["simulate", "states", "--count", "4", "--maps", f"{given},{given}"]
    assert cli.main([*words, "--output", str(tmp_path / "out")]) == 2
    assert "over itself" in capsys.readouterr().err
    assert given.read_bytes() == before
