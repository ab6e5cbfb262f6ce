"""Tables of either kind of file are columns by name."""

import numpy as np
import pytest

from icelens.core.errors import MetadataError
from icelens.tasks.tools.particle_table import record_columns, require_column


def test_fields_of_records_get_plain_names_and_lists_come_apart():
    records = np.zeros(2, [("blob/path", "S4"), ("ctf/df1_A", "<f4"), ("pose", "<f4", (3,))])
    records["blob/path"] = [b"a", b"b"]
    columns = record_columns(records)
    assert list(columns) == ["blob_path", "ctf_df1_A", "pose_0", "pose_1", "pose_2"]
    assert columns["blob_path"].tolist() == ["a", "b"]
    assert require_column(None, columns, "ctf/df1_A") is columns["ctf_df1_A"]


def test_unknown_column_gets_an_offer(tmp_path):
    with pytest.raises(MetadataError, match="did you mean ctf_df1_A"):
        require_column(tmp_path / "a.cs", {"ctf_df1_A": np.zeros(2)}, "ctf/df1")
