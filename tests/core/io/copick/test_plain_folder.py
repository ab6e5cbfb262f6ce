"""A folder of tomograms with coordinates is a project, written to like any other."""

import numpy as np
import pytest

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.plain_folder import FOLDER
from icelens.core.io.copick.project import (
    PicksKey,
    SegmentationKey,
    TomogramKey,
    open_project,
)
from icelens.core.io.picks import write_copick, write_picks_csv
from icelens.core.io.relion_particles import write_relion_particles
from icelens.core.io.volumes import write_volume

SHAPE = (8, 10, 12)
EXTENT = (80.0, 100.0, 120.0)
PLACES = np.array([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0], [70.0, 80.0, 90.0]])


def tomogram(path, pixel_size=10.0, value=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, Volume(np.full(SHAPE, value, np.float32), pixel_size))


def picks(species=("ribosome", "virus", "ribosome"), run="TS_1"):
    return Picks(PLACES, species=tuple(species), tomogram_id=(run,) * 3)


def test_runs_and_types_come_from_files_and_folders(tmp_path):
    tomogram(tmp_path / "TS_1.mrc", value=1.0)
    tomogram(tmp_path / "denoised" / "TS_1.rec", value=2.0)
    tomogram(tmp_path / "denoised" / "TS_2.v2.mrc")
    tomogram(tmp_path / "TS_3.zarr")
    tomogram(tmp_path / "labels" / "TS_1_classes.mrc")
    project = open_project(tmp_path)
    assert project.run_names() == ("TS_1", "TS_2", "TS_3")
    denoised, raw = TomogramKey(10.0, "denoised"), TomogramKey(10.0, "raw")
    assert project.tomograms("TS_1") == (denoised, raw)
    assert project.open_tomogram("TS_1", denoised).array[0, 0, 0] == 2.0
    assert project.tomogram_shape("TS_3", raw) == SHAPE


def test_halves_of_a_run_are_types_of_it(tmp_path):
    tomogram(tmp_path / "full" / "TS_01.mrc")
    tomogram(tmp_path / "even" / "TS_01_EVN.mrc")
    tomogram(tmp_path / "odd" / "TS_01_ODD.mrc")
    project = open_project(tmp_path)
    kinds = [key.tomogram_type for key in project.tomograms("TS_01")]
    assert (project.run_names(), kinds) == (("TS_01",), ["even", "full", "odd"])


def test_a_table_of_several_tomograms_is_parted_by_run_and_species(tmp_path):
    for run in ("TS_1", "TS_2"):
        tomogram(tmp_path / f"{run}.mrc")
    write_picks_csv(
        tmp_path / "all.csv",
        Picks(PLACES, species=("a", "b", "a"), tomogram_id=("TS_1", "TS_2.mrc", "TS_9")),
    )
    project = open_project(tmp_path)
    assert [each.name for each in project.objects] == ["a", "b"]
    assert project.picks("TS_1") == (PicksKey("a", FOLDER),)
    np.testing.assert_array_equal(
        project.read_picks("TS_2", PicksKey("b", FOLDER)).position_zyx, PLACES[1:2]
    )
    assert str(FOLDER) == "folder,0"


def test_centred_coordinates_count_from_the_middle_of_the_run(tmp_path):
    tomogram(tmp_path / "TS_1.mrc")
    write_relion_particles(tmp_path / "p.star", picks(), extent_zyx=EXTENT, pixel_size=10.0)
    project = open_project(tmp_path)
    found = project.read_picks("TS_1", PicksKey("class-1", FOLDER))
    # STAR holds six decimals
    np.testing.assert_allclose(found.position_zyx, PLACES[[0, 2]], atol=1e-5)


