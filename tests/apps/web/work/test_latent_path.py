"""Paths of the explorer are those of `hetero traverse`, with the support of each point."""

from pathlib import Path

import numpy as np
import pytest
from hetero_runs import two_states
from latent_runs import analyse, run_in

from icelens.apps.web.work import latents
from icelens.core.errors import IcelensError
from icelens.tasks.hetero.latent_files import read_states


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return run_in(tmp_path, monkeypatch)


def path(run: Path, way: str, anchors=(), component: int = 1, count: int = 7):
    found = latents.path(
        run=str(run), way=way, anchors=list(anchors), component=component, count=count
    )
    return found.data["points"]


def test_a_straight_path_goes_through_clicked_points_and_over_the_gap(run: Path) -> None:
    points = path(run, "direct", [{"particle": 0}, {"particle": 100, "at": {}}])
    latent = np.asarray([each["latent"] for each in points])
    given = two_states()
    np.testing.assert_allclose(latent[[0, -1]], given[[0, 100]], atol=1e-5)
    np.testing.assert_allclose(latent[3], given[[0, 100]].mean(axis=0), atol=1e-5)
    supports = [each["support"] for each in points]
    assert supports[0] == supports[-1] == "supported"
    assert "extrapolated" in supports


def test_a_point_can_be_moved_along_the_shown_axes(run: Path) -> None:
    moved = latents.point(run=str(run), particle=5, at={"latent_1": 3.5}).data
    np.testing.assert_allclose(moved["latent"], [3.5, *two_states()[5, 1:]], atol=1e-5)
    along = latents.point(run=str(run), particle=5, at={"pc_1": 1.25, "pc_2": -0.5}).data
    np.testing.assert_allclose(along["pc"][:2], [1.25, -0.5], atol=1e-9)


def test_over_particles_each_point_is_one(run: Path) -> None:
    points = path(run, "graph", [{"particle": 1}, {"particle": 30}])
    given = {tuple(row) for row in np.round(two_states(), 5).tolist()}
    assert {tuple(np.round(each["latent"], 5)) for each in points} <= given


def test_components_and_clusters_make_paths(run: Path) -> None:
    points = path(run, "pc", component=2)
    along = np.asarray([each["pc"] for each in points])
    assert (np.diff(along[:, 1]) > 0).all()
    np.testing.assert_allclose(along[:, [0, 2]], 0.0, atol=1e-9)
    with pytest.raises(IcelensError, match="hetero analyze"):
        path(run, "clusters")
    analyse(run, clusters=4)
    latent = np.asarray([each["latent"] for each in path(run, "clusters", count=20)])
    assert len(latent) == 20
    # from one end of the first component to the other
    assert abs(latent[0, 0] - latent[-1, 0]) > 4.0


@pytest.mark.parametrize(
    ("way", "anchors", "said"),
    [
        ("direct", [], "two or more"),
        ("direct", [{"particle": 3}], "two or more"),
        ("graph", [{"particle": 3}, {"particle": 3}], "two or more"),
        ("direct", [{"particle": 3}, {"particle": 120}], "expected 0 to 119"),
        ("graph", [{"particle": 3}, {"particle": 120}], "expected 0 to 119"),
        ("graph", [{"particle": 3}, {"particle": 100}], "no way"),
        ("direct", [{"particle": 3}, {"particle": 4, "at": {"latent_9": 1.0}}], "latent_9"),
        ("direct", [{"particle": 3}, {"particle": 4, "at": {"umap_1": 1.0}}], "umap_1"),
        ("direct", [{"particle": 3}, {"particle": 4, "at": {"pc_1": 1e300}}], "within"),
        ("direct", [{"particle": 3}, {"particle": 4, "at": {"pc_1": float("nan")}}], "within"),
        (
            "direct",
            [{"particle": 3}, {"particle": 4, "at": {"pc_1": 1.0, "latent_1": 1.0}}],
            "one kind",
        ),
    ],
)
def test_paths_that_cannot_be_are_refused_in_a_line(run: Path, way, anchors, said) -> None:
    with pytest.raises(IcelensError, match=said) as refused:
        path(run, way, anchors)
    assert "\n" not in str(refused.value)


def test_a_component_that_is_not_there_is_refused(run: Path) -> None:
    with pytest.raises(IcelensError, match="1 to 3"):
        path(run, "pc", component=4)


def test_a_saved_path_is_read_by_hetero_volumes(run: Path) -> None:
    given = [[0.0, 0.1, 0.2], [1.0, 1.1, 1.2]]
    saved = latents.save_path(
        run=str(run), latents=given, project=str(run.parent), name="opening"
    ).data
    np.testing.assert_allclose(read_states(Path(saved["file"]), 3), given)
    assert "icelens hetero volumes --run run" in saved["command"]
    assert "--latent paths/opening.csv" in saved["command"]
    for wrong in ([], [[1.0]]):
        with pytest.raises(IcelensError):
            latents.save_path(run=str(run), latents=wrong, project=str(run.parent), name="x")
