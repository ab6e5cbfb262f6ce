"""`icelens pose watch` from folder to map: alone, together, interrupted, killed."""

import json
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import watched_folder
from watched_folder import GROUP, PIXEL, write_incoming, write_model

from icelens.apps import cli
from icelens.core.errors import CheckpointError, IcelensError, StoppedEarly
from icelens.core.events import Message, Metrics, Progress
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.star import read_star
from icelens.core.io.volumes import open_volume
from icelens.jobs.run import run_job
from icelens.tasks.pose import watch as module
from icelens.tasks.pose.infer_jobs import infer
from icelens.tasks.pose.infer_settings import InferConfig
from icelens.tasks.pose.watch_jobs import watch
from icelens.tasks.pose.watch_settings import WatchConfig
from icelens.tasks.pose.watching import collector
from icelens.tasks.pose.watching.account import read_accounts

FORK = multiprocessing.get_context("fork")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture(autouse=True)
def _without_pictures(request, monkeypatch):
    """Drawing takes longer than all else; one test looks at the page."""
    if "page" not in request.node.name:
        monkeypatch.setattr(module, "write_live_page", lambda *words: [])
        monkeypatch.setattr("icelens.tasks.pose.infer.report_inference", lambda *words: None)


def settings(folder: Path, model: Path, **values: object) -> WatchConfig:
    known = {
        "folder": folder / "in",
        "output": folder / "live",
        "model": model,
        "settle": 0.0,
        "once": True,
        "refine": False,
        "threads": 1,
        "device": "cpu",
        "look_every": 0.05,
    }
    return WatchConfig.model_validate({**known, **values})


def halves(count: int = 6) -> dict[str, object]:
    return {"rlnRandomSubset": np.arange(count) % 2 + 1}


def volume(path: Path) -> np.ndarray:
    return np.array(open_volume(path).array)


def names_in(live: Path) -> list[str]:
    accounts = read_accounts(live / "accounts").values()
    return sorted(
        str(said["file"]) for each in accounts for said in each.contents.included.values()
    )


