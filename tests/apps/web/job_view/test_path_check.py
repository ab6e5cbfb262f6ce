"""Paths among settings stay below the roots."""

import pytest

from icelens.apps.web.job_view.path_check import SettingsError, check_paths
from icelens.apps.web.roots import OutsideRootsError, Roots


@pytest.fixture
def roots(tmp_path):
    return Roots.of(tmp_path)


def test_paths_below_the_roots_pass(roots, tmp_path):
    check_paths(roots, "restore.refine", {"star": "a/t.star", "output": str(tmp_path / "b")})


@pytest.mark.parametrize(
    "settings", [{"star": "/etc/passwd"}, {"output": "../elsewhere"}, {"star": "a\0b"}]
)
def test_others_are_refused(roots, settings):
    with pytest.raises(OutsideRootsError):
        check_paths(roots, "restore.refine", settings)


def test_each_path_of_a_list_is_looked_at(roots):
    with pytest.raises(OutsideRootsError):
        check_paths(roots, "tools.edit-map", {"maps": ["a.mrc", "/etc/b.mrc"]})


def test_settings_of_no_possible_form_are_refused(roots):
    deep: dict = {}
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(SettingsError, match="nested too deeply"):
        check_paths(roots, "restore.refine", {"star": "t.star", "x": deep})
    with pytest.raises(SettingsError, match="half a character"):
        check_paths(roots, "restore.refine", {"seed": "\ud800"})
