"""`icelens pick import-octopi` converts a model and leaves nothing behind when it cannot."""

from pathlib import Path

import torch
import yaml
from monai.networks.nets.unet import UNet

from icelens.apps import cli
from icelens.tasks.pick.import_octopi_jobs import JOBS
from icelens.training.checkpoint import load_checkpoint


def write(folder: Path) -> Path:
    network = UNet(3, 1, 2, (4, 6), (2,), num_res_units=1)
    torch.save(network.state_dict(), folder / "best_model.pth")
    settings = {"channels": [4, 6], "strides": [2], "num_res_units": 1, "dropout": 0.0}
    model = {"architecture": "Unet", **settings, "num_classes": 2, "dim_in": 8}
    (folder / "model_config.yaml").write_text(yaml.safe_dump({"model": model}))
    return folder / "best_model.pth"


def test_the_command_converts_a_model(tmp_path: Path) -> None:
    weights, output = write(tmp_path), tmp_path / "imported"
    words = ["--weights", str(weights), "--voxel-size", "10", "--output", str(output)]
    assert cli.main(["pick", "import-octopi", *words]) == 0
    assert load_checkpoint(output).description["voxel_size"] == 10.0
    assert "no name" in (output / "log.txt").read_text()


def test_settings_may_lie_elsewhere(tmp_path: Path) -> None:
    weights = write(tmp_path)
    settings = (tmp_path / "model_config.yaml").rename(tmp_path / "other.yaml")
    words = ["--weights", str(weights), "--output", str(tmp_path / "out")]
    assert cli.main(["pick", "import-octopi", *words]) == 2
    assert cli.main(["pick", "import-octopi", *words, "--settings", str(settings)]) == 0


def test_the_job_is_listed() -> None:
    assert [job.name for job in JOBS] == ["pick.import-octopi"]
