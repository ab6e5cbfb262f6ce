from pathlib import Path

import numpy as np
import pytest

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.plain_folder import FOLDER
from icelens.core.io.copick.project import PicksKey, open_project
from icelens.core.io.picks import read_copick
from icelens.core.io.relion_particles import read_relion_particles
from icelens.core.io.tomogram_star import read_tomograms
from icelens.core.io.volumes import open_volume
from icelens.jobs.run import run_job
from icelens.tasks.simulate.jobs import Recording, TomogramsConfig, tomograms

QUICK = Recording(tilt_step=12.0, dose_per_tilt=12.0)


def small(folder: Path, **changes: object) -> TomogramsConfig:
    settings = {
        "output": folder,
        "shape": (32, 48, 48),
        "species": 2,
        "symmetries": ("C1", "D2"),
        "mass_range": (100.0, 200.0),
        "particles": 4,
        "recording": QUICK,
    }
    return TomogramsConfig(**(settings | changes))


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder") / "simulated"
    return run_job(tomograms, small(folder, count=2))


def test_list_is_ready_for_restore(star: Path) -> None:
    rows = list(read_tomograms(star))
    assert [row.index for row in rows] == [1, 2]
    for row in rows:
        for field in ("even", "odd", "full", "ground_truth", "tilt_file"):
            assert row.require(field).exists()
        assert (row.tilt_min, row.tilt_max, row.defocus) == (-60.0, 60.0, 35000.0)
        assert open_volume(row.require("full"), pixel_size=row.pixel_size).shape == (32, 48, 48)


def test_protein_is_dark_in_tomograms_and_truth(star: Path) -> None:
    row = next(iter(read_tomograms(star)))
    truth = open_volume(row.require("ground_truth")).array
    full = open_volume(row.require("full")).array
    assert truth.min() < -0.5
    assert truth.max() < 0.3  # rings only
    assert np.corrcoef(truth.ravel(), full.ravel())[0, 1] > 0.1


def test_light_contrast_flips_every_density(tmp_path: Path, star: Path) -> None:
    light = run_job(tomograms, small(tmp_path / "light", contrast="light"))
    for kind in ("even", "odd", "full", "ground_truth"):
        dark_file = next(iter(read_tomograms(star))).require(kind)
        light_file = next(iter(read_tomograms(light))).require(kind)
        assert np.array_equal(open_volume(dark_file).array, -open_volume(light_file).array)


def test_picks_point_at_labelled_density(star: Path) -> None:
    folder = star.parent
    labels = open_volume(folder / "labels" / "TS_01_instances.mrc").array
    relion = read_relion_particles(
        folder / "picks" / "TS_01.star", extent_zyx=(320.0, 480.0, 480.0)
    )
    copick = [read_copick(path) for path in sorted((folder / "picks" / "TS_01").glob("*.json"))]
    assert len(relion) == 4
    assert sum(len(picks) for picks in copick) == 4
    positions = np.concatenate([picks.position_zyx for picks in copick])
    # 1e-2 Å: digits in the files
    nearest = np.abs(positions[:, None] - relion.position_zyx[None]).max(-1).min(1)
    assert nearest.max() < 1e-2
    inside = 0
    for z, y, x in np.rint(relion.position_zyx / 10.0).astype(int):
        around = labels[z - 2 : z + 3, y - 2 : y + 3, x - 2 : x + 3]
        inside += bool(around.any())
    assert inside == 4


def test_the_folder_is_a_project_with_objects_and_radii(star: Path) -> None:
    project = open_project(star.parent)
    assert project.run_names() == ("TS_01", "TS_02")
    kinds = [key.tomogram_type for key in project.tomograms("TS_01")]
    assert kinds == ["even", "full", "odd", "truth"]
    assert len(project.objects) == 2
    names = {key.name for key in project.picks("TS_01")}
    assert names == {each.name for each in project.objects}
    for each in project.objects:
        # proteins of 100 to 200 kDa are 60 to 80 Å across if round, and these are not quite
        assert 25 < each.known_radius() < 90
        key = PicksKey(each.name, FOLDER)
        assert len(project.read_picks("TS_01", key)) == 2


def test_missing_and_empty_inputs_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file or folder"):
        run_job(tomograms, small(tmp_path / "a", maps=(tmp_path / "absent.mrc",)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputFileError, match="holds no file for --models"):
        run_job(tomograms, small(tmp_path / "b", models=(tmp_path / "empty",)))


def test_reversed_tilts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="tilt-range"):
        run_job(tomograms, small(tmp_path / "c", recording=Recording(tilt_range=(60.0, -60.0))))
