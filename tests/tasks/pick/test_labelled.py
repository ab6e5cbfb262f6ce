"""Tomograms are standardised and labelled as asked; what cannot be true is one line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blob_project import PIXEL_SIZE, TRUTH, empty_project

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, IcelensError, InputFileError, MetadataError
from icelens.core.events import Event, Message, ignore
from icelens.core.io.copick.project import PicksKey, Project, SegmentationKey
from icelens.tasks.pick.labelled import LabelledTomogram, Truth, load_tomograms, standardised

SHAPE = (12, 20, 16)
BRIGHT = PickableObject("bright", 3, 60.0)
DARK = PickableObject("dark", 1, 40.0)
MEMBRANE = PickableObject("membrane", 9, None, is_particle=False)
OTHER = Source("other", "1")


def picks_truth(*classes: PickableObject) -> Truth:
    return Truth(classes or (DARK, BRIGHT), TRUTH, None, ())


def noise(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(0).normal(5.0, 2.0, shape).astype(np.float32)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One run of noise."""
    made = empty_project(tmp_path / "p")
    made.write_tomogram("TS_1", Volume(noise(), PIXEL_SIZE), "wbp")
    return made


def add_picks(
    project: Project, name: str, voxels: object, run: str = "TS_1", unit: float = PIXEL_SIZE
) -> None:
    places = np.array(voxels, np.float64).reshape(-1, 3) * unit
    project.write_picks(run, PicksKey(name, TRUTH), Picks(places))


def add_labels(
    project: Project, labels: np.ndarray, name: str = "targets", *, many: bool = True,
    pixel_size: float = PIXEL_SIZE,
) -> None:  # fmt: skip
    key = SegmentationKey(pixel_size, name, OTHER, is_multilabel=many)
    project.write_segmentation("TS_1", key, Volume(labels.astype(np.uint8), pixel_size))


def load(
    project: Project,
    truth: Truth | None = None,
    runs: tuple[str, ...] = ("TS_1",),
    on_event: Callable[[Event], None] = ignore,
    types: tuple[str, ...] = (),
    pixel_size: float | None = None,
) -> list[LabelledTomogram]:
    return load_tomograms(
        project, runs, truth or picks_truth(), pixel_size=pixel_size, tomogram_types=types,
        on_event=on_event,
    )  # fmt: skip


def line_of(error: type[IcelensError], action: Callable[[], object]) -> str:
    with pytest.raises(error) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_particles_come_in_voxels_with_the_number_of_their_class(project: Project) -> None:
    add_picks(project, "bright", [[1.5, 2.0, 3.25]])
    add_picks(project, "dark", [[10, 4, 5], [3, 4, 5]])
    (loaded,) = load(project)
    np.testing.assert_allclose(loaded.picks_of(1), [[1.5, 2.0, 3.25]])
    np.testing.assert_allclose(loaded.picks_of(0), [[10, 4, 5], [3, 4, 5]])
    assert loaded.shape == SHAPE
    assert loaded.labels is None
    assert loaded.pixel_size == PIXEL_SIZE
    assert loaded.holds(0)
    assert not loaded.holds(2)


def test_density_has_mean_zero_and_deviation_one_in_half_precision(project: Project) -> None:
    (loaded,) = load(project)
    assert loaded.views[0].dtype == np.float16
    view = loaded.views[0].astype(np.float64)
    assert view.mean() == pytest.approx(0, abs=1e-3)
    assert view.std() == pytest.approx(1, abs=1e-3)


def test_far_outliers_stay_finite_in_half_precision() -> None:
    values = noise((20, 20, 20))
    values[0, 0, 0] = 1e9
    assert np.isfinite(standardised(Volume(values, 10.0), "a")).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_finite_are_refused(bad: float) -> None:
    values = noise()
    values[3, 4, 5] = bad
    message = line_of(InputFileError, lambda: standardised(Volume(values, 10.0), "a.mrc"))
    assert message.startswith("a.mrc: holds voxels that are not finite")


@pytest.mark.parametrize("value", [0.0, 0.1, -3e-30, 1e30])
def test_constant_volume_is_refused_whatever_rounding_makes_of_its_mean(value: float) -> None:
    values = np.full((7, 11, 13), value, np.float32)
    message = line_of(InputFileError, lambda: standardised(Volume(values, 10.0), "a.mrc"))
    assert message.startswith("a.mrc: all voxels are equal")


def test_several_types_are_views_of_one_run(project: Project) -> None:
    project.write_tomogram("TS_1", Volume(noise() ** 3, PIXEL_SIZE), "denoised")
    (loaded,) = load(project, types=("denoised", "wbp"))
    assert len(loaded.views) == 2
    assert not np.array_equal(*loaded.views)
    assert "more than one tomogram" in line_of(MetadataError, lambda: load(project))
    project.write_tomogram("TS_1", Volume(noise((12, 20, 18)), PIXEL_SIZE), "smaller")
    message = line_of(GeometryError, lambda: load(project, types=("wbp", "smaller")))
    assert "(12, 20, 18), expected (12, 20, 16) as in wbp" in message


def test_other_voxel_size_than_there_is_names_those_there_are(project: Project) -> None:
    message = line_of(MetadataError, lambda: load(project, pixel_size=13.0))
    assert "no tomogram of any type at 13 Å; there are wbp@10" in message


