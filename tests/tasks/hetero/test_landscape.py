"""The landscape of a family of known volumes shows its parameter and its states."""

import numpy as np
import pandas
import pytest
import torch
from linear_family import BOX, PIXEL, FamilyModel, make_run, moving, occupied, use_model
from sklearn.metrics import adjusted_rand_score

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.events import Message, ignore
from icelens.core.io.volumes import open_volume, write_volume
from icelens.tasks.hetero.landscape import find_landscape
from icelens.tasks.hetero.landscape_files import write_landscape
from icelens.tasks.hetero.landscape_jobs import LandscapeConfig

RNG = np.random.default_rng(0)
PARAMETER = RNG.uniform(-1, 1, 300)
STATES = RNG.permutation(np.repeat([0, 1], [90, 210]))
QUICK = {"volumes": 40, "mapped": 60, "box_size": 16, "traversals": 1}


def analyse(run, folder=None, **settings):
    """What the job does but for the report, whose pictures take long."""
    config = LandscapeConfig(run=run, **(QUICK | settings))
    folder = folder or config.output
    write_landscape(find_landscape(config, folder, ignore), config, folder, ignore)
    return folder


def command(run, *words):
    quick = [f"--{key.replace('_', '-')}={value}" for key, value in QUICK.items()]
    return cli.main(["hetero", "landscape", "--run", str(run), *quick, *words])


@pytest.fixture
def ramp(tmp_path, monkeypatch):
    """One ball moves along y by the first latent; the second latent says nothing."""
    model = use_model(monkeypatch, FamilyModel(moving, 2))
    latent = np.stack([PARAMETER, RNG.standard_normal(300)], axis=1)
    return make_run(tmp_path / "run", latent), model


@pytest.fixture
def two(tmp_path, monkeypatch):
    """A ball is there in 70 % of the particles; latents of a state are spread."""
    model = use_model(monkeypatch, FamilyModel(lambda z: occupied((z > 0.5).float()), 2))
    latent = np.stack([STATES + RNG.uniform(-0.3, 0.3, 300), RNG.uniform(-1, 1, 300)], axis=1)
    return make_run(tmp_path / "run", latent), model


def results(run):
    return run / "analysis" / "landscape"


def test_first_component_is_the_parameter_of_the_family(ramp):
    run, _ = ramp
    analyse(run)
    table = pandas.read_csv(results(run) / "coordinates.csv")
    assert abs(np.corrcoef(table["pc_1"], PARAMETER)[0, 1]) > 0.99
    decoded = table["decoded"] == 1
    assert 90 <= decoded.sum() <= 100
    assert abs(np.corrcoef(table["pc_1"][~decoded], PARAMETER[~decoded])[0, 1]) > 0.99
    explained = pandas.read_csv(results(run) / "explained.csv")
    assert explained["explained"][0] > 0.8
    assert explained["held_out_r2"][0] > 0.95
    assert explained["explained_together"].iloc[-1] == pytest.approx(1, abs=0.01)


def test_states_of_the_volumes_are_the_states_of_the_particles(two):
    run, _ = two
    analyse(run, clusters=2)
    table = pandas.read_csv(results(run) / "states.csv")
    assert adjusted_rand_score(STATES, table["state"]) == 1.0
    assert sorted(table["state"].unique()) == [1, 2]
    assert (table["state"] == 1).sum() == 210  # the most populated is number 1
    for community in table["community"].unique():
        assert len(set(STATES[table["community"] == community])) == 1
    counts = pandas.read_csv(results(run) / "state_counts.csv")
    assert counts["particles"].tolist() == [210, 90]
    assert counts["share"].tolist() == pytest.approx([0.7, 0.3])
    assert (counts["half_set_1"] + counts["half_set_2"]).tolist() == [210, 90]


def test_mean_maps_of_states_are_their_volumes_with_contrast_and_sampling(two):
    run, model = two
    analyse(run, clusters=2)
    full, empty = (
        np.asarray(open_volume(results(run) / "states" / f"state_0{n}_mean.mrc").array)
        for n in (1, 2)
    )
    volume = open_volume(results(run) / "states" / "state_01_std.mrc")
    assert volume.pixel_size == pytest.approx(PIXEL * BOX / 16)
    assert np.asarray(volume.array).max() < 1e-4
    truth = [next(model.volumes(torch.tensor([[z, 0.0]]), box_size=16)).numpy() for z in (1.0, 0.0)]
    assert full == pytest.approx(truth[0], abs=1e-5)
    assert empty == pytest.approx(truth[1], abs=1e-5)
    mean = np.asarray(open_volume(results(run) / "mean.mrc").array)
    assert mean == pytest.approx(0.7 * truth[0] + 0.3 * truth[1], abs=1e-4)


def test_free_energy_tells_how_much_rarer_a_state_is(two):
    run, _ = two
    analyse(run, bins=8, mapped=300)  # all of them
    table = pandas.read_csv(results(run) / "free_energy_pc_1.csv")
    filled = table[table["count"] > 0]
    assert filled["count"].tolist() in ([90, 210], [210, 90])
    assert filled["energy_kT"].max() == pytest.approx(np.log(210 / 90), abs=1e-3)
    assert (filled["error_kT"] > 0).all()
    assert table["energy_kT"].isna().sum() == len(table) - len(filled)


