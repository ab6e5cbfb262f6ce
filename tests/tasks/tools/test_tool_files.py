"""Tools never write over what they read, by whatever name it goes."""

import pytest

from icelens.core.errors import InputFileError, MetadataError
from icelens.tasks.tools.tool_files import refuse_overwriting, require_several


def test_links_and_detours_to_an_input_are_seen(tmp_path):
    (tmp_path / "a.star").write_text("x")
    (tmp_path / "link.star").symlink_to(tmp_path / "a.star")
    for name in ("a.star", "link.star", "b/../a.star"):
        with pytest.raises(InputFileError, match="over itself"):
            refuse_overwriting(tmp_path / name, [tmp_path / "a.star"])
    refuse_overwriting(tmp_path / "b.star", [tmp_path / "a.star"])


def test_one_file_is_not_several(tmp_path):
    with pytest.raises(MetadataError, match="the only file of --picks"):
        require_several("--picks", [tmp_path / "a.star"])
