"""The scores of hetero's benchmark: truth reaches the ceiling, floors lie below it."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from bench.hetero_quality import floors, latent_scores, read_set, score, score_volumes
from bench.hetero_sets import RIBOSOME, SETS, ribosome_atoms

from icelens.core.data.latents import LatentTable
from icelens.core.metrics.fsc_auc import CEILING
from icelens.jobs.run import run_job
from icelens.tasks.hetero import hetero_run
from icelens.tasks.simulate.state_jobs import StatesConfig, states


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("set")
    config = StatesConfig(
        output=path, count=60, box_size=20, pixel_size=6.0, mass=30.0, states=2, snr=1.0
    )
    run_job(states, config)
    return path


class TrueModel:
    """Decodes a latent of one coordinate, the state, into its true map."""

    def __init__(self, maps: torch.Tensor) -> None:
        self.maps = maps

    def volumes(self, latent: torch.Tensor) -> Iterator[torch.Tensor]:
        for line in latent:
            yield self.maps[round(float(line[0]))]


def test_truth_reaches_the_ceiling_and_the_other_state_does_not(folder: Path) -> None:
    given = read_set(folder)
    rows = given.spread()
    assert len(rows) == 60
    right = score_volumes(given.maps[given.state[rows]], given.state[rows], folder)
    assert (right.plain, right.masked) == pytest.approx((CEILING, CEILING), abs=1e-4)
    wrong = score_volumes(given.maps[1 - given.state[rows]].numpy(), given.state[rows], folder)
    assert wrong.plain < right.plain - 0.02


def test_floors_lie_between_nothing_and_truth(folder: Path) -> None:
    found = floors(folder)
    assert len(found) == 2
    for area in found.values():
        assert 0.1 < area.plain < CEILING
        assert 0.1 < area.masked < CEILING


def test_a_run_is_scored_by_its_volumes_and_latents(folder: Path, monkeypatch) -> None:
    given = read_set(folder)
    table = LatentTable(given.state[:, None] + 0.01)
    run = SimpleNamespace(
        latent_dim=1, latents=lambda: table, volume_model=lambda: TrueModel(given.maps)
    )
    monkeypatch.setattr(hetero_run, "open_hetero_run", lambda _: run)
    found = score(Path("run"), folder)
    assert found["auc"] == pytest.approx(CEILING, abs=1e-4)
    assert found["ARI"] == pytest.approx(1.0)
    assert found["rank correlation"] == pytest.approx(1.0)


def test_states_without_order_have_no_rank_correlation() -> None:
    state = np.arange(40) % 2
    found = latent_scores(state[:, None] * np.ones(3), state, np.full(40, np.nan))
    assert found == {"ARI": pytest.approx(1.0)}


@pytest.mark.skipif(not RIBOSOME.is_file(), reason="the ribosome's atoms are not at hand")
def test_stages_of_assembly_lack_more_and_more(tmp_path: Path, monkeypatch) -> None:
    kept: dict[str, int] = {}

    def counted(_: Path, tables: dict) -> str:
        kept.update({name: len(table) for name, table in tables.items()})
        return ""

    monkeypatch.setattr("bench.hetero_sets.write_states", counted)
    flags = SETS["assembly"].states(tmp_path)
    sizes = list(kept.values())
    assert len(sizes) == 8
    assert sizes[0] == len(ribosome_atoms())
    assert all(later < earlier for earlier, later in pairwise(sizes))
    assert flags.endswith("--populations 8,7,6,5,4,3,2,1")
