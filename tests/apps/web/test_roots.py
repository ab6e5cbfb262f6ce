"""Tests of apps/web/roots.py."""

from pathlib import Path

import pytest

from icelens.apps.web.roots import OutsideRootsError, Roots


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    for name in ("project", "data", "secret"):
        (tmp_path / name).mkdir()
    (tmp_path / "secret" / "key").write_text("secret")
    return Roots.of(tmp_path / "project", tmp_path / "data")


@pytest.mark.parametrize(
    "text",
    ["../secret/key", "a/../../secret/key", "/etc/passwd", "..", "../projects", "../project-2/x",
     "\0", "x\0/../../secret/key", "~/x/../../..", "x" * 5000 + "/../../secret"],
)  # fmt: skip
def test_paths_that_lead_out_are_refused(roots: Roots, text: str) -> None:
    if text == "~/x/../../..":
        text = "~/../../secret"
    with pytest.raises(OutsideRootsError):
        roots.resolve(text)


def test_links_are_followed_before_they_are_judged(roots: Roots, tmp_path: Path) -> None:
    (tmp_path / "project" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "project" / "in").symlink_to(tmp_path / "data")
    with pytest.raises(OutsideRootsError):
        roots.resolve("out/key")
    assert roots.resolve("in/new.mrc") == tmp_path / "data" / "new.mrc"


def test_a_link_that_leads_to_itself_is_no_path(roots: Roots, tmp_path: Path) -> None:
    (tmp_path / "project" / "loop").symlink_to("loop")
    with pytest.raises(OutsideRootsError):
        roots.resolve("loop/x")


def test_paths_with_blanks_and_letters_of_all_kinds_are_shown_relative(
    roots: Roots, tmp_path: Path
) -> None:
    path = roots.resolve("täst 1/vol (2).mrc")
    assert roots.shown(path) == "täst 1/vol (2).mrc"
    assert roots.shown(tmp_path / "data" / "x.mrc") == str(tmp_path / "data" / "x.mrc")
