"""`icelens pick extract`: boxes centred, bright, turned as asked, and a table that says so."""

from pathlib import Path

import numpy as np
import pytest
from exchange_project import ARM, PIXEL_SIZE, SHAPE, SOURCE, make_project, write

from icelens.core.data.picks import Picks
from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.errors import IcelensError
from icelens.core.events import Event, Message
from icelens.core.io.copick.project import open_project
from icelens.core.io.relion_particles import read_relion_particles
from icelens.core.io.star import read_star
from icelens.core.io.tomogram_star import write_tomograms
from icelens.core.io.volumes import open_volume
from icelens.jobs.run import run_job
from icelens.tasks.pick.exchange_jobs import ExtractConfig, estimate_extract, extract
from icelens.tasks.pick.picked import collect_picks

N = 16
EXTENT = tuple(side * PIXEL_SIZE for side in SHAPE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def extracted(project: Path, **settings: object) -> tuple[Path, list[Event]]:
    events: list[Event] = []
    values = {
        "project": project,
        "picks": SOURCE,
        "box_size": N,
        "objects": ("ribosome",),
        "tilt_range": (-60.0, 60.0),
        "output": project.parent / "out",
        **settings,
    }
    star = run_job(extract, ExtractConfig.model_validate(values), on_event=events.append)
    return star, events


def boxes_of(star: Path) -> list[np.ndarray]:
    return [
        np.array(open_volume(Path(p)).array) for p in read_star(star)["particles"]["rlnImageName"]
    ]


def brightest(box: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(box.argmax(), box.shape))


def test_particles_are_centred_bright_and_normalised(project: Path) -> None:
    star, _ = extracted(project)
    boxes = boxes_of(star)
    assert len(boxes) == 8
    axes = np.indices((N,) * 3) - N // 2
    background = (axes**2).sum(0) > (0.75 * N / 2) ** 2
    for box in boxes:
        assert brightest(box) == (N // 2,) * 3
        assert box[background].mean() == pytest.approx(0, abs=1e-4)
        assert box[background].std() == pytest.approx(1, abs=1e-4)


def test_values_stay_the_files_own_if_asked(project: Path) -> None:
    star, _ = extracted(project, normalise=False, invert=False)
    box = boxes_of(star)[0]
    assert box.max() == pytest.approx(5.0, abs=0.02)
    # the particle's peak is 1, dark, and at the centre wherever it lay between voxels
    assert box[N // 2, N // 2, N // 2] == pytest.approx(4.0, abs=0.02)


def test_table_gives_the_picks_back(project: Path) -> None:
    star, _ = extracted(project)
    truth = collect_picks(open_project(project), SOURCE, objects=("ribosome",))
    again = read_relion_particles(star, extent_zyx=EXTENT, species_names={1: "ribosome"})
    np.testing.assert_allclose(again.position_zyx, truth.position_zyx, atol=1e-6)
    np.testing.assert_allclose(again.rotation, truth.rotation, atol=1e-6)
    np.testing.assert_allclose(again.score, truth.score)
    assert again.tomogram_id == truth.tomogram_id
    blocks = read_star(star)
    optics = blocks["optics"].iloc[0]
    assert (optics["rlnImageSize"], optics["rlnImageDimensionality"]) == (N, 3)
    assert optics["rlnImagePixelSize"] == PIXEL_SIZE
    assert blocks["particles"]["rlnTomoParticleName"].tolist()[-1] == "TS_2/4"
    header = open_volume(Path(blocks["particles"]["rlnImageName"].iloc[0]))
    assert header.pixel_size == PIXEL_SIZE


def test_oriented_boxes_all_show_the_reference(project: Path) -> None:
    star, _ = extracted(project, orient=True)
    boxes = boxes_of(star)
    arm = (N // 2, N // 2, N // 2 + round(ARM))
    for box in boxes:
        assert brightest(box) == (N // 2,) * 3
        without_centre = box.copy()
        without_centre[tuple(slice(N // 2 - 2, N // 2 + 3) for _ in range(3))] = -np.inf
        found = brightest(without_centre)
        assert np.abs(np.subtract(found, arm)).max() <= 1
    # both rotations together still say how the particle lay in the tomogram
    truth = collect_picks(open_project(project), SOURCE, objects=("ribosome",))
    again = read_relion_particles(star, extent_zyx=EXTENT)
    np.testing.assert_allclose(again.rotation, truth.rotation, atol=1e-6)
    np.testing.assert_allclose(again.position_zyx, truth.position_zyx, atol=1e-6)
    # each box has weights of its own, as its wedge is turned with it
    names = read_star(star)["particles"]["rlnCtfImage"]
    first, second = (np.array(open_volume(Path(p)).array) for p in names[:2])
    assert len(set(names)) == 8
    assert np.abs(first - second).max() > 0.5


def test_boxes_on_voxels_are_slices_and_the_origin_says_the_rest(project: Path) -> None:
    star, _ = extracted(project, between_voxels=False, normalise=False, invert=False)
    truth = collect_picks(open_project(project), SOURCE, objects=("ribosome",))
    again = read_relion_particles(star, extent_zyx=EXTENT)
    np.testing.assert_allclose(again.position_zyx, truth.position_zyx, atol=1e-6)
    table = read_star(star)["particles"]
    z, y, x = (int(table[f"rlnCoordinate{axis}"].iloc[0]) - N // 2 for axis in "ZYX")
    opened = open_project(project)
    volume = opened.open_tomogram("TS_1", opened.tomograms("TS_1")[0]).array
    np.testing.assert_array_equal(boxes_of(star)[0], volume[z : z + N, y : y + N, x : x + N])
    assert np.abs(table["rlnOriginXAngst"]).max() <= PIXEL_SIZE / 2


def test_boxes_at_the_border_are_filled_or_left_out_and_named(project: Path) -> None:
    position = np.array([[20.0, 280.0, 320.0], [40.0, 280.0, 320.0], [200.0, 280.0, 320.0]])
    picks = Picks(position, species=("apoferritin",) * 3, tomogram_id=("TS_1",) * 3)
    write(open_project(project), "TS_1", picks)
    star, events = extracted(project, objects=("apoferritin",), normalise=False)
    # 8 voxels are needed below the centre: 2 are too few, 4 lack a quarter
    assert len(boxes_of(star)) == 2
    said = [event.text for event in events if isinstance(event, Message)]
    assert any(
        "Left out 1 picks whose box of 16 voxels" in text and "TS_1 (1)" in text for text in said
    )


def test_report_shows_counts_and_averages(project: Path) -> None:
    star, _ = extracted(project)
    page = (star.parent / "report.html").read_text()
    assert "TS_2" in page
    assert (star.parent / "averages.png").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"box_size": 500}, "no box of 500 voxels around 8 picks"),
        ({"picks": ("nobody", "1")}, "no picks of ribosome by nobody,1"),
        ({"tilt_range": (60.0, -60.0)}, "tilt"),
        ({"tomogram_type": "denoised"}, "no tomogram of denoised"),
        ({"min_score": 9.0}, "no box of 16 voxels around 0 picks"),
    ],
)
def test_mistakes_are_one_line_and_write_no_box(
    project: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(IcelensError) as error:
        extracted(project, **settings)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not list((project.parent / "out").rglob("*.mrc"))


def test_pixels_given_as_angstrom_or_the_reverse_are_refused(project: Path) -> None:
    far = Picks(np.full((2, 3), 1e4), species=("apoferritin",) * 2, tomogram_id=("TS_1",) * 2)
    write(open_project(project), "TS_1", far)
    with pytest.raises(IcelensError, match="2 of 2 picks lie outside their tomogram"):
        extracted(project, objects=("apoferritin",))


def test_estimate_counts_the_picks(project: Path) -> None:
    config = ExtractConfig(project=project, picks=SOURCE, box_size=N)
    estimate = estimate_extract(config)
    assert estimate.notes == ("9 picks",)
    assert estimate.disk_bytes == 9 * 4 * N**3


def test_tilts_of_the_list_of_tomograms_are_used(project: Path) -> None:
    star = project.parent / "tomograms.star"
    rows = [
        TomogramRow(index=i, pixel_size=10.0, full=Path(f"TS_{i}_full.mrc"), tilt_max=tilt)
        for i, tilt in ((1, 60.0), (2, 30.0))
    ]
    write_tomograms(star, TomogramList.from_rows(rows))
    table, events = extracted(project, tilt_range=None, tomograms_star=star)
    names = list(dict.fromkeys(read_star(table)["particles"]["rlnCtfImage"]))
    full, half = (np.array(open_volume(Path(name)).array).mean() for name in names)
    assert full > half + 0.1
    assert not [
        event for event in events if isinstance(event, Message) and event.level == "warning"
    ]


def test_unknown_tilts_are_told_and_no_weights_written(project: Path) -> None:
    table, events = extracted(project, tilt_range=None)
    assert "rlnCtfImage" not in read_star(table)["particles"]
    assert any(
        isinstance(event, Message) and "wedge is not noted" in event.text for event in events
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_tomogram_that_is_not_finite_is_refused(project: Path, value: float) -> None:
    opened = open_project(project)
    run = opened.run_names()[0]
    (key, *_) = opened.tomograms(run)
    volume = opened.open_tomogram(run, key)
    spoilt = np.array(volume.array)
    spoilt[1, 1, 1] = value
    opened.write_tomogram(run, volume.with_array(spoilt), key.tomogram_type)
    with pytest.raises(IcelensError, match=f"run {run}, .* holds voxels that are not finite"):
        extracted(project)
    assert not list((project.parent / "out").rglob("*.mrc"))
