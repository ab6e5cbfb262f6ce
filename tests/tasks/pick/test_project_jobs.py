"""The command lines of the issue are understood."""

import pytest

from icelens.apps.arguments import parse
from icelens.tasks.pick.project_jobs import browse, import_folder, targets


def test_flags_are_those_that_are_documented():
    words = "--project p.json --picks ribosome,curation,0 --picks apoferritin,curation,0"
    config = parse(targets, [*words.split(), "--radius-scale", "0.7"]).config
    assert config.picks == ("ribosome", "curation", "0", "apoferritin", "curation", "0")
    assert config.target == ("targets", "icelens", "1")
    words = "--folder DIR --project project.json --voxel-size 10 --tomogram-type denoised"
    assert parse(import_folder, words.split()).config.voxel_size == 10.0
    assert parse(browse, ["--project", "p.json"]).config.runs == ()


@pytest.mark.parametrize("words", ["--truth curation", "--radius-scale 0"])
def test_settings_that_cannot_be_meant_are_refused(words):
    with pytest.raises(Exception, match=words.split()[0]):
        parse(targets, ["--project", "p.json", *words.split()])
