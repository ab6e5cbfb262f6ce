"""Tests of the viewers' JavaScript that needs no page: run by Node.js, skipped without it."""

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

SCRIPTS = Path(str(files("icelens.apps.web"))) / "static" / "js"
NODE = shutil.which("node")


def _knows_modules() -> bool:
    """Whether Node.js is there and takes files with imports for modules, as from 20.19 on."""
    if NODE is None:
        return False
    told = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in told.strip().removeprefix("v").split("."))
    return version >= (20, 19)


pytestmark = pytest.mark.skipif(not _knows_modules(), reason="Node.js 20.19 is not installed")

SAME = """
import assert from "node:assert/strict";
const near = (found, wanted, message) =>
  assert.ok(Math.abs(found - wanted) < 1e-6, `${message ?? ""} ${found} is not ${wanted}`);
"""


def run(folder, module, names, body):
    """Check statements about exports of a module; what is not so ends Node with an error."""
    path = folder / "check.mjs"
    source = (SCRIPTS / module).as_uri()
    path.write_text(f'{SAME}import {{ {names} }} from "{source}";\n{body}', encoding="utf-8")
    done = subprocess.run(
        [str(NODE), str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


VIEW = """
const header = { shape: [10, 20, 30], pixel_size: 5 };
const size = { width: 300, height: 200 };
const view = { centre: { z: 20, y: 45, x: 70 }, position: { z: 20, y: 55, x: 85 }, zoom: 2 };
"""


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_a_pick_is_drawn_over_the_middle_of_its_voxel_in_every_plane(tmp_path, axis):
    # a particle whose centre is voxel (4, 11, 17) lies at 5 Å times that
    run(tmp_path, "slices/geometry.js", "imageRectangle, toScreen, PLANES, AXES", VIEW + f"""
const axis = "{axis}";
const voxel = {{ z: 4, y: 11, x: 17 }};
const pick = {{ z: 20, y: 55, x: 85 }};
const at = toScreen(view, axis, size, pick);
const image = imageRectangle(view, axis, size, header);
const {{ columns, rows }} = PLANES[axis];
const side = 5 * view.zoom;
near(at.x, image.x + (voxel[columns] + 0.5) * side, "column");
near(at.y, image.y + image.height - (voxel[rows] + 0.5) * side, "row, which go up");
near(image.width, header.shape[AXES.indexOf(columns)] * side);
""")  # fmt: skip


def test_what_is_under_the_pointer_stays_there_when_one_zooms(tmp_path):
    run(tmp_path, "slices/geometry.js", "toPosition, zoomedAt, voxelAt", VIEW + """
const point = { x: 40, y: 170 };
const limits = { least: 0.1, most: 100 };
for (const axis of ["z", "y", "x"]) {
  const before = toPosition(view, axis, size, point);
  const after = toPosition(zoomedAt(view, axis, size, point, 1.7, limits), axis, size, point);
  for (const each of ["z", "y", "x"]) near(after[each], before[each], each);
}
assert.equal(zoomedAt(view, "z", size, point, 1e9, limits).zoom, 100);
assert.equal(voxelAt(header, "x", -100), 0);
assert.equal(voxelAt(header, "x", 1e9), 29);
""")  # fmt: skip


def test_scale_bars_have_round_lengths(tmp_path):
    run(tmp_path, "slices/geometry.js", "roundLength, lengthText", """
for (const [most, length] of [[1, 1], [1.9, 1], [2, 2], [4.99, 2], [730, 500], [0.07, 0.05]]) {
  near(roundLength(most), length);
}
assert.equal(lengthText(500, "Å"), "50 nm");
assert.equal(lengthText(50, "Å"), "50 Å");
assert.equal(lengthText(20000, "Å"), "2 µm");
assert.equal(lengthText(200, "px"), "200 px");
""")  # fmt: skip


def test_contrast_clips_percentiles_and_codes_become_greys(tmp_path):
    run(tmp_path, "slices/greys.js", "windowOf, lookupTable, decoded, valueAtPercent", """
const header = { percents: [0, 50, 100], quantiles: [-10, 0, 30] };
near(valueAtPercent(header, 25), -5);
const still = { shift: 0, gain: 1 };
assert.deepEqual(windowOf(header, { clip: 0, ...still }), { low: -10, high: 30 });
assert.deepEqual(windowOf(header, { clip: 25, ...still }), { low: -5, high: 15 });
const narrow = windowOf(header, { clip: 0, shift: 0, gain: 2 });
near(narrow.high - narrow.low, 20);
const table = lookupTable({ low: -10, high: 30 }, { low: 0, high: 10 }, false);
assert.equal(table[0], 0);
assert.equal(table[1] & 255, 0);
assert.equal(table[65535] & 255, 255);
const middle = 1 + Math.round((15 / 40) * 65534);
assert.ok(Math.abs((table[middle] & 255) - 128) <= 1);
near(decoded(1, -10, 30), -10);
near(decoded(65535, -10, 30), 30);
assert.ok(Number.isNaN(decoded(0, -10, 30)));
const empty = { percents: [0, 100], quantiles: [] };
const { low, high } = windowOf(empty, { clip: 1, ...still });
assert.ok(high > low);
""")  # fmt: skip


PICKS = """
const classes = [{ name: "a", radius: 20 }, { name: "b", radius: null }];
const values = new Float32Array([5, 10, 15, 0.2, 0, 20, 50, 100, 0.8, 0, 40, 90, 140, 0.5, 1]);
const picks = new Picks({ classes, version: "v" }, values);
"""


def test_edits_are_told_undone_and_done_again(tmp_path):
    history = (SCRIPTS / "picks" / "history.js").as_uri()
    run(tmp_path, "picks/picks.js", "Picks", f'import {{ History }} from "{history}";' + PICKS + """
let calls = 0;
const history = new History(picks, () => { calls += 1; });
history.remove(0);
const from = picks.positionOf(1);
picks.move(1, { z: 9, y: 9, x: 9 });
history.moved(1, from, { z: 21, y: 50, x: 100 }, false);
history.moved(1, picks.positionOf(1), { z: 22, y: 50, x: 100 }, true);
const row = history.add(1, { z: 1, y: 2, x: 3 });
assert.deepEqual(picks.edits(), {
  version: "v", deleted: [0], moved: [[1, 22, 50, 100]], added: [["b", 1, 2, 3]],
});
history.undo();
history.undo();
assert.deepEqual(picks.edits().moved, [[1, 21, 50, 100]]);
history.undo();
history.undo();
assert.deepEqual(picks.edits(), { version: "v", deleted: [], moved: [], added: [] });
assert.equal(history.isChanged, false);
for (let step = 0; step < 4; step += 1) history.redo();
assert.deepEqual(picks.edits().added, [["b", 1, 2, 3]]);
assert.deepEqual(picks.edits().moved, [[1, 22, 50, 100]]);
history.remove(row);
assert.deepEqual(picks.edits().added, []);
assert.ok(calls >= 13);
""")  # fmt: skip


def test_thresholds_and_classes_hide_picks_but_not_new_ones(tmp_path):
    run(tmp_path, "picks/picks.js", "Picks", PICKS + """
picks.classes[0].leastScore = 0.5;
picks.add(0, { z: 1, y: 1, x: 1 });
assert.deepEqual([0, 1, 2, 3].map((row) => picks.isShown(row)), [false, true, true, true]);
assert.deepEqual(picks.counts(), [{ all: 3, kept: 2 }, { all: 1, kept: 1 }]);
picks.classes[1].isVisible = false;
assert.deepEqual(picks.shownRows(), [3, 1]);
""")  # fmt: skip


def test_picks_near_a_plane_are_found_wherever_they_were_moved(tmp_path):
    run(tmp_path, "picks/picks.js", "Picks", PICKS + """
const near_ = (middle) => {
  const rows = [];
  picks.near("z", middle, 5, (row) => rows.push(row));
  return rows.sort();
};
assert.deepEqual(near_(20), [1]);
picks.move(0, { z: 21, y: 0, x: 0 });
const row = picks.add(0, { z: 24, y: 0, x: 0 });
assert.deepEqual(near_(20), [0, 1, row]);
assert.deepEqual(near_(5), []);
""")  # fmt: skip


def test_a_million_picks_can_be_taken_in(tmp_path):
    run(tmp_path, "picks/picks.js", "Picks", """
const values = new Float32Array(5e6);
for (let row = 0; row < 1e6; row += 1) values[row * 5] = (row * 7919) % 3000;
const picks = new Picks({ classes: [{ name: "a", radius: 5 }], version: "v" }, values);
let count = 0;
picks.near("z", 1500, 5, () => { count += 1; });
assert.ok(count > 3000 && count < 4500);
""")  # fmt: skip


def test_a_draft_of_other_picks_brings_back_only_what_was_added(tmp_path):
    draft = (SCRIPTS / "picks" / "draft.js").as_uri()
    history = (SCRIPTS / "picks" / "history.js").as_uri()
    imports = f'import {{ applyDraft }} from "{draft}";import {{ History }} from "{history}";'
    run(tmp_path, "picks/picks.js", "Picks", imports + PICKS + """
const made = { version: "older", deleted: [0], moved: [[1, 1, 1, 1]], added: [["c", 1, 2, 3]] };
const history = new History(picks, () => {});
assert.deepEqual(applyDraft(picks, history, made), { count: 1, isSame: false });
assert.deepEqual(picks.edits().added, [["c", 1, 2, 3]]);
assert.equal(picks.classes.length, 3);
assert.deepEqual(applyDraft(picks, history, { ...made, version: "v" }), { count: 3, isSame: true });
assert.deepEqual(picks.edits().deleted, [0]);
""")  # fmt: skip


def test_rings_of_a_spectrum_are_apart_and_end_at_nyquist(tmp_path):
    run(tmp_path, "slices/draw.js", "resolutionRings", """
const rings = resolutionRings(10, 200);
assert.deepEqual(rings[0], { resolution: 20, radius: 200 });
for (let each = 1; each < rings.length; each += 1) {
  assert.ok(rings[each - 1].radius - rings[each].radius > 30);
  near(rings[each].radius * rings[each].resolution, 4000);
}
""")  # fmt: skip
