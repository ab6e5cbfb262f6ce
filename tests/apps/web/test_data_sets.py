"""Tests of apps/web/data_sets.py."""

from pathlib import Path

from icelens.apps.web.data_sets import find_sets, kind_of_set
from icelens.apps.web.workbench import Workbench

LIST = "data_\nloop_\n_rlnIndex #1\n_rlnTomoName #2\n1 a.mrc\n"
IMAGES = "data_particles\nloop_\n_rlnImageName #1\n1@a.mrcs\n"
OTHER = "data_\nloop_\n_rlnCoordinateX\n3\n"


def test_files_are_told_by_their_labels(tmp_path: Path) -> None:
    kinds = {}
    for name, text in (("l.star", LIST), ("p.star", IMAGES), ("o.star", OTHER), ("e.star", "")):
        (tmp_path / name).write_text(text)
        kinds[name] = kind_of_set(tmp_path / name)
    assert kinds == {"l.star": "tomograms", "p.star": "particles", "o.star": None, "e.star": None}
    assert kind_of_set(tmp_path / "none.star") is None
    (tmp_path / "b.star").write_bytes(bytes(range(256)) * 300)
    assert kind_of_set(tmp_path / "b.star") is None


def test_sets_of_jobs_come_before_those_of_folders(bench: Workbench, project_folder: Path) -> None:
    (project_folder / "a.star").write_text(IMAGES)
    (project_folder / "deep" / "er").mkdir(parents=True)
    (project_folder / "deep" / "er" / "b.star").write_text(LIST)
    (project_folder / "list.star").write_text(LIST)
    bench.queue.submit("restore.prepare", {"star": "list.star", "full": "."}, title="mine")
    found = find_sets(bench.queue, bench.roots)
    assert [(each.path, each.number) for each in found] == [
        ("list.star", 1), ("a.star", None), ("deep/er/b.star", None),
    ]  # fmt: skip
    assert found[0].title == "mine"


def test_links_and_hidden_folders_are_not_followed(
    bench: Workbench, project_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.star").write_text(LIST)
    (project_folder / "link.star").symlink_to(tmp_path / "secret.star")
    (project_folder / ".hidden").mkdir()
    (project_folder / ".hidden" / "x.star").write_text(LIST)
    assert find_sets(bench.queue, bench.roots) == []
    bench.queue.submit("restore.prepare", {"star": "link.star", "full": "."})
    assert find_sets(bench.queue, bench.roots) == []
