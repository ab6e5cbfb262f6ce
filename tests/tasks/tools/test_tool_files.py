"""Tools that compare files ask for more than one."""

import pytest

from icelens.core.errors import MetadataError
from icelens.tasks.tools.tool_files import require_several


def test_one_file_is_not_several(tmp_path):
    with pytest.raises(MetadataError, match="the only file of --picks"):
        require_several("--picks", [tmp_path / "a.star"])
