"""The membrane job: picks are sorted by their distance and face away from the membrane."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from predicted_project import PIXEL_SIZE, SHAPE, add_tomogram, new_project, read

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError
from icelens.core.events import Event, Message
from icelens.core.geometry.directions import rotations_towards
from icelens.core.io.copick.project import PicksKey, Project, SegmentationKey
from icelens.jobs.run import run_job
from icelens.jobs.validation import make_config
from icelens.tasks.pick.membrane_jobs import MembraneConfig, membrane

ICELENS, NEAR, FAR = (Source("icelens", name) for name in ("1", "1-membrane", "1-membrane-far"))
SHEET = slice(14, 18)
"""Sections of the membrane; its faces are at 135 and 175 Å."""


def write_mask(project: Project, mask: np.ndarray, *, run="TS_1", user="me", pixel_size=10.0):
    key = SegmentationKey(pixel_size, "membrane", Source(user, "1"), is_multilabel=False)
    project.write_segmentation(run, key, Volume(mask.astype(np.uint8), pixel_size))


def write_picks(project: Project, positions, *, run="TS_1", name="ribosome", **fields: Any):
    project.write_picks(run, PicksKey(name, ICELENS), Picks(np.array(positions, float), **fields))


def related(project: Project, **changes: Any) -> str:
    fields = {
        "project": project.path, "picks": ("icelens", "1"), "segmentation": ("membrane",),
        "output": project.path.parent / "membrane",
    }  # fmt: skip
    events: list[Event] = []
    run_job(membrane, make_config(MembraneConfig, fields | changes), on_event=events.append)
    return "\n".join(event.text for event in events if isinstance(event, Message))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = new_project(tmp_path)
    mask = np.zeros(SHAPE)
    mask[SHEET] = 1
    write_mask(made, mask)
    return made


def test_picks_are_sorted_by_their_distance_and_face_away(project):
    positions = [[95, 200, 200], [215, 200, 200], [155, 100, 100], [300, 300, 300]]
    write_picks(project, positions, score=np.array([0.1, 0.2, 0.3, 0.4]))
    said = related(project)
    near, far = read(project, "ribosome", source=NEAR), read(project, "ribosome", source=FAR)
    assert near.position_zyx.tolist() == positions[:2]
    assert near.score.tolist() == [0.1, 0.2]
    np.testing.assert_allclose(near.rotation[:, :, 2], [[0, 0, -1], [0, 0, 1]], atol=1e-9)
    assert far.position_zyx.tolist() == positions[2:]  # inside the membrane, and beyond 100 Å
    np.testing.assert_allclose(far.rotation, np.broadcast_to(np.eye(3), (2, 3, 3)))
    assert "TS_1: 2 near, 2 far of 4 ribosome" in said
    report = (project.path.parent / "membrane" / "report.html").read_text()
    assert "Distance of the picks from the membrane" in report


def test_axes_of_the_normal_are_xyz(project):
    mask = np.zeros(SHAPE)
    mask[:, :, 18:22] = 1
    write_mask(project, mask)
    write_picks(project, [[155, 200, 150], [155, 200, 250]])
    related(project)
    found = read(project, "ribosome", source=NEAR)
    np.testing.assert_allclose(found.rotation[:, :, 2], [[-1, 0, 0], [1, 0, 0]], atol=1e-9)


def test_normal_is_local_and_not_from_the_middle_of_all_membranes(project):
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)
    first, second = np.array([16, 14, 20]), np.array([16, 35, 20])
    mask = [np.abs(np.linalg.norm(grid - centre, axis=-1) - 8) < 1 for centre in (first, second)]
    write_mask(project, np.logical_or(*mask))
    direction = np.array([[0, -1, 1], [1, -1, 0], [0, 1, 1], [-1, 1, 1]], float)
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    centres = np.array([second, second, first, first])
    write_picks(project, (centres + 12 * direction) * PIXEL_SIZE)
    related(project, distance=(0.0, 60.0))
    found = project.read_picks("TS_1", PicksKey("ribosome", NEAR))
    cosine = (found.rotation[:, :, 2] * direction[:, ::-1]).sum(axis=-1)
    assert np.degrees(np.arccos(cosine)).max() < 12  # spheres of 9 voxels, measured at most 8


def test_window_may_reach_into_the_membrane(project):
    write_picks(project, [[150, 200, 200], [215, 200, 200]])
    related(project, distance=(-30.0, 0.0))
    found = read(project, "ribosome", source=NEAR)
    assert found.position_zyx.tolist() == [[150, 200, 200]]
    np.testing.assert_allclose(found.rotation[0, :, 2], [0, 0, -1], atol=1e-9)


@pytest.mark.parametrize(("orientation", "is_kept"), [("auto", True), ("normal", False)])
def test_orientations_that_are_known_are_kept_unless_asked(project, orientation, is_kept):
    known = rotations_towards(np.array([[1.0, 2.0, 3.0]]))
    write_picks(project, [[215, 200, 200]], rotation=known)
    related(project, orientation=orientation)
    found = read(project, "ribosome", source=NEAR).rotation
    assert np.allclose(found, known) is is_kept


def test_every_object_gets_both_files_and_the_session_asked_for(project):
    write_picks(project, [[215, 200, 200]])
    write_picks(project, [[300, 200, 200]], name="ferritin")
    write_picks(project, np.empty((0, 3)), name="membrane")
    related(project, output_session="9")
    counts = {
        str(key): len(project.read_picks("TS_1", key))
        for key in project.picks("TS_1")
        if key.source != ICELENS
    }
    assert counts == {
        "ferritin,icelens,9": 0, "ferritin,icelens,9-far": 1,
        "membrane,icelens,9": 0, "membrane,icelens,9-far": 0,
        "ribosome,icelens,9": 1, "ribosome,icelens,9-far": 0,
    }  # fmt: skip


def test_run_without_membrane_has_only_far_picks(project):
    add_tomogram(project, "TS_2")
    write_mask(project, np.zeros(SHAPE), run="TS_2")
    for run in ("TS_1", "TS_2"):
        write_picks(project, [[215, 200, 200]], run=run)
    said = related(project)
    assert "is empty, so no pick is near" in said
    assert len(read(project, "ribosome", "TS_2", FAR)) == 1


def test_midpoints_lie_between_facing_picks(project):
    positions = [[95, 100, 100], [95, 100, 220], [300, 400, 100]]
    write_picks(project, positions, score=np.array([0.5, 0.7, 0.9]))
    said = related(project, mode="midpoint", distance=(0.0, 100.0))
    middle = read(project, "ribosome", source=Source("icelens-midpoint", "1"))
    assert middle.position_zyx.tolist() == [[95, 100, 160]]
    assert middle.score.tolist() == [0.5]
    ends = read(project, "ribosome", source=Source("icelens-endpoint", "1"))
    assert ends.position_zyx.tolist() == positions[:2]
    assert "1 midpoints, 2 endpoints of 3 ribosome" in said


def test_midpoints_of_nothing_are_written_as_empty(project):
    write_picks(project, [[95, 100, 100]])
    related(project, mode="midpoint")
    for user in ("icelens-midpoint", "icelens-endpoint"):
        assert len(read(project, "ribosome", source=Source(user, "1"))) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"picks": ("nobody", "1")}, "no run has picks of nobody,1"),
        ({"picks": ("nobody", "1"), "runs": ("TS_1",)}, "run TS_1 has no picks of nobody,1"),
        ({"segmentation": ("skin",)}, "has no segmentation skin"),
        ({"segmentation": ("membrane", "you", "1")}, "has no segmentation membrane,you,1"),
        ({"segmentation": ("membrane", "you")}, "give NAME or NAME,USER,SESSION"),
        ({"voxel_size": 5.0}, "has no segmentation membrane"),
        ({"objects": ("virus",)}, "no object virus"),
        ({"distance": (100.0, 10.0)}, "give the smaller one first"),
        ({"output_session": "a_b"}, "a_b"),
    ],
)
def test_what_cannot_be_related_is_refused_in_one_line(project, changes, message):
    write_picks(project, [[215, 200, 200]])
    before = project.picks("TS_1")
    with pytest.raises(IcelensError, match=message) as caught:
        related(project, **changes)
    assert "\n" not in str(caught.value)
    assert project.picks("TS_1") == before


def test_ambiguous_segmentation_is_refused(project):
    write_mask(project, np.ones(SHAPE), user="you")
    write_picks(project, [[215, 200, 200]])
    with pytest.raises(IcelensError, match="more than one segmentation membrane"):
        related(project)


def test_segmentation_that_does_not_fit_is_refused(project):
    write_picks(project, [[215, 200, 200]])
    write_mask(project, np.ones((8, 8, 8)), user="you")
    with pytest.raises(IcelensError, match=r"has \(8, 8, 8\) voxels but its tomogram"):
        related(project, segmentation=("membrane", "you", "1"))
    write_mask(project, np.ones(SHAPE), user="full")
    with pytest.raises(IcelensError, match="empty or full"):
        related(project, segmentation=("membrane", "full", "1"))


def test_picks_outside_the_tomogram_are_counted_and_refused(project):
    write_picks(project, [[215, 200, 200], [2150, 200, 200], [215, 2000, 200]])
    with pytest.raises(IcelensError, match=r"2 of 3 picks lie .*ribosome,icelens,1 in TS_1"):
        related(project)


def test_positions_in_voxels_are_refused(project):
    write_picks(project, [[number, 20, 20] for number in range(8)])
    with pytest.raises(IcelensError, match="all 8 positions lie below"):
        related(project)


def test_the_picks_themselves_are_not_replaced(project):
    positions = [[95, 200, 200], [300, 300, 300]]
    write_picks(project, positions)
    with pytest.raises(IcelensError, match="--output-session is 1, that of --picks"):
        related(project, output_session="1")
    assert read(project, "ribosome", source=ICELENS).position_zyx.tolist() == positions
