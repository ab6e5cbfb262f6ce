"""Make the pictures of docs/guide/workbench.md anew: `python tests/browser/pictures.py`."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from browser import worlds
from browser.person import Person
from playwright.sync_api import Page

from icelens.core.data.pickable import Source
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import PicksKey, open_project
from icelens.core.io.picks import read_copick
from icelens.core.io.volumes import read_volume

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "guide" / "pictures"
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
    "restore refine --star tomograms.star --network unet-tiny --output wrong",
)
"""What the shown project did; the last line asks for a network that does not exist."""


def build(folder: Path) -> Path:
    """The project of the pictures, in some minutes."""
    project = worlds.run(folder, WORLD[:-1])
    worlds.run(folder, ("restore deconvolve --star tomogram.star",), may_fail=True)
    add_picks(folder)
    return project


def add_picks(folder: Path) -> None:
    """A copick project with the true places of the molecules, scored."""
    found = sorted((folder / "simulated" / "picks" / "TS_01").glob("*.json"))
    objects = [
        {"name": path.stem, "is_particle": True, "label": number, "radius": 110.0 - 12 * number}
        for number, path in enumerate(found, 1)
    ]
    config = folder / "picks.json"
    overlay = folder / "overlay"
    content = {"pickable_objects": objects, "overlay_root": f"local://{overlay}"}
    config.write_text(worlds.json_text(content))
    project = open_project(config)
    volume = read_volume(folder / "corrected" / "TS_01.mrc")
    project.write_tomogram("TS_01", Volume(volume.values, volume.pixel_size), "restored")
    generator = np.random.default_rng(0)
    for path in found:
        picks = read_copick(path)
        score = generator.uniform(0.3, 1.0, len(picks.position))
        kept = type(picks)(picks.position, score=score)
        project.write_picks("TS_01", PicksKey(path.stem, Source("picker", "1")), kept)


def shoot(person: Person, name: str, path: str, act: Callable[[Page], None] | None = None) -> None:
    """One picture, 1280 wide."""
    page = person.open(path)
    page.wait_for_load_state("networkidle")
    if act:
        act(page)
    page.wait_for_timeout(800)  # what is drawn after the last answer
    target = PICTURES / f"{name}.png"
    page.screenshot(path=target)
    page.close()
    size = target.stat().st_size
    print(f"{target.relative_to(ROOT)}: {size // 1000} kB")
    assert size <= MOST_BYTES, f"{target} has {size} bytes, more than {MOST_BYTES}"