def test_run_without_tomogram_is_refused(project: Project) -> None:
    add_picks(project, "bright", [[1, 1, 1]], run="TS_2")
    assert "run TS_2 has no tomogram" in line_of(
        MetadataError, lambda: load(project, runs=("TS_1", "TS_2"))
    )


def test_few_picks_outside_are_counted_named_and_left_out(project: Project) -> None:
    project.write_tomogram("TS_2", Volume(noise(), PIXEL_SIZE), "wbp")
    inside = np.random.default_rng(1).uniform(0, 11, (150, 3))
    add_picks(project, "bright", [*inside[:50], [3, 3, 16.4]])
    add_picks(project, "dark", inside[50:], run="TS_2")
    told: list[Event] = []
    first, second = load(project, runs=("TS_1", "TS_2"), on_event=told.append)
    assert (len(first.kind), len(second.kind)) == (50, 100)
    (warning,) = [event for event in told if isinstance(event, Message)]
    assert warning.level == "warning"
    assert "1 of 151 picks lie outside their tomogram (1 of bright in TS_1)" in warning.text


def test_many_picks_outside_are_refused(project: Project) -> None:
    add_picks(project, "bright", [*np.full((50, 3), 5.0), [30, 3, 3]])
    message = line_of(MetadataError, lambda: load(project))
    assert (
        "1 of 51 picks lie outside their tomogram (1 of bright in TS_1); more than 1 %" in message
    )


def test_voxels_given_as_angstrom_are_refused(project: Project) -> None:
    add_picks(project, "bright", np.random.default_rng(0).uniform(0, 11, (9, 3)), unit=1.0)
    message = line_of(MetadataError, lambda: load(project))
    assert "bright: all 9 positions lie below" in message
    assert "positions are in Å" in message


def test_no_picks_at_all_are_none(project: Project) -> None:
    add_picks(project, "bright", [])
    (loaded,) = load(project)
    assert loaded.centre_zyx_px.shape == (0, 3)
    assert not loaded.holds(0)


def test_target_segmentation_is_read_by_the_labels_of_the_project(project: Project) -> None:
    labels = np.random.default_rng(0).choice([0, 1, 3, 7], SHAPE)
    add_labels(project, labels)
    (loaded,) = load(project, Truth((DARK, BRIGHT), None, ("targets", OTHER), ()))
    np.testing.assert_array_equal(loaded.labels == 1, labels == 1)
    np.testing.assert_array_equal(loaded.labels == 2, labels == 3)
    assert loaded.holds(0)
    assert len(loaded.kind) == 0


def test_labels_of_another_project_have_its_own_numbers(tmp_path: Path) -> None:
    objects = [{"name": "bright", "is_particle": True, "label": 1, "radius": 60.0}]
    other = empty_project(tmp_path / "other", objects)
    other.write_tomogram("TS_1", Volume(noise(), PIXEL_SIZE), "wbp")
    labels = np.zeros(SHAPE)
    labels[2:4] = 1  # bright here, dark in the project whose classes are learnt
    add_labels(other, labels)
    (loaded,) = load(other, Truth((DARK, BRIGHT), None, ("targets", OTHER), ()))
    np.testing.assert_array_equal(loaded.labels, 2 * labels)


def test_binary_target_is_of_the_object_that_it_is_named_after(project: Project) -> None:
    labels = np.zeros(SHAPE)
    labels[2:4] = 1
    add_labels(project, labels, "bright", many=False)
    (loaded,) = load(project, Truth((DARK, BRIGHT), None, ("bright", OTHER), ()))
    np.testing.assert_array_equal(loaded.labels, 2 * labels)


def test_continuous_things_are_labelled_beside_picks(project: Project) -> None:
    membrane = np.zeros(SHAPE)
    membrane[:, 5:7] = 1
    add_labels(project, membrane, "membrane", many=False)
    add_picks(project, "bright", [[4, 4, 4]])
    truth = Truth((BRIGHT, MEMBRANE), TRUTH, None, (("membrane", OTHER),))
    (loaded,) = load(project, truth)
    np.testing.assert_array_equal(loaded.labels, 2 * membrane)
    assert loaded.holds(0)
    assert loaded.holds(1)


def test_segmentation_of_another_shape_is_refused(project: Project) -> None:
    add_labels(project, np.zeros((12, 20, 17)))
    truth = Truth((DARK,), None, ("targets", OTHER), ())
    message = line_of(GeometryError, lambda: load(project, truth))
    assert "(12, 20, 17), the tomogram (12, 20, 16)" in message


def test_segmentation_that_is_not_there_names_those_there_are(project: Project) -> None:
    add_labels(project, np.zeros(SHAPE), pixel_size=20.0)
    truth = Truth((DARK,), None, ("targets", OTHER), ())
    message = line_of(MetadataError, lambda: load(project, truth))
    assert "no segmentation targets,other,1 at 10 Å; there are targets,other,1@20" in message


def test_tomogram_with_a_missing_chunk_is_refused(project: Project) -> None:
    (zarr,) = project.path.parent.rglob("wbp.zarr")
    chunks = [path for path in (zarr / "0").rglob("*") if path.is_file() and path.name[0] != "."]
    for chunk in chunks:
        chunk.unlink()
    message = line_of(InputFileError, lambda: load(project))
    assert "wbp.zarr" in message
    shutil.rmtree(zarr / "0")
    line_of(InputFileError, lambda: load(project))
