from pathlib import Path

import pytest

from icelens.core.io.fsc_table import write_fsc


def test_each_shell_has_its_resolution_and_every_curve(tmp_path: Path) -> None:
    path = tmp_path / "fsc.csv"
    write_fsc(path, [0.0, 0.05, 0.1], {"fsc": [1.0, 0.9, 0.1], "fsc_count": [1.0, 20.0, 60.0]})
    assert path.read_text().splitlines() == [
        "shell,spatial_frequency,resolution,fsc,fsc_count",
        "0,0,inf,1,1",
        "1,0.05,20,0.9,20",
        "2,0.1,10,0.1,60",
    ]


def test_curves_of_another_length_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_fsc(tmp_path / "fsc.csv", [0.0, 0.05], {"fsc": [1.0]})
