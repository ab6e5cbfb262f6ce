"""Event files hold what was logged, as TensorBoard itself reads them."""

from pathlib import Path

import pytest
from toy_job import ToyConfig, toy

from icelens.core.events import Metrics
from icelens.jobs.run import run_job
from icelens.jobs.tensorboard_tracker import WRITE_SECONDS, TensorBoard

pytest.importorskip("tensorboard", reason="the extra [tensorboard] is not installed")


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values of each curve, by TensorBoard's own reader."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(folder))
    reader.Reload()
    return {
        name: [(found.step, found.value) for found in reader.Scalars(name)]
        for name in reader.Tags()["scalars"]
    }


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_scalars_are_read_back(tmp_path: Path) -> None:
    tracker = TensorBoard(tmp_path)
    tracker.log(Metrics(1, {"loss": 0.5, "learning_rate": 0.25}))
    tracker.log(Metrics(2, {"loss": 0.125, "learning_rate": 0.25}))
    tracker.log(Metrics(2, {"score": 2.0}))
    tracker.close("done")
    assert read(tmp_path / "tensorboard") == {
        "loss": [(1, 0.5), (2, 0.125)],
        "learning_rate": [(1, 0.25), (2, 0.25)],
        "score": [(2, 2.0)],
    }


def test_values_that_are_not_finite_are_kept(tmp_path: Path) -> None:
    tracker = TensorBoard(tmp_path)
    tracker.log(Metrics(1, {"loss": float("inf")}))
    tracker.close("failed")
    assert read(tmp_path / "tensorboard") == {"loss": [(1, float("inf"))]}


def test_resumed_steps_replace_those_that_were_lost(tmp_path: Path) -> None:
    for first, value in ((1, 1.0), (3, 2.0)):
        tracker = TensorBoard(tmp_path)
        for step in range(first, first + 4):
            tracker.log(Metrics(step, {"loss": value}))
        tracker.close("stopped")
    expected = [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0), (5, 2.0), (6, 2.0)]
    assert read(tmp_path / "tensorboard")["loss"] == expected


def test_steps_after_a_roll_back_replace_those_before(tmp_path: Path) -> None:
    tracker = TensorBoard(tmp_path)
    for step, value in ((1, 1.0), (2, 1.0), (3, 1.0), (2, 3.0), (3, 3.0)):
        tracker.log(Metrics(step, {"loss": value}))
    tracker.close("done")
    assert read(tmp_path / "tensorboard")["loss"] == [(1, 1.0), (2, 3.0), (3, 3.0)]


def test_parts_have_folders_of_their_own(tmp_path: Path) -> None:
    tracker = TensorBoard(tmp_path)
    tracker.log(Metrics(1, {"loss": 1.0}, part="fold 1"))
    tracker.log(Metrics(1, {"loss": 2.0}, part="../fold 2"))
    tracker.close("done")
    folders = sorted(path.parent for path in files_in(tmp_path))
    assert folders == [tmp_path / "tensorboard" / name for name in (".._fold_2", "fold_1")]
    assert read(tmp_path / "tensorboard" / "fold_1") == {"loss": [(1, 1.0)]}


def test_curves_grow_while_the_run_lives(tmp_path: Path) -> None:
    now = [0.0]
    tracker = TensorBoard(tmp_path, clock=lambda: now[0])
    tracker.log(Metrics(1, {"loss": 1.0}))
    assert files_in(tmp_path) == []
    now[0] = WRITE_SECONDS
    tracker.log(Metrics(2, {"loss": 1.0}))
    assert len(read(tmp_path / "tensorboard")["loss"]) == 2


def test_a_folder_that_cannot_be_written_only_costs_the_curves(tmp_path: Path) -> None:
    star = tmp_path / "tomograms.star"
    star.write_text("data_\n")
    config = ToyConfig(star=star, output=tmp_path / "toy")
    config.output.mkdir()
    (config.output / "tensorboard").write_text("a file in the way")
    assert run_job(toy, config, trackers=["tensorboard"]).exists()
    log = (config.output / "log.txt").read_text()
    assert log.count("no longer tracked there") == 1


def test_a_run_is_tracked_by_its_flag(tmp_path: Path) -> None:
    star = tmp_path / "tomograms.star"
    star.write_text("data_\n")
    config = ToyConfig(star=star, output=tmp_path / "toy")
    run_job(toy, config, trackers=["tensorboard"])
    run_job(toy, config, resume=True, trackers=["tensorboard"])
    assert [step for step, _ in read(config.output / "tensorboard")["loss"]] == [0, 1, 2]
