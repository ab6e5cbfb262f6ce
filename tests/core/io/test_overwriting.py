"""Nothing is written over what was read, by whatever name it goes."""

import pytest

from icelens.core.errors import InputFileError
from icelens.core.io.overwriting import refuse_overwriting


def test_links_and_detours_to_an_input_are_seen(tmp_path):
    (tmp_path / "a.star").write_text("x")
    (tmp_path / "link.star").symlink_to(tmp_path / "a.star")
    for name in ("a.star", "link.star", "b/../a.star"):
        with pytest.raises(InputFileError, match="over itself"):
            refuse_overwriting(tmp_path / name, [tmp_path / "a.star"])
    refuse_overwriting(tmp_path / "b.star", [tmp_path / "a.star"])
    with pytest.raises(InputFileError, match=r"a\.star: would be"):
        refuse_overwriting([tmp_path / "b.star", tmp_path / "a.star"], [tmp_path / "a.star"])
