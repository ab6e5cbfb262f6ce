"""`icelens hetero select` writes whole particles in their order with their optics."""

import numpy as np
import pandas
import pytest
from hetero_runs import BOX, two_states, write_run

from icelens.apps import cli
from icelens.core.data.latents import LatentTable
from icelens.core.data.volume import Volume
from icelens.core.events import ignore
from icelens.core.io.latent_table import write_latents
from icelens.core.io.particle_files import read_particles
from icelens.core.io.star import read_star
from icelens.core.io.volumes import write_volume
from icelens.tasks.hetero.analyze_findings import find
from icelens.tasks.hetero.analyze_settings import AnalyzeConfig
from icelens.tasks.hetero.analyze_table import latent_columns, write_table
from icelens.tasks.hetero.hetero_run import RunFacts, open_hetero_run, write_run_facts


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", two_states())


def select(run, *words):
    output = run.parent / "kept.star"
    command = ["hetero", "select", "--run", str(run), "--output", str(output), *words]
    assert cli.main(command) == 0
    return read_star(output)


def analyze(run):
    """What `hetero analyze` writes, without its report."""
    config = AnalyzeConfig(run=run, umap=False, clusters=4)
    table = open_hetero_run(run).latents()
    columns = latent_columns(table) | find(table, config, ignore).columns()
    folder = run / "analysis" / "latent"
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "table.csv", columns)
    return pandas.read_csv(folder / "table.csv")


def images(blocks):
    return blocks["particles"]["rlnImageName"].tolist()


def all_images(run):
    return np.asarray(images(read_star(run.parent / "particles.star")))


def test_condition_on_clusters_and_latents_keeps_what_the_table_says(run):
    table = analyze(run)
    kept = select(run, "--where", "kmeans in (1,4) and norm < 3")
    chosen = table["kmeans"].isin([1, 4]) & (table["norm"] < 3)
    assert 0 < chosen.sum() < 120
    assert images(kept) == all_images(run)[chosen].tolist()


def test_clusters_count_from_1_and_inversion_gives_the_rest(run):
    table = analyze(run)
    kept, rest = select(run, "--clusters", "1,3"), select(run, "--clusters", "1,3", "--invert")
    assert images(kept) == all_images(run)[table["kmeans"].isin([1, 3])].tolist()
    assert sorted(images(kept) + images(rest)) == sorted(all_images(run))
    assert len(select(run, "--clusters", "1", "2", "3", "4")["particles"]) == 120


def test_without_an_analysis_latents_and_columns_of_the_file_can_be_named(run):
    kept = select(run, "--where", "latent_1 > 2 and rlnMicrographName == 'mic_1.mrc'")
    chosen = (two_states()[:, 0] > 2) & (np.arange(120) % 4 == 1)
    assert images(kept) == all_images(run)[chosen].tolist()


def test_optics_groups_and_other_columns_stay(run):
    before = read_star(run.parent / "particles.star")
    kept = select(run, "--where", "rlnClassNumber == 2 and defocus > 15000")
    assert kept["optics"].equals(before["optics"])
    rows = before["particles"]["rlnImageName"].isin(images(kept))
    assert kept["particles"].equals(before["particles"][rows].reset_index(drop=True))


def test_outliers_are_dropped_or_kept_alone_with_and_without_an_analysis(tmp_path):
    latent = two_states()
    latent[[5, 70]] += 40.0
    run = write_run(tmp_path / "run", latent)
    everything = all_images(run)
    for _ in range(2):
        only = select(run, "--outliers", "only", "--outlier-sigma", "6")
        assert images(only) == everything[[5, 70]].tolist()
        dropped = images(select(run, "--outliers", "drop"))
        assert not set(everything[[5, 70]]) & set(dropped)
        assert len(dropped) > 110
        analyze(run)


def test_index_names_particles_and_rows(run):
    select(run, "--where", "row < 3", "--index", str(run.parent / "kept.csv"))
    index = pandas.read_csv(run.parent / "kept.csv")
    assert index["row"].tolist() == [0, 1, 2]
    assert index["particle"].tolist() == [0, 1, 2]


def test_an_index_gives_the_same_particles_again_and_joins_with_conditions(run):
    first = select(run, "--where", "latent_1 > 2", "--index", str(run.parent / "kept.csv"))
    again = select(run, "--among", str(run.parent / "kept.csv"))
    assert images(again) == images(first)
    some = select(run, "--among", str(run.parent / "kept.csv"), "--where", "row < 90")
    assert images(some) == [name for name in images(first) if name in set(all_images(run)[:90])]


@pytest.mark.parametrize(
    ("text", "said"),
    [("particle\n3\n", "column row"), ("row\n5\n99999\n", "row 99999"), (None, "cannot be read")],
)
def test_tables_of_other_particles_are_refused(run, text, said, capsys):
    table = run.parent / "other.csv"
    if text is not None:
        table.write_text(text)
    words = ["hetero", "select", "--run", str(run), "--among", str(table)]
    assert cli.main([*words, "--output", str(run.parent / "kept.star")]) != 0
    assert said in capsys.readouterr().err


