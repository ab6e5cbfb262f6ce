"""Make the pictures of docs/guide/workbench.md anew: `python tests/browser/pictures.py`.

A first argument names a project that was built before; further ones name the pictures wanted.
"""

import csv
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from browser import worlds
from browser.person import FLAGS, fill, somebody
from browser.served import Served

from icelens.core.data.pickable import Source
from icelens.core.io.copick.project import PicksKey, open_project
from icelens.core.io.picks import read_copick
from icelens.core.io.volumes import open_volume

PICTURES = Path(__file__).parents[2] / "docs" / "guide" / "pictures"
MOST_BYTES = 200_000
WORLD = (
    "simulate tomograms --output simulated --shape 48,144,144 --pixel-size 10 --count 3 --seed 4",
    "restore prepare --even simulated/even --odd simulated/odd --star tomograms.star "
    "--pixel-size 10 --defocus 35000 --subtomograms 20 --output prepare",
    "restore refine --star tomograms.star --network unet-small --box-size 48 --batch-size 2 "
    "--epochs 4 --output refine",
    "restore predict --star tomograms.star --checkpoint refine --output corrected "
    "--turned-copies 1",
    "tools fsc --map-1 simulated/full/TS_01.mrc --map-2 simulated/truth/TS_01.mrc --output before",
    "tools fsc --map-1 corrected/TS_01.mrc --map-2 simulated/truth/TS_01.mrc --output after",
    "simulate states --output states --count 1500 --box-size 32 --pixel-size 4 --snr 0.5",
    "hetero linear --particles states/particles.star --components 3 --output linear",
)
"""What the shown project did."""
MISTYPED = "restore deconvolve --star tomogram.star"
"""A job that fails: the list is called otherwise."""


@dataclass(frozen=True)
class Shot:
    """A picture of a page.

    Attributes:
        act: What is done on the page before.
        scheme: `light` or `dark`.
    """

    name: str
    path: str
    act: Callable[[Page], None] | None = None
    scheme: str = "light"
    height: int = 800


def build(folder: Path) -> Path:
    """The project of the pictures, in some minutes."""
    worlds.run(folder, WORLD)
    worlds.run(folder, (MISTYPED,), may_fail=True)
    return folder


def add_picks(folder: Path) -> None:
    """A copick project with the true places of the molecules, and scores for them."""
    with (folder / "simulated" / "objects.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    objects = [
        {
            "name": row["name"],
            "is_particle": True,
            "label": int(row["label"]),
            "radius": float(row["radius"]),
        }
        for row in rows
    ]
    content = {"pickable_objects": objects, "overlay_root": f"local://{folder / 'picked'}"}
    (folder / "picks.json").write_text(json.dumps(content))
    project = open_project(folder / "picks.json")
    project.write_tomogram("TS_01", open_volume(folder / "corrected" / "TS_01.mrc"), "restored")
    generator = np.random.default_rng(0)
    for row in rows:
        name = row["name"]
        truth = read_copick(folder / "simulated" / "picks" / "TS_01" / f"{name}.json")
        picks = replace(truth, score=generator.uniform(0.3, 1.0, len(truth.position_zyx)))
        project.write_picks("TS_01", PicksKey(name, Source("picker", "1")), picks)


def add_jobs(served: Served) -> None:
    """One that runs, one that waits for it, a draft: something in each column of the board."""
    longer = WORLD[2].replace("--epochs 4 --output refine", "--epochs 90 --output longer")
    worlds.submit(served.queue, longer, title="Refine for longer")
    predict = WORLD[3].replace("--checkpoint refine --output corrected", "--checkpoint longer")
    worlds.submit(served.queue, predict, title="Restore with the longer one")
    worlds.submit(served.queue, WORLD[6], title="More particles", is_draft=True)


def one_plane(page: Page) -> None:
    page.get_by_role("button", name="xy", exact=True).click()


def filled(page: Page) -> None:
    fill(page, Network="unet-small", Epochs="20")
    page.get_by_role("complementary", name="What it will cost").get_by_text("Memory").wait_for()


def chosen(page: Page) -> None:
    """A lasso round some particles, and the volume at a place elsewhere."""
    page.get_by_role("button", name="Lasso", exact=True).click()
    box = page.get_by_role("application").bounding_box()
    assert box is not None
    corners = [(0.1, 0.2), (0.3, 0.1), (0.42, 0.35), (0.38, 0.8), (0.14, 0.75), (0.1, 0.22)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()
    page.get_by_role("button", name="Pan", exact=True).click()
    page.mouse.click(box["x"] + 0.62 * box["width"], box["y"] + 0.5 * box["height"])
    page.get_by_role("textbox", name="Name of the volume").wait_for()


VOLUMES = "file=simulated/full/TS_01.mrc&file=corrected/TS_01.mrc"
SHOTS = (
    Shot("home", "/"),
    Shot("data", "/data"),
    Shot("form", "/jobs/new?job=restore.refine&input=tomograms.star&setting=star", filled),
    Shot("jobs", "/jobs?view=board"),
    Shot("job", "/jobs/3"),
    Shot("failed", "/jobs/9"),
    Shot("slices", f"/view/slices?{VOLUMES}", one_plane, "dark"),
    Shot("picks", "/view/picks?project=picks.json", one_plane, "dark"),
    Shot("surface", "/view/surface?file=linear/mean.mrc", scheme="dark"),
    Shot("latents", "/view/latents?run=linear", chosen, height=960),
    Shot("particles", "/view/particles?file=states/particles.star"),
    Shot("curves", "/view/curves?file=before/fsc.csv&file=after/fsc.csv"),
    Shot("compare", "/compare?jobs=5&jobs=6"),
    Shot("lineage", "/lineage", height=520),
)


def shoot(browser: Browser, served: Served, shot: Shot) -> None:
    """One picture, 1280 wide."""
    size = {"width": 1280, "height": shot.height}
    target = PICTURES / f"{shot.name}.png"
    with somebody(browser, served, color_scheme=shot.scheme, viewport=size) as person:
        page = person.open(shot.path)
        page.wait_for_load_state("networkidle")
        if shot.act:
            shot.act(page)
            page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1500)  # what is drawn after the last answer
        page.screenshot(path=target)
    if target.stat().st_size > MOST_BYTES:
        fewer_colours(target)
    length = target.stat().st_size
    assert length <= MOST_BYTES, f"{target} has {length} bytes, more than {MOST_BYTES}"


def fewer_colours(path: Path) -> None:
    """A palette of 256 colours: a third of the size."""
    with Image.open(path) as picture:
        # k-means, or the few coloured lines would take the colour of their neighbours
        small = picture.convert("RGB").quantize(256, kmeans=3, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def main() -> None:
    """Build the project, or take one that was built before, and make the pictures."""
    wanted = sys.argv[2:]
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        template = Path(sys.argv[1]) if len(sys.argv) > 1 else build(Path(temporary) / "built")
        served = Served(worlds.copied(template, Path(temporary) / "lamella_3"))
        add_picks(served.folder)
        served.start()
        add_jobs(served)
        try:
            for shot in SHOTS:
                if not wanted or shot.name in wanted:
                    browser = playwright.chromium.launch(
                        executable_path=shutil.which("chromium"), args=list(FLAGS)
                    )
                    shoot(browser, served, shot)
                    browser.close()
        finally:
            served.stop()


if __name__ == "__main__":
    main()
