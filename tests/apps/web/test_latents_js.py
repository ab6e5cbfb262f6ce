"""What the browser computes of a million points, held to numpy and matplotlib; needs node."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.path import Path as Outline

from icelens.apps.web.pages import STATIC

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")

POINTS = """
const n = 4000, x = new Float32Array(n), y = new Float32Array(n);
let state = 7;
const draw = () => (state = (state * 48271) % 2147483647) / 2147483647;
for (let i = 0; i < n; i++) { x[i] = 4 * draw() - 2; y[i] = 6 * draw() - 3; }
x[5] = NaN; y[6] = Infinity;
"""


def run_js(folder: Path, *lines: str) -> Any:
    """What a script says; it finds the modules of the pages beside it."""
    shutil.copytree(STATIC / "js", folder, dirs_exist_ok=True)
    (folder / "package.json").write_text('{"type": "module"}')
    script = folder / "script.js"
    script.write_text("\n".join(lines))
    done = subprocess.run(
        ["node", str(script)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_bins_hold_counts_means_majorities_and_selected(tmp_path: Path) -> None:
    said = run_js(
        tmp_path,
        'import { binPoints, makeGrid } from "./latents/density.js";',
        'import { Cloud } from "./latents/cloud.js";',
        POINTS,
        "const cloud = new Cloud(x, y), view = { x0: -1, x1: 1, y0: -2, y1: 2.5 };",
        "const grid = makeGrid(7, 5), plain = makeGrid(7, 5);",
        "const column = Float32Array.from(x, (v, i) => (i % 3 ? v : NaN));",
        "const codes = Float32Array.from(x, (v) => Number(v > 0));",
        "const marks = Uint8Array.from(x, (v, i) => i % 4 === 0);",
        "const shown = Uint8Array.from(x, (v, i) => i % 5 !== 0);",
        "const s = (a) => cloud.sorted(a), range = [...cloud.between(view.y0, view.y1), 1];",
        "const base = { x: cloud.x, y: cloud.y, chosen: s(marks), shown: s(shown) };",
        "binPoints(grid, { ...base, colour: s(column) }, view, range);",
        "const out = { x: [...x], y: [...y], count: [...grid.count], sum: [...grid.sum],",
        "  chosen: [...grid.chosen], visible: grid.visible };",
        "binPoints(grid, { ...base, colour: s(codes), classes: true }, view, range);",
        "out.candidate = [...grid.candidate];",
        "binPoints(plain, { x: cloud.x, y: cloud.y }, view, range);",
        "out.plain = [...plain.count];",
        "console.log(JSON.stringify(out));",
    )
    x, y = (np.asarray(said[name], np.float64) for name in "xy")
    number = np.arange(len(x))
    edges = [np.linspace(-2, 2.5, 6), np.linspace(-1, 1, 8)]

    def counts(chosen: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        kept = chosen & np.isfinite(x) & np.isfinite(y)
        given = None if weights is None else weights[kept]
        # row 0 is the top
        return np.histogram2d(y[kept], x[kept], edges, weights=given)[0][::-1].ravel()

    shown = number % 5 != 0
    np.testing.assert_array_equal(said["plain"], counts(number >= 0))
    np.testing.assert_array_equal(said["count"], counts(shown))
    np.testing.assert_array_equal(said["chosen"], counts(shown & (number % 4 == 0)))
    np.testing.assert_allclose(said["sum"], counts(shown & (number % 3 > 0), x), atol=1e-3)
    assert said["visible"] == counts(shown).sum()
    share = counts(shown & (x > 0)) / counts(shown)
    clear = np.abs(share - 0.5) > 0.02
    np.testing.assert_array_equal(np.asarray(said["candidate"])[clear], (share > 0.5)[clear])


def test_a_lasso_holds_what_lies_inside_its_outline(tmp_path: Path) -> None:
    corners = [[-1.5, -2.0], [1.2, -2.5], [0.1, 0.3], [1.7, 2.1], [-1.1, 2.6], [-0.4, 0.2]]
    said = run_js(
        tmp_path,
        'import { inside, thinned } from "./latents/lasso.js";',
        'import { Cloud } from "./latents/cloud.js";',
        POINTS,
        f"const corners = {json.dumps(corners)}, cloud = new Cloud(x, y);",
        "const marks = cloud.unsorted(inside(cloud.x, cloud.y, corners));",
        "const many = Array.from({ length: 100000 }, (_, i) =>",
        "  [Math.cos(i / 15915.5), Math.sin(i / 15915.5)]);",
        "const ring = inside(x, y, many);",
        "console.log(JSON.stringify({ x: [...x], y: [...y], marks: [...marks], ring: [...ring],",
        "  none: [[], [[0, 0]], [[0, 0], [1, 1]], [[0, 0], [1, 0], [2, 0]], [[NaN, 0], [0, NaN]]]",
        "    .map((each) => inside(x, y, each).reduce((a, b) => a + b, 0)),",
        "  corners: [thinned(many).length, thinned(many, 0.01).length] }));",
    )
    points = np.asarray([said["x"], said["y"]], np.float64).T
    finite = np.isfinite(points).all(axis=1)
    expected = Outline(corners).contains_points(np.where(finite[:, None], points, 9.0))
    np.testing.assert_array_equal(said["marks"], expected & finite)
    radius = np.hypot(*points.T)
    clear = finite & (np.abs(radius - 1.0) > 0.01)
    np.testing.assert_array_equal(np.asarray(said["ring"])[clear], (radius < 1.0)[clear])
    assert said["none"] == [0] * 5
    assert max(said["corners"]) <= 1000


def test_the_nearest_point_is_found_within_reach_only(tmp_path: Path) -> None:
    said = run_js(
        tmp_path,
        'import { Cloud } from "./latents/cloud.js";',
        POINTS,
        "const cloud = new Cloud(x, y);",
        "const near = (reach) => cloud.nearest(0.31, -0.77, 100, 50, reach);",
        "const same = new Cloud(new Float32Array(9).fill(3), new Float32Array(9).fill(3));",
        "console.log(JSON.stringify({ x: [...x], y: [...y], far: cloud.order[near(Infinity)],",
        "  close: cloud.order[near(30)], none: cloud.nearest(50, 50, 100, 50, 5),",
        "  same: same.nearest(3, 3, 1, 1, 2), extent: same.extent.x }));",
    )
    x, y = (np.asarray(said[name], np.float64) for name in "xy")
    apart = np.hypot(100 * (x - 0.31), 50 * (y + 0.77))
    assert said["far"] == said["close"] == np.nanargmin(np.where(np.isfinite(apart), apart, np.inf))
    assert said["none"] == -1
    assert said["same"] >= 0
    assert said["extent"] == [3, 3]


def test_selections_join_undo_and_survive_a_reload(tmp_path: Path) -> None:
    said = run_js(
        tmp_path,
        "const kept = new Map();",
        "globalThis.localStorage = { getItem: (k) => kept.get(k) ?? null,",
        "  setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) };",
        'const { Selection, marksOf } = await import("./latents/selection.js");',
        "const of = (...places) => Uint8Array.from({ length: 11 }, (_, i) => +places.includes(i));",
        "const list = (s) => [...(s.marks ?? [])].flatMap((m, i) => (m ? [i] : []));",
        "const s = new Selection(11, 'key', () => {}), out = {};",
        "s.join(of(1, 2, 3), 'replace'); s.join(of(3, 9), 'add'); out.add = list(s);",
        "s.join(of(1, 9), 'subtract'); out.subtract = list(s);",
        "s.join(of(2, 10), 'intersect'); out.intersect = list(s);",
        "s.undo(); out.undone = list(s); s.invert(); out.inverted = s.size; out.text = s.asText();",
        "await new Promise((done) => setTimeout(done, 300));",
        "out.restored = list(new Selection(11, 'key', () => {}));",
        "out.other = list(new Selection(500, 'key', () => {}));",
        "kept.set('key', '%%%'); out.damaged = list(new Selection(11, 'key', () => {}));",
        "const t = new Selection(11, 'none', () => {});",
        "t.join(of(0), 'subtract'); out.rest = t.size;",
        "out.parts = s.composition(Float32Array.from(of(0, 1), (v) => v), ['a', 'b']);",
        "console.log(JSON.stringify(out));",
    )
    assert said["add"] == [1, 2, 3, 9]
    assert said["subtract"] == [2, 3]
    assert said["intersect"] == [2]
    assert said["undone"] == [2, 3]
    assert said["inverted"] == 9
    assert said["restored"] == [0, 1, 4, 5, 6, 7, 8, 9, 10]
    assert said["other"] == said["damaged"] == []
    assert said["rest"] == 10
    assert said["parts"] == [
        {"label": "a", "chosen": 7, "all": 9}, {"label": "b", "chosen": 2, "all": 2},
    ]  # fmt: skip


def test_ticks_are_round_and_texts_cannot_break_out_of_files(tmp_path: Path) -> None:
    said = run_js(
        tmp_path,
        'import { percentiles, shortNumber, ticks, widened } from "./latents/axes.js";',
        'import { csvOf } from "./latents/save.js";',
        'import { svgPen } from "./latents/pens.js";',
        "const pen = svgPen(10, 10, { ink: '#000', muted: '#111', ground: '#fff' });",
        "pen.text(1, 1, '<script>\"&');",
        "console.log(JSON.stringify({ ticks: ticks(-1.3, 2.2, 5),",
        "  none: [ticks(1, 1), ticks(0, NaN)], nothing: percentiles([NaN], 1, 99),",
        "  words: [shortNumber(12000, 1000), shortNumber(0.25, 0.05), shortNumber(NaN)],",
        "  percentiles: percentiles(Float32Array.from({ length: 101 }, (_, i) => i), 5, 95),",
        "  same: percentiles(new Float32Array(5).fill(2), 1, 99),",
        "  widened: widened(3, 3), svg: pen.finish(),",
        "  csv: csvOf([{ name: 'a,b', values: [1 / 3, NaN] },",
        "    { name: 'c', values: [0, 1], labels: ['x,\"y', 'z'] }], null, 2) }));",
    )
    assert said["ticks"] == [-1, 0, 1, 2]
    assert said["none"] == [[], []]
    assert said["words"] == ["12000", "0.25", "–"]
    assert said["percentiles"] == [5, 95]
    assert said["same"][0] < 2 < said["same"][1]
    assert said["nothing"] == [0, 1]
    assert said["widened"][0] < 3 < said["widened"][1]
    assert "&lt;script&gt;&quot;&amp;" in said["svg"]
    assert said["csv"] == '"a,b",c\n0.3333333,"x,""y"\n,z\n'