def test_all_tilts_of_a_particle_are_kept_or_none(tmp_path):
    names = [f"series_{number // 3:02d}" for number in range(36)]
    lines = [f"{n + 1}@a.mrcs 1 {name} {20 + n % 3}" for n, name in enumerate(names)]
    head = "data_\nloop_\n_rlnImageName\n_rlnImagePixelSize\n_rlnGroupName\n_rlnCtfBfactor\n"
    star = tmp_path / "tilts.star"
    star.write_text(head + "\n".join(lines) + "\n")
    write_volume(tmp_path / "a.mrcs", Volume(np.zeros((36, 8, 8), np.float32), 1.0))
    particle = read_particles(star).particles.particle
    ids, first = np.unique(particle, return_index=True)
    assert len(ids) == 12
    folder = tmp_path / "run"
    folder.mkdir()
    write_run_facts(folder, RunFacts("linear", 3, BOX, 3.0, (str(star),)))
    write_latents(folder / "latents.csv", LatentTable(two_states(12), ids, first))
    command = ["hetero", "select", "--run", str(folder), "--where", "latent_1 > 2 and images == 3"]
    assert cli.main([*command, "--output", str(tmp_path / "kept.star")]) == 0
    (kept,) = read_star(tmp_path / "kept.star").values()
    assert kept["rlnGroupName"].tolist() == names[18:]


def test_records_of_cryosparc_are_written_as_such(tmp_path, capsys):
    fields = [
        ("uid", "<u8"),
        ("blob/path", "S20"),
        ("blob/idx", "<u4"),
        ("blob/shape", "<u4", (2,)),
        ("blob/psize_A", "<f4"),
        ("alignments3D/pose", "<f4", (3,)),
    ]
    records = np.zeros(6, fields)
    records["uid"] = np.arange(11, 17)
    records["blob/path"], records["blob/idx"] = b"a.mrc", range(6)
    records["blob/shape"], records["blob/psize_A"] = (8, 8), 2.0
    with (tmp_path / "a.cs").open("wb") as file:
        np.save(file, records)
    folder = tmp_path / "run"
    folder.mkdir()
    write_run_facts(folder, RunFacts("linear", 2, BOX, 3.0, (str(tmp_path / "a.cs"),)))
    write_latents(folder / "latents.csv", LatentTable(np.arange(12.0).reshape(6, 2)))
    command = ["hetero", "select", "--run", str(folder), "--where", "latent_1 > 5 and uid < 16"]
    assert cli.main([*command, "--output", str(tmp_path / "b.cs")]) == 0
    assert np.load(tmp_path / "b.cs")["uid"].tolist() == [14, 15]
    star = write_run(tmp_path / "other" / "run", two_states(6))
    command = ["hetero", "select", "--run", str(star), "--output", str(tmp_path / "c.cs")]
    assert cli.main(command) == 2
    assert ".cs can only be written of particles from .cs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--where", "norm > 1000"], "none of 120 particles is left"),
        (["--where", "nrm > 1"], "did you mean norm"),
        (["--where", "norm >"], "cannot be read"),
        (["--clusters", "9"], "--clusters names 9, expected 1 to 4"),
        (["--clusters", "0"], "--clusters: found"),
        (["--invert"], "none of 120 particles is left"),
        (["--analysis", "nowhere"], "no such file"),
        (["--epoch", "7"], "no latents of epoch 7"),
        (["--output", "kept.txt"], "expected .star or .cs"),
    ],
)
def test_what_cannot_be_selected_is_said_and_nothing_is_written(words, piece, run, capsys):
    analyze(run)
    capsys.readouterr()
    command = ["hetero", "select", "--run", str(run), "--output", str(run.parent / "kept.star")]
    assert cli.main([*command, *words]) == 2
    heard = capsys.readouterr().err
    assert piece in heard
    assert len(heard.strip().splitlines()) == 1
    assert not (run.parent / "kept.star").exists()


def test_clusters_without_an_analysis_name_the_remedy(run, capsys):
    command = ["hetero", "select", "--run", str(run), "--clusters", "1"]
    assert cli.main([*command, "--output", str(run.parent / "kept.star")]) == 2
    assert "run `icelens hetero analyze` first" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["particles.star", "run/latents.csv"])
def test_nothing_of_the_run_is_written_over(name, run, capsys):
    path = run.parent / name
    before = path.read_bytes()
    flag = "--output" if name.endswith("star") else "--index"
    command = ["hetero", "select", "--run", str(run), "--output", str(run.parent / "k.star")]
    assert cli.main([*command, flag, str(path)]) == 2
    assert "over itself" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert not (run.parent / "k.star").exists()
