// The page of the lineage: moves and scales the picture, shows what a job has to do with, saves it, keeps it fresh.
import { onChange } from "../live.js";
import { download } from "../downloads.js";
import { pngOfSvg } from "../plots/export.js";
import { svgFile } from "../plots/svg_file.js";
import { ViewBox } from "../plots/view_box.js";
import { attempt } from "../toast.js";

const place = document.getElementById("lineage");
const view = new ViewBox(place.querySelector("svg"));

const deeds = {
  closer: () => view.zoom(1.25),
  farther: () => view.zoom(0.8),
  whole: () => view.whole(),
  svg: () => download(svgFile(view.svg), "lineage.svg", "image/svg+xml"),
  png: async () => download(await pngOfSvg(svgFile(view.svg)), "lineage.png"),
};

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => attempt(deeds[button.dataset.do]));
}

/** Mark a box with all it comes from and leads to, and fade the others. */
function mark(key) {
  const wires = [...view.svg.querySelectorAll(".wire")];
  const near = key ? new Set([...reached(wires, key, "source", "target"), ...reached(wires, key, "target", "source")]) : null;
  for (const box of view.svg.querySelectorAll(".box")) box.classList.toggle("is-far", Boolean(near) && !near.has(box.dataset.key));
  for (const wire of wires) {
    const isNear = Boolean(near) && near.has(wire.dataset.source) && near.has(wire.dataset.target);
    wire.classList.toggle("is-near", isNear);
    wire.classList.toggle("is-far", Boolean(near) && !isNear);
  }
}

function reached(wires, key, from, to) {
  const found = new Set([key]);
  const waiting = [key];
  while (waiting.length) {
    const here = waiting.pop();
    for (const wire of wires) {
      if (wire.dataset[from] !== here || found.has(wire.dataset[to])) continue;
      found.add(wire.dataset[to]);
      waiting.push(wire.dataset[to]);
    }
  }
  return found;
}

function listen(svg) {
  const keyOf = (event) => event.target.closest?.(".box")?.dataset.key;
  svg.addEventListener("pointerover", (event) => mark(keyOf(event)));
  svg.addEventListener("pointerleave", () => mark(null));
  svg.addEventListener("focusin", (event) => {
    const box = event.target.closest(".box");
    if (!box || !event.target.matches(":focus-visible")) return;
    mark(box.dataset.key);
    reveal(box);
  });
  svg.addEventListener("focusout", () => mark(null));
}

/** Bring a box that was reached by keyboard into the frame. */
function reveal(box) {
  const [frame, here] = [view.svg.getBoundingClientRect(), box.getBoundingClientRect()];
  const isInside = here.left >= frame.left && here.right <= frame.right && here.top >= frame.top && here.bottom <= frame.bottom;
  if (isInside) return;
  const { e, f } = box.transform.baseVal.consolidate().matrix;
  view.centre(e + 104, f + 27);
}

async function refresh() {
  const answer = await fetch(place.dataset.piece);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const svg = document.importNode(page.querySelector("svg"), true);
  const focused = document.activeElement?.getAttribute("href");
  place.replaceChildren(svg);
  view.adopt(svg);
  listen(svg);
  if (focused) [...svg.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
}

listen(view.svg);
const focus = view.svg.querySelector(".box.focus");
if (focus && view.wholeScale() < view.scale) {
  const { e, f } = focus.transform.baseVal.consolidate().matrix;
  view.centre(e + 104, f + 27);
}
let waiting = null;
onChange((message) => {
  if (!("jobs" in message) || waiting) return;
  waiting = setTimeout(() => {
    waiting = null;
    attempt(refresh);
  }, 1000);
});
window.addEventListener("resize", () => view.apply());
