"""What the explorer is told of a run: columns, expressions, selections, and what is refused."""

import base64
from pathlib import Path

import numpy as np
import pandas
import pytest
from hetero_runs import two_states
from latent_runs import analyse, run_in

from icelens.apps.web.work import latents
from icelens.core.errors import IcelensError
from icelens.core.io.star import read_star
from icelens.tasks.hetero.hetero_run import LATENTS_NAME, RUN_NAME


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return run_in(tmp_path, monkeypatch)


def names_of(data: dict) -> list[str]:
    return [each["name"] for each in data["columns"]]


def test_columns_come_as_they_are_in_the_run_coordinates_first(run: Path) -> None:
    data = latents.describe(run=str(run)).data
    assert (data["count"], data["latent_dim"], data["can_save"]) == (120, 3, True)
    assert names_of(data)[:6] == ["pc_1", "pc_2", "pc_3", "latent_1", "latent_2", "latent_3"]
    blob = latents.columns(run=str(run), names=["latent_2", "half_set"]).blob
    sent = np.frombuffer(blob, "<f4").reshape(2, 120)
    np.testing.assert_allclose(sent[0], two_states()[:, 1], rtol=1e-6)
    np.testing.assert_array_equal(sent[1], np.arange(120) % 2 + 1)


def test_clusters_and_further_tables_are_joined_by_row(run: Path) -> None:
    analyse(run)
    scores = run.parent / "scores.csv"
    pandas.DataFrame({"row": [7, 3, 500], "agreement": [0.7, 0.3, 0.5]}).to_csv(scores)
    data = latents.describe(run=str(run), table=str(scores)).data
    assert data["has_analysis"]
    assert {"kmeans", "agreement"} <= set(names_of(data))
    blob = latents.columns(run=str(run), names=["agreement"], table=str(scores)).blob
    values = np.frombuffer(blob, "<f4")
    np.testing.assert_allclose(values[[3, 7]], [0.3, 0.7])
    assert np.isnan(np.delete(values, [3, 7])).all()


@pytest.mark.parametrize(
    "text", ["particle,agreement\n1,2\n", "\x00\x01", "row,agreement\n999,1\n"]
)
def test_a_table_of_something_else_is_left_out_and_said(run: Path, text: str) -> None:
    table = run.parent / "other.csv"
    table.write_text(text)
    data = latents.describe(run=str(run), table=str(table)).data
    assert "agreement" not in names_of(data)
    assert any("left out" in note for note in data["notes"])


def test_latents_can_be_seen_without_their_particles(run: Path) -> None:
    (run.parent / "particles.star").unlink()
    data = latents.describe(run=str(run)).data
    assert not data["can_save"]
    assert "latent_1" in names_of(data)
    assert "defocus" not in names_of(data)
    assert any("particle file" in note for note in data["notes"])


def test_a_table_of_other_latents_is_left_out(run: Path) -> None:
    analyse(run)
    table = run / "analysis" / "latent" / "table.csv"
    frame = pandas.read_csv(table)
    frame["latent_1"] += 1.0
    frame.to_csv(table, index=False)
    data = latents.describe(run=str(run)).data
    assert not data["has_analysis"]
    assert any("other latents" in note for note in data["notes"])


def test_latents_that_are_trained_anew_are_read_anew(run: Path) -> None:
    before = latents.describe(run=str(run)).data["version"]
    assert latents.describe(run=str(run)).data["version"] == before
    frame = pandas.read_csv(run / LATENTS_NAME)
    frame["latent_1"] *= 2.5
    frame.to_csv(run / LATENTS_NAME, index=False)
    assert latents.describe(run=str(run)).data["version"] != before


def test_all_latents_equal_and_one_latent_are_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, latent in enumerate((np.ones((12, 3)), two_states(20, 1))):
        data = latents.describe(run=str(run_in(tmp_path / str(number), monkeypatch, latent))).data
        assert data["latent_dim"] == latent.shape[1]
        assert all(np.isfinite(data["explained"]))