def test_a_table_without_names_belongs_to_the_run_it_is_named_after(tmp_path):
    for run in ("TS_1", "TS_10"):
        tomogram(tmp_path / f"{run}.mrc")
    nameless = picks(species=(), run="")
    write_picks_csv(tmp_path / "picks" / "TS_10_ribosome.csv", nameless)
    project = open_project(tmp_path)
    assert project.picks("TS_1") == ()
    assert project.picks("TS_10") == (PicksKey("particle", FOLDER),)
    write_picks_csv(tmp_path / "picks" / "notes.csv", nameless)
    with pytest.raises(InputFileError, match=r"notes.csv: names no tomogram; .* TS_1, TS_10"):
        open_project(tmp_path)


def test_files_of_copick_go_before_tables_that_say_the_same(tmp_path):
    tomogram(tmp_path / "full" / "TS_1.mrc")
    folder = tmp_path / "picks"
    folder.mkdir()
    write_relion_particles(folder / "TS_1.star", picks(), extent_zyx=EXTENT, pixel_size=10.0)
    for name in ("ribosome", "virus"):
        chosen = picks().select([found == name for found in picks().species])
        write_copick(folder / "TS_1" / f"{name}.json", chosen)
    project = open_project(tmp_path)
    assert [each.name for each in project.objects] == ["ribosome", "virus"]
    assert len(project.read_picks("TS_1", PicksKey("ribosome", FOLDER))) == 2


def test_other_tables_beside_the_tomograms_are_left_alone(tmp_path):
    tomogram(tmp_path / "TS_1.mrc")
    (tmp_path / "scores.csv").write_text("epoch,loss\n1,2\n")
    (tmp_path / "list.star").write_text("data_\nloop_\n_rlnIndex\n1\n")
    assert open_project(tmp_path).objects == ()


def test_what_is_written_is_listed_with_the_rest(tmp_path):
    tomogram(tmp_path / "TS_1.mrc")
    write_picks_csv(tmp_path / "picks.csv", picks())
    project = open_project(tmp_path)
    ours = PicksKey("ribosome", Source("icelens", "1"))
    labels = SegmentationKey(10.0, "targets", Source("icelens", "1"), is_multilabel=True)
    project.write_picks("TS_1", ours, picks().select([True, False, False]))
    project.write_segmentation("TS_1", labels, Volume(np.ones(SHAPE), 10.0))
    again = open_project(tmp_path)
    assert len(again.picks("TS_1")) == 3
    assert len(again.read_picks("TS_1", ours)) == 1
    assert again.read_segmentation("TS_1", labels).array.all()
    assert again.run_names() == ("TS_1",)


def test_a_header_without_pixel_size_is_told_when_it_is_needed(tmp_path):
    tomogram(tmp_path / "TS_1.mrc", pixel_size=1.0)
    project = open_project(tmp_path)
    with pytest.raises(MetadataError, match=r"TS_1.mrc: the header does not know the pixel size"):
        project.tomograms("TS_1")


def test_two_files_of_one_tomogram_are_refused(tmp_path):
    tomogram(tmp_path / "TS_1.mrc")
    tomogram(tmp_path / "TS_1.rec")
    with pytest.raises(MetadataError, match=r"is tomogram raw of run TS_1, and so is .*TS_1.mrc"):
        open_project(tmp_path)


def test_a_folder_without_tomograms_is_no_project(tmp_path):
    with pytest.raises(InputFileError, match="no tomogram in it"):
        open_project(tmp_path)


def test_coordinates_of_nothing_that_is_there_are_refused(tmp_path):
    tomogram(tmp_path / "TS_1.mrc")
    write_picks_csv(tmp_path / "a.csv", picks(run="TS_7"))
    with pytest.raises(InputFileError, match="coordinates of TS_7, but the tomograms are TS_1"):
        open_project(tmp_path)


def test_coordinates_that_need_an_unknown_pixel_size_are_refused(tmp_path):
    tomogram(tmp_path / "TS_1.mrc", pixel_size=1.0)
    write_relion_particles(tmp_path / "p.star", picks(), extent_zyx=EXTENT, pixel_size=10.0)
    with pytest.raises(MetadataError, match=r"which the coordinates of .*p.star need"):
        open_project(tmp_path)
