"""Lists survive the way to JSON and back."""

from pathlib import Path

import pytest

from icelens.apps import cli
from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.io.tomogram_star import read_tomograms, write_tomograms


@pytest.fixture
def star(tmp_path: Path) -> Path:
    rows = [TomogramRow(index=i, pixel_size=8.0 + i, full=Path(f"TS_{i}.mrc")) for i in (1, 2)]
    write_tomograms(tmp_path / "t.star", TomogramList.from_rows(rows))
    return tmp_path / "t.star"


def test_list_comes_back_as_it_was(star, tmp_path):
    assert cli.main(["tools", "star-to-json", "--star", str(star)]) == 0
    back = tmp_path / "back.star"
    words = ["--json-file", str(star.with_suffix(".json")), "--star", str(back)]
    assert cli.main(["tools", "json-to-star", *words]) == 0
    assert read_tomograms(back).table.equals(read_tomograms(star).table)


def test_nothing_is_written_over_itself_or_from_nothing(star, tmp_path, capsys):
    before = star.read_text()
    words = ["tools", "star-to-json", "--star", str(star), "--json-file", str(star)]
    assert cli.main(words) == 2
    assert star.read_text() == before
    assert cli.main(["tools", "json-to-star", "--json-file", str(tmp_path / "no.json")]) == 2
    broken = tmp_path / "broken.json"
    broken.write_text('{"rlnIndex": {"0": 1}}')
    assert cli.main(["tools", "json-to-star", "--json-file", str(broken)]) == 2
    assert not broken.with_suffix(".star").exists()
    assert "broken.json" in capsys.readouterr().err
