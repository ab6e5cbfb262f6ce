"""Volumes at clicked latents: surface, slices, support, file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hetero_runs import BOX, LinearVolumes
from latent_runs import run_in

from icelens.apps.web.work import decoding, latents
from icelens.core.errors import IcelensError
from icelens.core.io.volumes import open_volume
from icelens.tasks.hetero import volume_models


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return run_in(tmp_path, monkeypatch)


def parts(answer):
    """Positions, normals, triangles and slices of an answer."""
    facts, blob = answer.data, answer.blob
    vertices, triangles, side = facts["vertices"], facts["triangles"], facts["box_size"]
    places = np.cumsum([12 * vertices, 12 * vertices, 12 * triangles])
    assert len(blob) == places[-1] + 3 * side**2
    first, second, third, rest = (
        blob[a:b] for a, b in zip([0, *places], [*places, len(blob)], strict=True)
    )
    return (
        np.frombuffer(first, "<f4").reshape(-1, 3),
        np.frombuffer(second, "<f4").reshape(-1, 3),
        np.frombuffer(third, "<u4").reshape(-1, 3),
        np.frombuffer(rest, np.uint8).reshape(3, side, side),
    )


def test_the_surface_lies_where_the_model_puts_density(run: Path) -> None:
    answer = latents.decode(run=str(run), latent=[3.0, 0.0, 0.0])
    position, normal, triangle, slices = parts(answer)
    assert triangle.max() < len(position)
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1.0, atol=1e-4)
    # the first coordinate adds a ball 3 px to the right of the centre
    assert position[:, 0].max() > 9.0
    assert abs(position[:, 1].mean()) < 3.0
    assert slices.max() == 255
    assert slices[0, BOX // 2, BOX // 2 + 3] > slices[0, BOX // 2, BOX // 2 - 5]


def test_a_point_carries_its_support(run: Path) -> None:
    inside = latents.decode(run=str(run), latent=[0.0, 0.0, 0.0]).data
    far = latents.decode(run=str(run), latent=[90.0, 0.0, 0.0]).data
    assert inside["support"] == "supported"
    assert inside["num_near"] > 0
    assert (far["support"], far["num_near"]) == ("extrapolated", 0)
    assert 60 <= far["nearest_row"] < 120


def test_another_level_asks_the_model_no_second_time(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    original = LinearVolumes.volumes

    def counted(self, latent, **options):
        asked.append(len(latent))
        return original(self, latent, **options)

    monkeypatch.setattr(LinearVolumes, "volumes", counted)
    low = latents.decode(run=str(run), latent=[0.1, 0.2, 0.3], level=1.0).data
    high = latents.decode(run=str(run), latent=[0.1, 0.2, 0.3], level=3.0).data
    assert asked == [1]
    assert (low["level"], high["level"]) == (1.0, 3.0)
    assert low["triangles"] > high["triangles"]
    assert latents.decode(run=str(run), latent=[0.1, 0.2, 0.3], level=900.0).data["triangles"] == 0


def test_a_coarser_box_keeps_its_width(run: Path) -> None:
    data = latents.decode(run=str(run), latent=[0.0, 0.0, 0.0], box_size=8).data
    assert data["box_size"] == 8
    assert data["box_size"] * data["pixel_size"] == pytest.approx(BOX * 3.0)


@pytest.mark.parametrize(
    "latent", [[], [1.0], [1.0] * 4, [1e13, 0, 0], [float("inf"), 0, 0], [float("nan"), 0, 0]]
)
def test_latents_of_other_runs_and_beyond_all_numbers_are_refused(
    run: Path, latent: list[float]
) -> None:
    with pytest.raises(IcelensError) as refused:
        latents.decode(run=str(run), latent=latent)
    assert "\n" not in str(refused.value)


def test_a_volume_that_is_not_finite_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(LinearVolumes):
        def volumes(self, latent, **options):
            del options
            yield torch.full((BOX,) * 3, float("nan"))

    monkeypatch.setitem(volume_models.READERS, "linear", lambda *given: Broken(3))
    with pytest.raises(IcelensError, match="no finite volume"):
        latents.decode(run=str(run), latent=[0.0, 0.0, 0.0])


def test_a_volume_is_saved_in_full_and_never_over_another(run: Path) -> None:
    project = run.parent
    files = [
        latents.save_volume(
            run=str(run), latent=[0.0, 0.0, 0.0], project=str(project), name="state"
        ).data["file"]
        for _ in range(2)
    ]
    assert files == [str(project / "volumes" / f"{name}.mrc") for name in ("state", "state-2")]
    volume = open_volume(Path(files[0]))
    assert volume.array.shape == (BOX,) * 3
    assert volume.pixel_size == pytest.approx(3.0)


def test_networks_are_decoded_so_small_that_it_takes_less_than_a_second() -> None:
    quick = decoding._quick_box("vae", torch.device("cpu"))
    assert 32 <= quick <= 64
    assert decoding._quick_box("linear", torch.device("cpu")) == 128
    assert [decoding._side(quick, full) for full in (20, 21, 300)] == [20, 21, quick - quick % 2]
