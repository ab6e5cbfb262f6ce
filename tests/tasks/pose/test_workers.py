from pathlib import Path

import numpy as np
import pytest
import torch
from watched_folder import write_incoming, write_model

from icelens.core.events import Event
from icelens.tasks.pose.found_poses import FoundPoses
from icelens.tasks.pose.infer import PartKey, fingerprint
from icelens.tasks.pose.infer_settings import InferConfig
from icelens.tasks.pose.workers import Share, do_share, own_settings


def config_in(folder: Path, **settings: object) -> InferConfig:
    star = write_incoming(folder / "new.star", 6, rlnRandomSubset=[1, 2, 1, 2, 1, 2])
    usual: dict[str, object] = {"device": "cpu", "threads": 4, "refine": False}
    return InferConfig(
        model=write_model(folder / "model"),
        particles=(star,),
        output=folder / "out",
        **(usual | settings),
    )


def test_cores_are_shared_and_a_worker_has_no_workers(tmp_path: Path) -> None:
    own = own_settings(config_in(tmp_path, workers=3), 1, 3)
    assert (own.workers, own.threads, own.device) == (1, 1, "cpu")


def test_each_worker_has_a_gpu_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    config = config_in(tmp_path, device="auto")
    assert [own_settings(config, n, 3).device for n in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    # one that was named is kept
    assert own_settings(config_in(tmp_path, device="cuda:1"), 0, 2).device == "cuda:1"


def test_settings_of_a_worker_make_the_same_results(tmp_path: Path) -> None:
    config = config_in(tmp_path, workers=2)
    assert fingerprint(own_settings(config, 0, 2)) == fingerprint(config)


def test_a_share_leaves_its_parts_in_files(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    heard: list[Event] = []
    do_share(Share(config, tmp_path, [PartKey(2, 0, (0, 3))], "mark"), heard.append)
    found, mark = FoundPoses.read(tmp_path / "half_2_part_1_poses.safetensors")
    assert mark == "mark"
    assert np.array_equal(found.rows, [1, 3, 5])
    assert (tmp_path / "half_2_part_1_sums.safetensors").is_file()
    assert heard
