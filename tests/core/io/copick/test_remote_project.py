"""Projects elsewhere need copick, and say so; what it then does is tested by `make interop`."""

import json
import sys

import pytest

from icelens.core.errors import InputFileError
from icelens.core.io.copick.project import open_project


@pytest.mark.parametrize(
    "changes",
    [
        {"overlay_root": "s3://bucket/overlay"},
        {"static_root": "ssh://host/data"},
        {"config_type": "cryoet_data_portal", "dataset_ids": [10301]},
        {"config_type": "mlcroissant", "croissant_url": "https://host/croissant.json"},
    ],
)
def test_without_the_package_one_line_names_the_extra(tmp_path, monkeypatch, changes):
    monkeypatch.setitem(sys.modules, "copick", None)
    path = tmp_path / "project.json"
    content = {"pickable_objects": [], "overlay_root": f"local://{tmp_path}"} | changes
    path.write_text(json.dumps(content))
    with pytest.raises(InputFileError, match=r"pip install 'icelens\[copick\]'") as caught:
        open_project(path)
    assert str(caught.value).startswith(f"{path}: ")
