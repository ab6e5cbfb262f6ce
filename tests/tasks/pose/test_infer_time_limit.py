from pathlib import Path

import pytest
from watched_folder import write_incoming, write_model

from icelens.core.errors import StoppedEarly
from icelens.core.io.particle_files import read_particles
from icelens.jobs.run import run_job
from icelens.tasks.pose.infer_jobs import infer
from icelens.tasks.pose.infer_settings import InferConfig


def test_time_limit_stops_an_inference_and_resuming_ends_it(tmp_path: Path) -> None:
    config = InferConfig(
        model=write_model(tmp_path / "model"),
        particles=(write_incoming(tmp_path / "new.star", 6, rlnRandomSubset=[1, 2] * 3),),
        output=tmp_path / "out",
        device="cpu",
        threads=1,
        refine=False,
        time_limit=1e-9,
    )
    with pytest.raises(StoppedEarly, match="time limit"):
        run_job(infer, config)
    assert not (tmp_path / "out" / "particles.star").exists()
    run_job(infer, config.model_copy(update={"time_limit": None}), resume=True)
    assert len(read_particles(tmp_path / "out" / "particles.star")) == 6
    assert not (tmp_path / "out" / "parts").exists()
