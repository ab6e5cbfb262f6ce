"""The predict job: grey scale, header and list are kept; what does not fit is refused."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from toy_tomograms import write_checkpoint, write_pair

from icelens.core.errors import CheckpointError, IcelensError, StoppedEarly
from icelens.core.io.tomogram_star import read_tomograms
from icelens.core.io.volumes import open_volume
from icelens.jobs.run import run_job
from icelens.tasks.restore.apply import tile_plan
from icelens.tasks.restore.network_jobs import predict
from icelens.tasks.restore.settings import PredictConfig


def settings(star: Path, checkpoint: Path, **changes: Any) -> PredictConfig:
    fields = {"star": star, "checkpoint": checkpoint, "output": star.parent / "out"}
    fixed = {"device": "cpu", "precision": "float32", "threads": 1}
    return PredictConfig(**{**fields, **fixed, **changes})


@pytest.mark.parametrize("contrast", ["auto", "dark", "light"])
def test_identity_keeps_grey_scale_contrast_and_header(tmp_path: Path, contrast: str) -> None:
    star = write_pair(tmp_path, (10, 20, 30))
    path = write_checkpoint(tmp_path, method="single-map")
    config = settings(star, path, contrast=contrast, apply_wedge=False, input_column="full")
    (written,) = run_job(predict, config)
    before, after = open_volume(tmp_path / "TS_01_full.mrc"), open_volume(written)
    np.testing.assert_allclose(after.array, before.array, atol=1e-5)  # float32 rounding
    assert after.pixel_size == pytest.approx(10.0)
    assert after.origin_xyz == before.origin_xyz == (1.0, 2.0, 3.0)
    assert next(iter(read_tomograms(star))).corrected == written
    assert (config.output / "report.html").is_file()


def test_denoiser_fills_the_column_of_denoised_tomograms(tmp_path: Path) -> None:
    star = write_pair(tmp_path, (10, 20, 30))
    (written,) = run_job(predict, settings(star, write_checkpoint(tmp_path), prefix="my_"))
    row = next(iter(read_tomograms(star)))
    assert written.name == "my_TS_01.mrc"
    assert (row.denoised, row.corrected) == (written, None)


def test_wedge_is_taken_out_first_where_the_network_fills_it(tmp_path: Path) -> None:
    star = write_pair(tmp_path, (16, 16, 16))
    path = write_checkpoint(tmp_path, method="single-map")
    run_job(predict, settings(star, path, apply_wedge=True))
    after = open_volume(tmp_path / "out" / "TS_01_full.mrc").array
    spectrum = np.abs(np.fft.rfftn(np.asarray(after)))
    assert spectrum[1:8, 0, 0].max() < 0.2 * spectrum[0, 0, 1:8].max()  # along the beam


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"pixel_size": 13.0}, "trained at 13 Å/px"),
        ({"task": "pick"}, "made by task 'pick'"),
        ({"network": "tiny"}, "weights do not fit tiny"),
        ({"network": "gone"}, "gone: no such network"),
    ],
)
def test_checkpoint_of_something_else_is_refused(
    tmp_path: Path, description: dict[str, Any], message: str
) -> None:
    star = write_pair(tmp_path, (10, 20, 30))
    before = star.read_bytes()
    with pytest.raises(IcelensError, match=message) as caught:
        run_job(predict, settings(star, write_checkpoint(tmp_path, **description)))
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "out").glob("*.mrc"))
    assert star.read_bytes() == before


def test_pickle_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    star, path = write_pair(tmp_path, (10, 20, 30)), tmp_path / "network.pt"
    torch.save(nn.Conv3d(1, 1, 3).state_dict(), path)
    with pytest.raises(CheckpointError, match="icelens restore import-checkpoint"):
        run_job(predict, settings(star, path))


def test_time_limit_leaves_no_half_written_tomogram(tmp_path: Path) -> None:
    star = write_pair(tmp_path, (10, 20, 30))
    with pytest.raises(StoppedEarly):
        run_job(predict, settings(star, write_checkpoint(tmp_path), time_limit=1e-9))
    assert not list((tmp_path / "out").glob("*.mrc"))
    assert next(iter(read_tomograms(star))).denoised is None


def test_padding_factor_is_the_side_of_a_tile_over_what_is_kept(tmp_path: Path) -> None:
    plan = tile_plan(settings(tmp_path / "a.star", tmp_path, tile_size=96, padding_factor=1.5))
    assert plan is not None
    assert plan.tile_size - 2 * plan.margin - plan.ramp == 64
    assert tile_plan(settings(tmp_path / "a.star", tmp_path)) is None


def test_resumed_run_keeps_what_it_restored_with_these_weights(tmp_path: Path) -> None:
    star = write_pair(tmp_path, (10, 20, 30))
    path = write_checkpoint(tmp_path)
    config = settings(star, path)
    (written,) = run_job(predict, config)
    first = written.stat().st_mtime_ns
    run_job(predict, config, resume=True)
    assert written.stat().st_mtime_ns == first
    later = written.stat().st_mtime + 5
    os.utime(path, (later, later))  # as if trained further
    run_job(predict, config, resume=True)
    assert written.stat().st_mtime_ns > first
