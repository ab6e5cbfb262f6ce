"""Sheets of particle images, their columns, and where they are seen from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hetero_world import BOX, Made, two_states, write_list

from icelens.apps.web.work import particles
from icelens.apps.web.work.view_map import view_density
from icelens.core.errors import IcelensError
from icelens.core.io.volumes import open_volume


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return two_states(tmp_path_factory.mktemp("images"), 24)


def sheet(made: Made, **settings):
    answer = particles.montage(
        file=str(made.star), roots=[str(made.star.parent)], side=BOX, **settings
    )
    side = answer.data["side"]
    return answer.data, np.frombuffer(answer.blob, np.uint8).reshape(-1, side, side)


def test_images_come_in_order_upright_in_grey_values(made: Made) -> None:
    facts, grey = sheet(made, first=2, count=5, contrast=0.0)
    assert facts["rows"] == [2, 3, 4, 5, 6]
    assert facts["total"] == 24
    image = np.asarray(open_volume(made.star.parent / "images_0.mrcs").array[2])
    share = (image - image.min()) / np.ptp(image)
    np.testing.assert_allclose(grey[0][::-1] / 255.0, share, atol=0.01)
    inverted = sheet(made, first=2, count=1, contrast=0.0, is_inverted=True)[1]
    np.testing.assert_allclose(inverted[0].astype(int), 255 - grey[0].astype(int), atol=1)


def test_sheets_are_sorted_and_chosen(made: Made) -> None:
    facts, _ = sheet(made, sort="defocus", is_descending=True, where="row >= 10", count=3)
    assert facts["rows"] == [23, 22, 21]
    assert facts["total"] == 14
    assert len(facts["captions"]) == 3
    facts, grey = sheet(made, where="row > 1000")
    assert (facts["rows"], facts["total"], len(grey)) == ([], 0, 0)
    assert sheet(made, first=500)[0]["rows"] == []


def test_smaller_images_are_low_passed_and_phases_flipped(made: Made) -> None:
    facts, grey = sheet(made, count=2, low_pass=40.0, is_flipped=True)
    plain = sheet(made, count=2)[1]
    rough = [float(np.abs(np.diff(each.astype(float), axis=1)).mean()) for each in (grey, plain)]
    assert rough[0] < rough[1]
    assert facts["pixel_size"] == pytest.approx(6.0)
    answer = particles.montage(file=str(made.star), roots=[str(made.star.parent)], side=10, count=2)
    assert answer.data["side"] == 10
    assert len(answer.blob) == 200


def test_columns_have_one_name_whatever_the_file_calls_them(made: Made) -> None:
    data = particles.describe(file=str(made.star)).data
    assert {"defocus", "rot", "rlnDefocusU"} <= {each["name"] for each in data["columns"]}
    assert (data["count"], data["box_sizes"], data["has_poses"]) == (24, [BOX], True)
    blob = particles.columns(file=str(made.star), names=["defocus"]).blob
    own = 0.5 * (made.particles.defocus_u + made.particles.defocus_v)
    np.testing.assert_allclose(np.frombuffer(blob, "<f4"), own, rtol=1e-4)


def test_views_add_up_to_even_coverage_and_lie_where_they_point(made: Made) -> None:
    answer = particles.views(file=str(made.star))
    density = np.frombuffer(answer.blob, "<f4").reshape(answer.data["shape"])
    # of equal areas: the mean over the map is that over the sphere
    assert np.nanmean(density) == pytest.approx(1.0, abs=0.05)
    assert np.isnan(density[0, 0])
    towards = np.zeros((40, 3, 3))
    towards[:, 2] = [0.0, 0.0, 1.0]
    north, _ = view_density(towards)
    middle = north.shape[1] // 2
    assert north[2, middle] > 1.0
    assert north[-3, middle] == 0.0
    towards[:, 2] = [0.0, 1.0, 0.0]
    east, _ = view_density(towards)
    assert east[east.shape[0] // 2, 3 * east.shape[1] // 4] > 1.0


def test_images_outside_the_roots_are_not_shown(made: Made, tmp_path: Path) -> None:
    star = tmp_path / "particles.star"
    write_list(star, made.particles)
    with pytest.raises(IcelensError, match="outside"):
        particles.montage(file=str(star), roots=[str(tmp_path)])
    link = tmp_path / "images"
    link.symlink_to(made.star.parent)
    linked = replace(made.particles, stacks=(link / "images_0.mrcs",))
    write_list(star, linked)
    with pytest.raises(IcelensError, match="outside"):
        particles.montage(file=str(star), roots=[str(tmp_path)])


def test_missing_stacks_are_said_at_once(made: Made, tmp_path: Path) -> None:
    star = tmp_path / "particles.star"
    write_list(star, replace(made.particles, stacks=(tmp_path / "gone.mrcs",)))
    assert "1 of 1 stacks" in particles.describe(file=str(star)).data["notes"][0]
    with pytest.raises(IcelensError, match="no such stack"):
        particles.montage(file=str(star), roots=[str(tmp_path)])


@pytest.mark.parametrize(
    "text", ["", "data_\n", "not a star", "data_x\nloop_\n_rlnImageName\n", "\x00" * 50]
)
def test_files_that_are_no_particles_say_so_in_a_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.star"
    path.write_text(text)
    with pytest.raises(IcelensError) as refused:
        particles.describe(file=str(path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "settings", [{"sort": "nothing"}, {"where": "import os"}, {"where": "x>1"}]
)
def test_unknown_columns_and_code_are_refused(made: Made, settings: dict) -> None:
    with pytest.raises(IcelensError):
        sheet(made, **settings)
