// The page of surfaces: one or two maps, turned together, each with its level.

import { getJson } from "../api.js";
import { download } from "../downloads.js";
import { copy, toast } from "../toast.js";
import { remember, remembered } from "../slices/memory.js";
import { paintBar } from "../surface/colours.js";
import { canDraw, Scene } from "../surface/scene.js";
import { MapView } from "../surface/view.js";

const MOST_MAPS = 2;
const root = document.querySelector("#surface");
const find = (name) => root.querySelector(`[data-surface="${name}"]`);
const query = new URLSearchParams(location.search);
const files = query.getAll("file").filter(Boolean).slice(0, MOST_MAPS);
const isWebGl = query.get("webgl") !== "no" && canDraw();
const views = [];
let range = null;

const settings = {
  box: Number(find("box").value),
  hideDust: true,
  colour: query.get("colour") || null,
  theme: () => root.dataset.ground,
  onMesh: (view) => showRange(view),
};

function setGround(ground) {
  root.dataset.ground = ground;
  for (const button of root.querySelectorAll("[data-ground]")) {
    if (button !== root) button.setAttribute("aria-pressed", String(button.dataset.ground === ground));
  }
}

/** The first mesh with colours sets the range; it stays while levels change. */
function showRange(view) {
  const { colour } = view.mesh.facts;
  if (!colour) return;
  if (!range) {
    range = { low: colour.low, high: colour.high };
    find("bar").hidden = false;
    find("bar-name").textContent = settings.colour.split("/").at(-1);
    find("low").value = Number(range.low.toPrecision(3));
    find("high").value = Number(range.high.toPrecision(3));
    paintBar(find("bar-canvas"));
  }
  view.scene.setColours(range);
}

function rangeChanged() {
  const low = Number(find("low").value);
  const high = Number(find("high").value);
  if (!(high > low)) return;
  range = { low, high };
  for (const view of views) view.scene?.setColours(range);
}

function turned(scene) {
  if (!find("link").checked) return;
  for (const view of views) if (view.scene !== scene) view.scene?.follow(scene);
}

function makeScene(element, label) {
  return isWebGl ? new Scene(element, label, turned) : null;
}

async function reopen() {
  for (const view of views) await view.open().catch((error) => toast(error.message, "failed"));
}

async function savePng() {
  const ground = getComputedStyle(root.querySelector(".surface-stage")).backgroundColor;
  for (const view of views) {
    if (view.scene) download(await view.scene.png(ground), `${view.file.split("/").at(-1)}_surface.png`);
  }
}

find("dust").addEventListener("change", () => {
  settings.hideDust = find("dust").checked;
  for (const view of views) view.soon();
});
find("box").addEventListener("change", () => {
  settings.box = Number(find("box").value);
  reopen();
});
find("low").addEventListener("change", rangeChanged);
find("high").addEventListener("change", rangeChanged);
find("unit").addEventListener("change", () => { find("bar-unit").textContent = find("unit").value; });
find("home").addEventListener("click", () => views.forEach((view) => view.scene?.home()));
find("png").addEventListener("click", savePng);
find("chimerax").addEventListener("click", async () => {
  if (!views.length) return;
  const { commands } = await getJson(`/api/volumes/header?${new URLSearchParams({ file: files[0] })}`);
  copy(commands.chimerax, `copied: ${commands.chimerax}`);
});
for (const button of root.querySelectorAll("button[data-ground]")) {
  button.addEventListener("click", () => {
    setGround(button.dataset.ground);
    remember("ground", button.dataset.ground);
    if (!isWebGl) views.forEach((view) => view.soon());
  });
}
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input:not([type=range], [type=checkbox]), select, textarea")) return;
  if (!["[", "]"].includes(event.key)) return;
  for (const view of views) {
    const { from, to } = view.range();
    view.setLevel(view.level + (event.key === "]" ? 0.02 : -0.02) * (to - from));
    view.soon();
  }
});

setGround(remembered("ground", "dark") === "light" ? "light" : "dark");
const [first, second] = find("open").elements.file;
[first.value, second.value] = [files[0] ?? "", files[1] ?? ""];
find("open").elements.colour.value = settings.colour ?? "";
find("empty").hidden = files.length > 0;
find("link").closest("label").hidden = files.length < 2;
if (files.length && !isWebGl) {
  find("message").textContent = "This browser cannot draw in three dimensions; the server draws the front instead.";
  find("message").hidden = false;
}
for (const file of files) {
  const cell = find("cell").content.firstElementChild.cloneNode(true);
  find("maps").append(cell);
  views.push(new MapView(cell, file, settings, makeScene));
}
await reopen();
root.dataset.ready = "true";
