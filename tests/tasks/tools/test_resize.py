"""`icelens tools resize`: every volume of a list, block by block, and nothing else changed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError, InputFileError, MetadataError
from icelens.core.events import Event, Message
from icelens.core.fourier.rescale import rescale
from icelens.core.io.tomogram_star import read_tomograms, write_tomograms
from icelens.core.io.volumes import open_volume, write_volume
from icelens.jobs.run import run_job
from icelens.tasks.tools import resize as module
from icelens.tasks.tools.jobs import ResizeConfig, resize

SHAPE = (12, 20, 18)


def write(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, Volume(values.astype(np.float32), 10.0, (5.0, 6.0, 7.0)))
    return path


@pytest.fixture
def star(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    box = tmp_path / "a.box"
    box.write_text("10 4 2\n")
    mask = np.zeros(SHAPE)
    mask[3:9, 5:15, 4:14] = 1.0
    rows = [
        TomogramRow(
            index=index,
            pixel_size=10.0,
            even=write(tmp_path / f"even{index}" / "TS.mrc", random.normal(size=SHAPE)),
            odd=write(tmp_path / f"odd{index}" / "TS.mrc", random.normal(size=SHAPE)),
            mask=write(tmp_path / f"mask{index}.mrc", mask),
            picks=box if index == 1 else None,
            mask_boundary=tmp_path / "a.mod" if index == 2 else None,
            num_subtomograms=50,
        )
        for index in (1, 2)
    ]
    path = tmp_path / "tomograms.star"
    write_tomograms(path, TomogramList.from_rows(rows))
    return path


def resized(star: Path, **settings: object) -> tuple[list[TomogramRow], list[Event]]:
    events: list[Event] = []
    values = {"star": star, "pixel_size": 14.0, "output": star.parent / "resized", **settings}
    path = run_job(resize, ResizeConfig.model_validate(values), on_event=events.append)
    return list(read_tomograms(path)), events


@pytest.mark.parametrize("block_bytes", [1, 1 << 26])
def test_volumes_are_those_of_rescaling_at_once_whatever_the_block(star, block_bytes, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", block_bytes)
    before = list(read_tomograms(star))
    rows, _ = resized(star)
    for old, new in zip(before, rows, strict=True):
        volume = open_volume(new.require("even"))
        source = torch.from_numpy(np.array(open_volume(old.require("even")).array))
        expected = rescale(source, pixel_size=10.0, new_pixel_size=14.0)
        np.testing.assert_allclose(volume.array, expected, atol=1e-5)
        assert volume.pixel_size == pytest.approx(14.0, rel=1e-6)
        assert volume.origin_xyz == (5.0, 6.0, 7.0)


def test_list_keeps_everything_but_paths_and_pixel_size(star):
    before = read_tomograms(star).table
    rows, events = resized(star)
    after = read_tomograms(star.parent / "resized" / "tomograms.star").table
    changed = {name for name in before if list(before[name]) != list(after[name])}
    assert changed == {
        "rlnPixelSize", "rlnTomoReconstructedTomogramHalf1", "rlnTomoReconstructedTomogramHalf2",
        "rlnMaskName", "rlnMaskBoundary", "rlnBoxFile",
    }  # fmt: skip
    assert [row.pixel_size for row in rows] == [14.0, 14.0]
    assert len({row.even for row in rows}) == 2, "files of one name do not overwrite each other"
    warnings = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert any("a.mod" in text for text in warnings)
    assert not list((star.parent / "resized").rglob(".resize-*"))


def test_hard_masks_stay_hard_and_positions_stay_in_place(star):
    rows, _ = resized(star)
    mask = open_volume(rows[0].require("mask"), pixel_size=14.0).array
    assert set(np.unique(mask)) == {0, 1}
    assert mask.mean() == pytest.approx(6 * 10 * 10 / np.prod(SHAPE), rel=0.2)
    picked = np.loadtxt(rows[0].require("picks"))
    np.testing.assert_allclose(picked * 14.0, [100.0, 40.0, 20.0], atol=0.02)


def test_only_the_rows_asked_for(star):
    rows, _ = resized(star, tomograms="2")
    assert [row.index for row in rows] == [2]


def test_soft_masks_stay_between_zero_and_one(tmp_path):
    soft = Volume(np.random.default_rng(0).random(SHAPE).astype(np.float32), 10.0)
    target = tmp_path / "soft.mrc"
    module.resize_volume(soft, target, target, pixel_size=7.0, is_mask=True)
    values = open_volume(target).array
    assert values.min() >= 0
    assert values.max() <= 1
    assert len(np.unique(values)) > 100


@pytest.mark.parametrize("kind", ["missing", "nan", "contradiction", "too coarse"])
def test_bad_volumes_end_before_a_list_is_written(star, kind):
    row = next(iter(read_tomograms(star)))
    path, size, error = row.require("odd"), 14.0, InputFileError
    if kind == "missing":
        path.unlink()
    elif kind == "nan":
        write(path, np.full(SHAPE, np.nan))
    elif kind == "contradiction":
        write_volume(path, Volume(np.ones(SHAPE, np.float32), 13.0))
        error = MetadataError
    else:
        size, error = 500.0, MetadataError
    with pytest.raises(error) as caught:
        resized(star, pixel_size=size)
    assert isinstance(caught.value, IcelensError)
    assert not (star.parent / "resized" / "tomograms.star").exists()
    assert not list((star.parent / "resized").rglob(".resize-*"))
