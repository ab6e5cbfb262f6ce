"""Pictures of a job."""

import os

from icelens.apps.web.job_view.pictures import card_picture, pictures_in, sorted_out


def put(folder, name, modified=1000):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"png")
    os.utime(path, (modified, modified))


def test_pictures_by_step_make_a_series_in_the_order_of_steps(tmp_path):
    for step in (20, 100, 3):
        put(tmp_path, f"preview/TS_01_step_{step:06d}_slices.png")
    put(tmp_path, "fsc.png")
    (series,), single = sorted_out(pictures_in(tmp_path))
    assert (series.title, series.unit, series.steps) == ("TS 01 slices", "step", (3, 20, 100))
    assert [picture.name for picture in single] == ["fsc"]


def test_the_latest_picture_stands_for_the_job_but_not_the_loss(tmp_path):
    put(tmp_path, "old_slices.png", 1000)
    put(tmp_path, "power.png", 5010)
    put(tmp_path, "new_slices.png", 5000)
    put(tmp_path, "loss.png", 9000)
    assert card_picture(pictures_in(tmp_path)).name == "new_slices"


def test_links_hidden_folders_and_what_is_missing_give_no_pictures(tmp_path):
    outside = tmp_path / "outside"
    put(outside, "secret.png")
    folder = tmp_path / "job"
    put(folder, ".live/hidden.png")
    (folder / "link.png").symlink_to(outside / "secret.png")
    (folder / "linked").symlink_to(outside)
    assert pictures_in(folder) == []
    assert pictures_in(tmp_path / "gone") == []
    assert pictures_in(None) == []
    assert card_picture([]) is None