def test_an_expression_chooses_as_bits(run: Path) -> None:
    answer = latents.chosen_where(run=str(run), where="latent_1 > 3 and rlnClassNumber == 2")
    bits = np.unpackbits(np.frombuffer(answer.blob, np.uint8), bitorder="little")[:120]
    expected = (two_states()[:, 0] > 3) & (np.arange(120) % 3 + 1 == 2)
    np.testing.assert_array_equal(bits.astype(bool), expected)
    assert answer.data == {"count": 120, "chosen": int(expected.sum())}


@pytest.mark.parametrize(
    "where",
    ["__import__('os').system('x') == 0", "nobody > 3", "latent_1", "latent_1.real > 0", "(" * 3000,
     "[x for x in (1,)] == 1", "rlnMicrographName > 3"],
)  # fmt: skip
def test_code_and_unknown_columns_are_refused_in_one_line(run: Path, where: str) -> None:
    with pytest.raises(IcelensError) as refused:
        latents.chosen_where(run=str(run), where=where)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "names", [[], ["nothing"], ["latent_1"] * 9, ["../latent_1"], ["rlnImageName"]]
)
def test_columns_that_are_not_there_are_refused(run: Path, names: list[str]) -> None:
    with pytest.raises(IcelensError, match=r"column"):
        latents.columns(run=str(run), names=names)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (RUN_NAME, None, "no run of hetero"),
        (RUN_NAME, "{", "damaged"),
        (RUN_NAME, "[]", "damaged"),
        (LATENTS_NAME, None, "yet"),
        (LATENTS_NAME, "", "no table"),
        (LATENTS_NAME, "latent_1\nx\n", "words"),
        (LATENTS_NAME, "latent_1,latent_2,latent_3\n1,nan,2\n", "not finite"),
        (LATENTS_NAME, "latent_1\n1\n", "coordinates"),
    ],
)
def test_damaged_runs_say_in_a_line_what_is_wrong(
    run: Path, name: str, text: str | None, said: str
) -> None:
    (run / name).unlink()
    if text is not None:
        (run / name).write_text(text)
    with pytest.raises(IcelensError, match=said) as refused:
        latents.describe(run=str(run))
    assert "\n" not in str(refused.value)


def packed(chosen: np.ndarray) -> str:
    return base64.b64encode(np.packbits(chosen, bitorder="little").tobytes()).decode()


def test_a_selection_is_saved_once_more_under_another_name(run: Path) -> None:
    chosen = np.zeros(120, bool)
    chosen[[3, 4, 110]] = True
    project = run.parent
    saved = [
        latents.save_selection(
            run=str(run), bits=packed(chosen), project=str(project), name="compact"
        ).data
        for _ in range(2)
    ]
    assert saved[0]["file"] != saved[1]["file"]
    everything = read_star(project / "particles.star")["particles"]["rlnImageName"]
    for each in saved:
        kept = read_star(Path(each["file"]))["particles"]["rlnImageName"].tolist()
        assert kept == everything[chosen].tolist()
        assert pandas.read_csv(each["index"])["row"].tolist() == [3, 4, 110]
    assert "--among selections/compact.csv" in saved[0]["command"]
    assert "--output selections/compact.star" in saved[0]["command"]


@pytest.mark.parametrize(
    "bits", ["", "!!", packed(np.ones(500, bool)), packed(np.zeros(120, bool))]
)
def test_selections_of_nothing_or_of_others_are_refused(run: Path, bits: str) -> None:
    with pytest.raises(IcelensError):
        latents.save_selection(run=str(run), bits=bits, project=str(run.parent), name="x")
    assert not (run.parent / "selections").exists() or not list(
        (run.parent / "selections").iterdir()
    )


def test_nothing_is_left_behind_where_particles_cannot_be_written(run: Path) -> None:
    (run.parent / "particles.star").unlink()
    with pytest.raises(IcelensError):
        latents.save_selection(
            run=str(run), bits=packed(np.ones(120, bool)), project=str(run.parent), name="x"
        )
    assert not list((run.parent / "selections").iterdir())
