"""`icelens pick import-segmentation`: masks of other programs become labels of the project."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from small_project import PIXEL_SIZE, SHAPE, small_project

from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError
from icelens.core.events import Event, Message
from icelens.core.io.copick.project import open_project
from icelens.core.io.volumes import write_volume
from icelens.jobs.run import run_job
from icelens.tasks.pick.import_segmentation import LARGEST_LABEL
from icelens.tasks.pick.segmentation_jobs import ImportSegmentationConfig, import_segmentation

NAME = ("truth", "hand", "0")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return small_project(tmp_path).path


def imported(project: Path, labels: Path, **settings: object) -> list[Event]:
    events: list[Event] = []
    values = {"project": project, "labels": labels, "segmentation": NAME, **settings}
    config = ImportSegmentationConfig.model_validate(values)
    said = run_job(import_segmentation, config, on_event=events.append)
    assert "imported truth,hand,0" in said
    return events


def labels_in(project: Path, run: str) -> npt.NDArray[np.generic]:
    opened = open_project(project)
    (key,) = opened.segmentations(run)
    assert str(key) == "truth,hand,0@10"
    return np.asarray(opened.read_segmentation(run, key).array)


def mask(value: float = 1) -> npt.NDArray[np.uint8]:
    values = np.zeros(SHAPE, np.uint8)
    values[3:6, 4:9, 10] = value
    return values


def test_a_mask_without_pixel_size_becomes_the_label_of_its_object(project: Path) -> None:
    path = project.parent / "mask.tif"
    tifffile.imwrite(path, mask(255))
    imported(project, path, runs=("TS_1",), object="membrane")
    np.testing.assert_array_equal(labels_in(project, "TS_1"), mask(7))


def test_files_of_a_folder_go_to_the_runs_of_their_names(project: Path) -> None:
    folder = project.parent / "labels"
    folder.mkdir()
    for run, value in {"TS_1": 2, "TS_2": 5}.items():
        write_volume(folder / f"{run}.labels.mrc", Volume(mask(value), PIXEL_SIZE))
    imported(project, folder)
    for run, value in {"TS_1": 2, "TS_2": 5}.items():
        np.testing.assert_array_equal(labels_in(project, run), mask(value))


def test_an_empty_mask_is_taken_with_a_warning(project: Path) -> None:
    path = project.parent / "TS_2.mrc"
    write_volume(path, Volume(mask(0), PIXEL_SIZE))
    warnings = [
        event.text
        for event in imported(project, path)
        if isinstance(event, Message) and event.level == "warning"
    ]
    assert warnings == ["TS_2: 0 % of the voxels are labelled"]


@pytest.mark.parametrize(
    ("values", "pixel_size", "settings", "said"),
    [
        (mask()[:-1], 10.0, {}, r"\(15, 20, 24\), but tomogram wbp@10 of run TS_1 \(16, 20, 24\)"),
        (mask(2), 20.0, {}, "has 20 Å/px, but tomogram"),
        (mask(3), 10.0, {}, r"holds 3, expected labels of the project .* --object"),
        (0.5 * mask().astype(np.float32), 10.0, {}, "holds 0.5, expected labels"),
        (mask(2), 10.0, {"object": "membran"}, "membran"),
        (mask(2), 10.0, {"runs": ("TS_1", "TS_2")}, "one file, but --runs names TS_1, TS_2"),
        (mask(2), 10.0, {"runs": ("TS_9",)}, "TS_9"),
        (mask(2), 10.0, {"segmentation": ("a_b", "hand", "0")}, "call it 'a-b'"),
    ],
)
def test_what_does_not_fit_is_one_line_and_nothing_is_written(
    project: Path,
    values: npt.NDArray[np.float32],
    pixel_size: float,
    settings: dict[str, object],
    said: str,
) -> None:
    path = project.parent / "TS_1.mrc"
    write_volume(path, Volume(values, pixel_size))
    with pytest.raises(IcelensError, match=said) as caught:
        imported(project, path, **settings)
    assert "\n" not in str(caught.value)
    assert not open_project(project).segmentations("TS_1")


def test_two_files_of_one_run_and_a_missing_one_are_refused(project: Path) -> None:
    folder = project.parent / "labels"
    folder.mkdir()
    write_volume(folder / "TS_1.mrc", Volume(mask(2), PIXEL_SIZE))
    with pytest.raises(IcelensError, match="no file of run TS_2"):
        imported(project, folder, runs=("TS_1", "TS_2"))
    write_volume(folder / "TS_1.a.mrc", Volume(mask(2), PIXEL_SIZE))
    with pytest.raises(IcelensError, match="would be run TS_1, and so would"):
        imported(project, folder)


def test_label_that_does_not_fit_a_segmentation_is_refused(tmp_path: Path) -> None:
    objects: list[dict[str, object]] = [
        {"name": "ribosome", "is_particle": True, "label": LARGEST_LABEL + 1, "radius": 50.0},
        {"name": "apoferritin", "is_particle": True, "label": 5, "radius": 30.0},
    ]
    project = small_project(tmp_path, objects).path
    path = tmp_path / "TS_1.mrc"
    write_volume(path, Volume(mask(), PIXEL_SIZE))
    with pytest.raises(IcelensError, match="label 256 of ribosome is above 255"):
        imported(project, path, object="ribosome")