def close_to(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(np.abs(first - second).max() < 1e-4 * np.abs(second).max())


def test_watching_gives_what_infer_gives(tmp_path, model):
    files = [
        write_incoming(tmp_path / "in" / f"{name}.star", seed=seed, **halves())
        for seed, name in enumerate(["a b", "é"])
    ]
    config = settings(tmp_path, model)
    particles = read_particles(run_job(watch, config))
    shared = config.model_dump(include=set(InferConfig.model_fields) - {"output"})
    other = InferConfig(**shared, particles=tuple(files), output=tmp_path / "infer")
    expected = read_particles(run_job(infer, other))
    assert np.allclose(particles.particles.rotation, expected.particles.rotation, atol=1e-4)
    assert np.allclose(particles.particles.shift_yx, expected.particles.shift_yx, atol=1e-4)
    images = [ImageReader(each.particles).read(range(12)) for each in (particles, expected)]
    assert np.array_equal(*images)
    for name in ("half_1.mrc", "half_2.mrc", "map.mrc"):
        assert close_to(volume(config.output / name), volume(other.output / name))
    assert (config.output / "fsc.csv").read_text().count("\n") == 18
    blocks = read_star(config.output / "particles.star")
    assert len(blocks["optics"]) == 1, "equal groups are one"


def test_refined_poses_are_those_of_infer_too(tmp_path, model):
    path = write_incoming(tmp_path / "in" / "a.star", **halves())
    config = settings(tmp_path, model, refine=True, reconstruct=False, top_k_network=1)
    particles = read_particles(run_job(watch, config)).particles
    shared = config.model_dump(include=set(InferConfig.model_fields) - {"output"})
    other = InferConfig(**shared, particles=(path,), output=tmp_path / "infer")
    expected = read_particles(run_job(infer, other)).particles
    assert np.allclose(particles.rotation, expected.rotation, atol=1e-4)
    assert not list(config.output.glob("*.mrc"))


def work(config: WatchConfig) -> None:
    run_job(watch, config)


def test_processes_together_give_what_one_gives(tmp_path, model):
    for number in range(4):
        write_incoming(tmp_path / "in" / f"{number}.star", count=4, seed=number)
    alone = settings(tmp_path, model)
    run_job(watch, alone)
    together = settings(tmp_path, model, output=tmp_path / "together")
    processes = [FORK.Process(target=work, args=(together,)) for _ in range(2)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(60)
    assert [each.exitcode for each in processes] == [0, 0]
    assert names_in(together.output) == [f"{number}.star" for number in range(4)]
    tables = [read_star(each.output / "particles.star")["particles"] for each in (alone, together)]
    assert (tables[0]["rlnRandomSubset"] == tables[1]["rlnRandomSubset"]).all()
    for name in ("half_1.mrc", "half_2.mrc"):
        assert close_to(volume(together.output / name), volume(alone.output / name))
    folders = list((together.output / "workers").iterdir())
    assert len(folders) == 2
    assert {json.loads((each / "run.json").read_text())["state"] for each in folders} == {"done"}


def work_and_die(config: WatchConfig, place: str) -> None:
    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(collector, place, die)
    run_job(watch, config)


@pytest.mark.parametrize("place", ["write_maps", "join_particle_files", "write_json"])
def test_a_process_killed_while_it_sums_up_loses_nothing(tmp_path, model, place):
    write_incoming(tmp_path / "in" / "a.star", count=4)
    config = settings(tmp_path, model)
    process = FORK.Process(target=work_and_die, args=(config, place))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    write_incoming(tmp_path / "in" / "b.star", count=4)
    assert len(read_particles(run_job(watch, config))) == 8
    assert names_in(config.output) == ["a.star", "b.star"]
    assert (config.output / "map.mrc").is_file()


def test_an_interrupt_saves_what_is_done_and_the_same_command_goes_on(tmp_path, model):
    for number in range(3):
        write_incoming(tmp_path / "in" / f"{number}.star", count=4, seed=number)
    config = settings(tmp_path, model, save_every=1000.0)
    heard = []

    def interrupt(event: object) -> None:
        heard.append(event)
        if isinstance(event, Progress) and event.stage == "files" and event.done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_job(watch, config, on_event=interrupt)
    assert names_in(config.output) == ["0.star", "1.star"]
    (folder,) = (config.output / "workers").iterdir()
    assert json.loads((folder / "run.json").read_text())["state"] == "stopped"
    assert len(read_particles(run_job(watch, config))) == 12
    assert names_in(config.output) == ["0.star", "1.star", "2.star"]


def test_files_are_taken_as_they_come(tmp_path, model):
    (tmp_path / "in").mkdir()
    config = settings(tmp_path, model, once=False, settle=0.1, interval=0.01, save_every=0.0)
    heard = []

    def bring_another(event: object) -> None:
        if isinstance(event, Metrics):
            heard.append(event)
            if len(heard) == 3:
                os.kill(os.getpid(), signal.SIGINT)
            else:
                write_incoming(tmp_path / "in" / f"{len(heard)}.star", 4, seed=len(heard))

    write_incoming(tmp_path / "in" / "0.star", 4)
    with pytest.raises(KeyboardInterrupt):
        run_job(watch, config, on_event=bring_another)
    assert names_in(config.output) == ["0.star", "1.star", "2.star"]
    assert [event.step for event in heard] == [4, 8, 12]
    assert heard[-1].values["files"] == 3
    assert heard[-1].values["resolution"] >= 2 * PIXEL
    assert 0.0 < heard[-1].values["median_probability"] < 1.0


def test_it_ends_when_nothing_comes(tmp_path, model):
    (tmp_path / "in").mkdir()
    config = settings(tmp_path, model, once=False, stop_after=0.001)
    assert run_job(watch, config) == config.output


def test_the_time_limit_ends_it_cleanly(tmp_path, model):
    (tmp_path / "in").mkdir()
    config = settings(tmp_path, model, once=False, time_limit=0.001)
    with pytest.raises(StoppedEarly):
        run_job(watch, config)


def test_files_of_another_box_or_pixel_size_come_to_the_grid_of_the_first(tmp_path, model):
    path = write_incoming(tmp_path / "in" / "a.star")
    os.utime(path, (1000.0, 1000.0))
    write_incoming(tmp_path / "in" / "b.star", group=replace(GROUP, box_size=40, pixel_size=2.4))
    config = settings(tmp_path, model)
    run_job(watch, config)
    assert names_in(config.output) == ["a.star", "b.star"]
    header = open_volume(config.output / "map.mrc")
    assert header.shape == (32, 32, 32)
    assert header.pixel_size == pytest.approx(3.0)
    blocks = read_star(config.output / "particles.star")
    assert sorted(blocks["optics"]["rlnImageSize"]) == [32, 40]


def test_one_half_set_alone_gives_poses_and_no_map(tmp_path, model):
    write_incoming(tmp_path / "in" / "a.star", **{"rlnRandomSubset": np.ones(6, int)})
    config = settings(tmp_path, model)
    assert len(read_particles(run_job(watch, config))) == 6
    assert not list(config.output.glob("*.mrc"))


def test_a_file_that_knows_only_some_half_sets_is_left_out(tmp_path, model):
    write_incoming(tmp_path / "in" / "a.star", **{"rlnRandomSubset": [1, 2, 0, 1, 2, 0]})
    write_incoming(tmp_path / "in" / "b.star")
    config = settings(tmp_path, model)
    heard = []
    run_job(watch, config, on_event=heard.append)
    assert names_in(config.output) == ["b.star"]
    assert any(isinstance(event, Message) and "a.star: left out" in event.text for event in heard)


def test_other_settings_or_weights_for_the_same_output_are_refused(tmp_path, model, monkeypatch):
    (tmp_path / "in").mkdir()
    run_job(watch, settings(tmp_path, model))
    with pytest.raises(IcelensError, match=r"top_k = 1, this process has 2"):
        run_job(watch, settings(tmp_path, model, top_k=2))
    monkeypatch.setitem(watched_folder.NETWORK, "rotation_channels", 5)
    other = write_model(tmp_path / "other")
    with pytest.raises(IcelensError, match="weights"):
        run_job(watch, settings(tmp_path, other))
    run_job(watch, settings(tmp_path, model, settle=0.1, interval=5.0))


def test_the_page_shows_map_resolution_processes_and_what_was_left_out(tmp_path, model):
    write_incoming(tmp_path / "in" / "a.star")
    (tmp_path / "in" / "bad <b>.star").write_text("hello\n")
    config = settings(tmp_path, model)
    run_job(watch, config)
    write_incoming(tmp_path / "in" / "c.star")
    run_job(watch, config)
    page = (config.output / "report.html").read_text()
    for words in ("bad &lt;b&gt;.star", "resolution", "Central slices", "Processes", "half maps"):
        assert words in page
    (folder,) = (config.output / "workers").iterdir()
    assert "Central slices" in (folder / "report.html").read_text()
    lines = (config.output / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == [6, 12]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"folder": "absent"}, "no such folder"), ({"model": "absent"}, "model")],
)
def test_what_is_not_there_is_one_line(tmp_path, model, change, words, capsys):
    (tmp_path / "in").mkdir()
    paths = {"folder": tmp_path / "in", "model": model, "output": tmp_path / "live"}
    paths |= {name: tmp_path / value for name, value in change.items()}
    flags = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    assert cli.main(["pose", "watch", *flags, "--once", "--no-refine", "--settle", "0"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert words in said[0]


def test_refinement_without_a_map_is_refused_before_anything_is_done(tmp_path, model):
    lonely = write_model(tmp_path / "lonely")
    for path in lonely.rglob("map.mrc"):
        path.unlink()
    write_incoming(tmp_path / "in" / "a.star")
    with pytest.raises(CheckpointError, match="--no-refine"):
        run_job(watch, settings(tmp_path, lonely, refine=True))
    assert not (tmp_path / "live" / "claims").exists()


def test_a_folder_without_matching_files_is_told(tmp_path, model):
    write_incoming(tmp_path / "in" / "new.star", **halves())
    heard = []
    run_job(watch, settings(tmp_path, model, pattern="*.cs"), on_event=heard.append)
    texts = [event.text for event in heard if isinstance(event, Message)]
    assert any("no file named *.cs" in text for text in texts)
