"""The assess job: curves, maps of disagreement and a report for each tomogram."""

import csv
from pathlib import Path

import numpy as np
import pytest
from toy_tomograms import write_checkpoint, write_pair

from icelens.core.errors import CheckpointError
from icelens.core.io.volumes import open_volume
from icelens.jobs.run import run_job
from icelens.tasks.restore.network_jobs import assess
from icelens.tasks.restore.settings import AssessConfig


@pytest.mark.parametrize("method", ["even-odd", "single-map"])
def test_answers_are_written_tabulated_and_drawn(tmp_path: Path, method: str) -> None:
    star = write_pair(tmp_path, (16, 24, 28))
    config = AssessConfig(
        star=star,
        checkpoint=write_checkpoint(tmp_path, method=method),
        output=tmp_path / "assess",
        device="cpu",
        threads=1,
    )
    (answer,) = run_job(assess, config)
    table = next((tmp_path / "assess").glob("*_correlations.csv"))
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == 15  # shells up to Nyquist of the longest side, 28
    assert ("halves, missing region" in rows[0]) == (method == "even-odd")
    assert "truth, missing region" in rows[0]
    disagreement = open_volume(answer.disagreement)
    assert disagreement.shape == (16, 24, 28)
    assert np.isfinite(disagreement.array).all()
    assert "hidden" in (tmp_path / "assess" / "report.html").read_text()
    assert abs(answer.hidden.predicted_total) < 0.2  # what mirrored borders let through


def test_denoiser_is_refused_because_it_fills_no_wedge(tmp_path: Path) -> None:
    config = AssessConfig(
        star=write_pair(tmp_path, (16, 24, 28)),
        checkpoint=write_checkpoint(tmp_path, method="denoise"),
        output=tmp_path / "assess",
        device="cpu",
        threads=1,
    )
    with pytest.raises(CheckpointError, match="holds a denoiser, which fills no wedge"):
        run_job(assess, config)