def test_frames_along_a_component_go_from_end_to_end(ramp):
    run, _ = ramp
    analyse(run, frames=5)
    folder = results(run) / "pc_1"
    table = pandas.read_csv(folder / "frames.csv")
    assert table["file"].tolist() == [f"frame_0{n}.mrc" for n in range(1, 6)]
    along = PARAMETER[table["nearest_row"]]
    assert abs(np.corrcoef(along, np.arange(5))[0, 1]) > 0.97
    assert table["num_near"].sum() <= 300
    centres = []
    for file in table["file"]:
        array = np.asarray(open_volume(folder / file).array)[:, :, 9:]
        y = np.arange(16)[None, :, None] - 8
        centres.append((array * y).sum() / array.sum())
    steps = np.diff(centres)
    assert (steps > 0).all() or (steps < 0).all()


def test_report_shows_what_was_found(two):
    run, _ = two
    assert command(run, "--clusters", "3") == 0
    page = (results(run) / "report.html").read_text()
    for word in ("What moves", "How often", "States", "Communities"):
        assert word in page
    for picture in ("explained", "free_energy", "states", "state_maps", "communities"):
        assert (results(run) / f"{picture}.png").is_file()


def test_stopped_decode_goes_on_and_ends_in_the_same_files(ramp, monkeypatch):
    run, model = ramp
    analyse(run, run.parent / "whole")
    whole = model.num_made
    model.num_made, model.stop_after = 0, 30
    with pytest.raises(KeyboardInterrupt):
        analyse(run)
    assert model.num_made == 30
    assert not (results(run) / "states.csv").exists()
    model.num_made, model.stop_after = 0, None
    analyse(run)
    assert model.num_made == whole - 20  # volumes are noted by twenties
    for name in ("states.csv", "coordinates.csv", "explained.csv"):
        assert (results(run) / name).read_bytes() == (run.parent / "whole" / name).read_bytes()


def test_other_clusters_decode_nothing_anew_but_another_model_does(ramp, monkeypatch):
    run, model = ramp
    analyse(run)
    model.num_made = 0
    analyse(run, clusters=4)
    assert model.num_made == 2  # the first of either file is decoded to see that it is the same
    other = use_model(monkeypatch, FamilyModel(occupied, 2))
    analyse(run)
    assert other.num_made > 90


def test_given_mask_is_what_components_see(ramp, tmp_path):
    run, _ = ramp
    mask = np.zeros((BOX,) * 3, np.float32)
    mask[:, :, : BOX // 2 - 1] = 1  # the ball that stays, at twice the sampling of the volumes
    write_volume(tmp_path / "mask.mrc", Volume(mask, PIXEL))
    analyse(run, mask=tmp_path / "mask.mrc", box_size=24)
    used = np.asarray(open_volume(results(run) / "mask.mrc").array)
    assert np.array_equal(used, mask)
    moved = pandas.read_csv(results(run) / "explained.csv")["variance"].sum()
    analyse(run, box_size=24)
    assert moved < 0.2 * pandas.read_csv(results(run) / "explained.csv")["variance"].sum()


def test_few_particles_are_all_decoded(tmp_path, monkeypatch):
    use_model(monkeypatch, FamilyModel(moving, 1))
    run = make_run(tmp_path / "run", PARAMETER[:12, None])
    analyse(run, clusters=20)
    table = pandas.read_csv(results(run) / "coordinates.csv")
    assert (table["decoded"] == 1).all()
    assert pandas.read_csv(results(run) / "explained.csv")["held_out_r2"].isna().all()


def test_fewer_traversals_take_earlier_ones_away_and_nothing_else(ramp):
    run, _ = ramp
    analyse(run, traversals=2)
    (results(run) / "pc_2" / "notes.txt").write_text("mine")
    analyse(run, traversals=1)
    assert [path.name for path in (results(run) / "pc_2").iterdir()] == ["notes.txt"]


def test_volumes_that_hardly_differ_are_said_to(tmp_path, monkeypatch):
    use_model(monkeypatch, FamilyModel(lambda z: occupied(1 + 0.001 * z), 1))
    config = LandscapeConfig(run=make_run(tmp_path / "run", PARAMETER[:60, None]), **QUICK)
    events = []
    find_landscape(config, tmp_path, events.append)
    warnings = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert any("hardly any variety" in text for text in warnings)


@pytest.mark.parametrize(
    ("latent", "density", "found"),
    [
        (np.zeros((20, 2)), moving, "same"),
        (np.zeros((20, 0)), moving, "one structure"),
        (RNG.standard_normal((20, 2)), lambda z: occupied(0 * z), "alike"),
        (RNG.standard_normal((20, 2)), lambda z: occupied(z) * float("nan"), "not finite"),
    ],
)
def test_runs_without_a_landscape_are_refused_in_one_line(
    latent, density, found, tmp_path, monkeypatch, capsys
):
    use_model(monkeypatch, FamilyModel(density, latent.shape[1]))
    run = make_run(tmp_path / "run", latent)
    assert command(run) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert found in error
    assert not (results(run) / "states.csv").exists()


def test_dry_run_says_what_it_costs(ramp):
    run, model = ramp
    assert command(run, "--dry-run") == 0
    assert model.num_made == 0
    assert not (run / "analysis").exists()


def test_folder_that_is_no_run_is_refused_and_nothing_is_made_in_it(tmp_path, capsys):
    assert command(tmp_path) == 2
    assert "no run of hetero" in capsys.readouterr().err
    assert command(tmp_path / "none") == 2
    assert not list(tmp_path.iterdir())
