"""Where files open."""

import pytest

from icelens.apps.web.job_view.openers import kind_of, opening_commands, views_of


@pytest.mark.parametrize(
    ("path", "kind", "task", "places"),
    [
        ("a/TS_01.mrc", "volume", "restore", ["slices"]),
        ("a/map.mrc", "volume", "hetero", ["slices", "surface"]),
        ("a/seg.zarr", "segmentation", "pick", ["slices"]),
        ("a/p.star", "particle list", "pose", ["particles"]),
        ("a/x.mrcs", "image stack", "tools", ["particles"]),
        ("a/map_fsc.csv", "table", "tools", ["curves"]),
        ("a/latents.csv", "latents", "hetero", ["latents"]),
        ("a/tomograms.star", "tomogram list", "restore", ["data"]),
        ("a/fsc.png", "picture", "tools", ["file"]),
        ("a/model.safetensors", "checkpoint", "pick", []),
    ],
)
def test_each_kind_opens_in_its_viewer(path, kind, task, places):
    assert [view.place for view in views_of(path, kind, task, "run")] == places


def test_picks_open_with_the_tomograms_of_their_project():
    (view,) = views_of("p/picks/a.json", "picks", "pick", "run", "p")
    assert view.url == "/view/picks?project=p"


def test_kinds_that_no_job_says_are_told_by_the_ending():
    assert kind_of("demo/tomograms.star") == "tomogram list"
    assert kind_of("p.star") == "particle list"
    assert kind_of("x.weird") == "file"
    assert kind_of("x.mrc", "mask") == "mask"


def test_names_cannot_break_out_of_addresses_and_commands():
    (view,) = views_of("a&b=c #?.mrc", "volume", "restore")
    assert view.url == "/view/slices?file=a%26b%3Dc+%23%3F.mrc"
    assert opening_commands("/a b;rm")[0] == ("ChimeraX", "chimerax '/a b;rm'")
