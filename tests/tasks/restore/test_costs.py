"""Estimates grow as the work does."""

from pathlib import Path

import pytest
from toy_tomograms import write_pair

from icelens.tasks.restore.costs import estimate_predict, estimate_train
from icelens.tasks.restore.settings import DenoiseConfig, PredictConfig, RefineConfig


def test_training_time_grows_with_boxes_and_network(tmp_path: Path) -> None:
    star = write_pair(tmp_path, (4, 5, 6))
    one = RefineConfig(star=star, network="unet-small", epochs=1, threads=1, box_size=48)
    base = estimate_train(one)
    assert "4 boxes of 48 voxels" in base.notes[0]
    for change, factor in (
        ({"epochs": 3}, 3.0),
        ({"box_size": 96}, 8.0),
        ({"threads": 2}, 0.5),
        ({"subtomograms": 40}, 10.0),
        ({"network": "unet-medium"}, 4.0),
    ):
        changed = estimate_train(one.model_copy(update=change))
        assert changed.seconds == pytest.approx(factor * base.seconds)
    denoising = DenoiseConfig(star=star, network="unet-small", epochs=1, threads=1, box_size=48)
    assert estimate_train(denoising).seconds < base.seconds


def test_prediction_time_counts_voxels_of_both_halves_and_turned_copies(tmp_path: Path) -> None:
    star = write_pair(tmp_path, (4, 5, 6))
    one = PredictConfig(star=star, checkpoint=tmp_path, threads=1)
    base = estimate_predict(one)
    assert base.disk_bytes == 4 * 4 * 5 * 6
    once = estimate_predict(one.model_copy(update={"turned_copies": 1}))
    assert base.seconds == pytest.approx(4 * once.seconds)
    apart = estimate_predict(one.model_copy(update={"halves": "apart"}))
    assert apart.seconds == pytest.approx(2 * base.seconds)
