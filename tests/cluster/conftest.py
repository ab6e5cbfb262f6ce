"""A real SLURM of two nodes for the tests of this folder, and a project whose jobs it runs."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_project import ClusterProject

from icelens.jobs.project.cluster.folders import add_lane, find_lanes

SLURM_SCRIPT = Path(__file__).with_name("slurm.sh")


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a SLURM that runs as long as the tests do."""
    # a short path: munge's socket has at most 107 characters
    folder = tmp_path_factory.mktemp("slurm")
    started = subprocess.run(
        [SLURM_SCRIPT, "start", folder], capture_output=True, text=True, check=False
    )
    if started.returncode == 77:
        pytest.skip(started.stdout.strip())
    assert started.returncode == 0, started.stderr
    try:
        yield folder
    finally:
        subprocess.run([SLURM_SCRIPT, "stop", folder], check=False)


@pytest.fixture
def slurm_up(slurm: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SLURM's commands talk to the SLURM of the tests."""
    for name in [name for name in os.environ if name.startswith(("SLURM_", "SBATCH_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SLURM_CONF", str(slurm / "slurm.conf"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / "src"))
    return slurm


@pytest.fixture
def cluster_project(slurm_up: Path, tmp_path: Path) -> ClusterProject:
    """In a folder with a name that a shell would take apart."""
    folder = tmp_path / "pro ject's $HOME & `x`"
    folder.mkdir()
    add_lane(folder, "slurm", "site")
    return ClusterProject(folder, find_lanes(folder)["site"])
