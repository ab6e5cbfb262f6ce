"""Frames per second of a million latents in a browser, and a lasso over them."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.figure import Figure
from icelens.core.data.latents import LatentTable
from icelens.core.io.latent_table import write_latents
from icelens.tasks.hetero.hetero_run import LATENTS_NAME, RunFacts, write_run_facts

PARTICLES = 1_000_000
PORT = 8697
BROWSER = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_MOVE = """(seconds) => new Promise((done) => {
  const { scatter } = window.latentExplorer, begin = performance.now();
  let frames = 0;
  const step = () => {
    const now = performance.now();
    if (now - begin > 1000 * seconds) return done((1000 * frames) / (now - begin));
    frames++;
    if (frames % 2) scatter.pan(6 * Math.sin(frames / 9), 4 * Math.cos(frames / 9));
    else scatter.zoom(1 + 0.03 * Math.sin(frames / 20));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
_LASSO = """async () => {
  const { scatter, selection } = window.latentExplorer;
  const { inside, thinned } = await import("/static/js/latents/lasso.js");
  const { left, top, width, height } = scatter.box, drawn = [];
  for (let i = 0; i < 100000; i++) {
    const turn = (2 * Math.PI * i) / 100000;
    const x = 0.5 + 0.4 * Math.cos(turn), y = 0.5 + 0.4 * Math.sin(turn);
    drawn.push([left + width * x, top + height * y]);
  }
  const begin = performance.now();
  const outline = thinned(drawn, 1.5).map(([x, y]) => scatter.toData(x, y));
  const { cloud } = scatter;
  selection.join(cloud.unsorted(inside(cloud.x, cloud.y, outline)), "replace");
  return performance.now() - begin;
}"""


def measure(*, quick: bool) -> list[Figure]:
    """Make a run of a million particles, open it as a user would, and move about in it."""
    seconds = 2 if quick else 8
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_run(folder / "million")
        server = _serve(folder)
        try:
            found = _look(_link(server), seconds)
        finally:
            server.terminate()
            server.wait(30)
    return [
        Figure("a million latents, page ready", found["ready"], "s"),
        Figure("a million latents, density", found["density"], "frames/s", reach=">= 30"),
        Figure("a million latents, by a column", found["amount"], "frames/s", reach=">= 30"),
        Figure("a million latents, with a selection", found["chosen"], "frames/s", reach=">= 30"),
        Figure("lasso over a million latents", found["lasso"], "ms", reach="<= 100 ms"),
    ]


def _write_run(folder: Path) -> None:
    """Twelve groups of different widths; the particle file is not there, and not needed."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 12, PARTICLES)
    centre, width = 4.0 * rng.normal(size=(12, 4)), 0.3 + rng.random(12)
    latent = centre[group] + width[group, None] * rng.normal(size=(PARTICLES, 4))
    folder.mkdir()
    write_run_facts(folder, RunFacts("linear", 4, 64, 2.0, ("particles.star",)))
    half = np.arange(PARTICLES) % 2 + 1
    write_latents(folder / LATENTS_NAME, LatentTable(latent, half_set=half))


def _serve(folder: Path) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "icelens.apps.cli", "serve", str(folder), "--port", str(PORT)]
    path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)


def _link(server: "subprocess.Popen[str]") -> str:
    """The link with the token, which the server prints first."""
    assert server.stdout is not None, "it is a pipe"
    for line in server.stdout:
        for word in line.split():
            if word.startswith("http://"):
                return word
    raise RuntimeError("the server printed no link")


def _look(link: str, seconds: float) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(link)
        begin = time.monotonic()
        page.goto(f"http://127.0.0.1:{PORT}/view/latents?run=million")
        page.wait_for_selector("body[data-ready]", timeout=120_000)
        found["ready"] = time.monotonic() - begin
        found["density"] = page.evaluate(_MOVE, seconds)
        page.select_option("#colour-column", "sigma")
        page.wait_for_function("() => window.latentExplorer.scatter.colour !== null")
        found["amount"] = page.evaluate(_MOVE, seconds)
        page.click("#reset-view")
        found["lasso"] = page.evaluate(_LASSO)
        found["chosen"] = page.evaluate(_MOVE, seconds)
        browser.close()
    return found
