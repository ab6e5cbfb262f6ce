// The latent explorer: joins plot, histogram, selection, volume and path on one page.
import { shortNumber } from "../latents/axes.js";
import { Columns } from "../latents/columns.js";
import { ColourControls } from "../latents/colour_controls.js";
import { AxisControls } from "../latents/axis_controls.js";
import { listen } from "../latents/gestures.js";
import { inside, thinned } from "../latents/lasso.js";
import { Overlay } from "../latents/overlay.js";
import { anchorText, PathPanel } from "../latents/path_panel.js";
import { csvOf, savePng, svgOf } from "../latents/save.js";
import { Scatter } from "../latents/scatter.js";
import { Selection } from "../latents/selection.js";
import { SelectionPanel } from "../latents/selection_panel.js";
import { VolumePanel } from "../latents/volume_panel.js";
import { getJson } from "../api.js";
import { download } from "../downloads.js";
import { count } from "../quantities.js";
import { attempt } from "../toast.js";

const $ = (id) => document.getElementById(id);
const REACH = 8;
const { run, table } = $("latents").dataset;
const columns = new Columns(run, table);
const scatter = new Scatter($("plot-canvas"), () => overlay?.draw());
const overlay = new Overlay($("plot-overlay"), scatter);
let tool = "pan";

async function begin() {
  const facts = await columns.describe();
  $("facts").textContent = `${facts.kind}, ${count(facts.count)} particles, ${facts.latent_dim} ${facts.latent_dim === 1 ? "latent" : "latents"}, box ${facts.box_size} px at ${shortNumber(facts.pixel_size)} Å/px`;
  showNotes(facts);
  const axes = new AxisControls(columns, scatter);
  const colours = new ColourControls(columns, scatter, overlay, axes);
  const selection = new Selection(facts.count, `icelens-latents:${run}:${facts.version}`, () => changed());
  const panel = new SelectionPanel(run, columns, selection);
  const volumes = new VolumePanel(run);
  const path = new PathPanel(run, volumes, (panel) => drawPath(panel, axes));
  const changed = () => { scatter.setSelection(selection.any); panel.show(); };
  colours.onSelect = (marks) => selection.join(marks, SelectionPanel.how());
  axes.onChange = () => { overlay.set({ hover: null, point: null }); drawPath(path, axes); colours.label(); };
  await axes.show();
  await colours.show();
  $("plot-message").remove();
  changed();
  listenAll({ axes, colours, selection, volumes, path });
  window.latentExplorer = { scatter, selection }; // what measures the frames looks here
  document.body.dataset.ready = "yes";
}

function showNotes({ notes, has_analysis: hasAnalysis }) {
  const lines = [...notes];
  if (!hasAnalysis) lines.push("Without an analysis there are no clusters and no UMAP; run hetero analyze to get them.");
  $("notes").replaceChildren(...lines.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  $("notes").hidden = !lines.length;
}

function setTool(name) {
  tool = name;
  for (const each of ["pan", "lasso"]) $(`tool-${each}`).setAttribute("aria-pressed", each === name);
}

function listenAll(parts) {
  const { selection, axes, path } = parts;
  listen($("plot"), scatter, () => tool, {
    hover: (px, py) => hover(px, py, parts),
    leave: () => overlay.set({ hover: null }),
    click: (px, py) => click(px, py, parts),
    outline: (points, isDone, event) => lasso(points, isDone, event, selection),
  });
  $("tool-pan").addEventListener("click", () => setTool("pan"));
  $("tool-lasso").addEventListener("click", () => setTool("lasso"));
  $("reset-view").addEventListener("click", () => scatter.reset());
  $("log-density").addEventListener("change", () => { scatter.isLog = $("log-density").checked; scatter.draw(); });
  const name = () => `${run.split("/").pop()}-${axes.names.join("-")}`;
  $("export-png").addEventListener("click", () => savePng(scatter, overlay, name()));
  $("export-svg").addEventListener("click", () => download(svgOf(scatter, overlay), `${name()}.svg`, "image/svg+xml"));
  $("export-csv").addEventListener("click", () => attempt(() => exportCsv(parts, name())));
  const keys = { l: () => setTool("lasso"), v: () => setTool("pan"), u: () => selection.undo(), Escape: () => selection.clear(), p: () => path.setAdding(!path.isAdding), " ": () => path.play(!path.timer) };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input:not([type=range]), select, textarea, button, a, summary, dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

function lasso(points, isDone, event, selection) {
  overlay.set({ lasso: isDone ? null : points });
  if (!isDone) return;
  const outline = thinned(points, 1.5).map(([px, py]) => scatter.toData(px, py));
  if (outline.length < 3) return;
  const { cloud, shown } = scatter;
  const marks = cloud.unsorted(inside(cloud.x, cloud.y, outline, shown));
  selection.join(marks, SelectionPanel.how(event));
}

let hovered = -1;

function hover(px, py, { axes, colours }) {
  const particle = scatter.particleAt(px, py, REACH);
  if (particle === hovered) return;
  hovered = particle;
  if (particle < 0) {
    overlay.set({ hover: null });
    $("under-cursor").textContent = "\u00a0";
    return;
  }
  const { x, y } = scatter.columns;
  overlay.set({ hover: { x: x[particle], y: y[particle] } });
  const parts = [`particle ${particle}`, axes.say("x", particle), axes.say("y", particle), colours.say(particle)];
  $("under-cursor").textContent = parts.filter(Boolean).join("   ");
}

/** Decode at the clicked point; where both axes are latents or components exactly there, else at the nearest particle. */
async function click(px, py, { axes, volumes, path }) {
  const particle = scatter.particleAt(px, py, Infinity);
  if (particle < 0) return;
  const near = scatter.particleAt(px, py, REACH) >= 0;
  const [x, y] = near || !axes.areFree ? [scatter.columns.x[particle], scatter.columns.y[particle]] : scatter.toData(px, py);
  const at = near || !axes.areFree ? {} : { [axes.names[0]]: x, [axes.names[1]]: y };
  if (path.isAdding) return path.add({ particle, at, x, y, axes: axes.names.join() });
  overlay.set({ point: { x, y } });
  const anchor = encodeURIComponent(anchorText({ particle, at }));
  const point = await attempt(() => getJson(`/api/latents/point?run=${encodeURIComponent(run)}&anchor=${anchor}`));
  if (point) await volumes.show(point.latent);
  return undefined;
}

/** A path in the plane: exact along latents and components, else where the nearest particles are. */
function drawPath(path, axes) {
  if (!scatter.cloud) return;
  const along = (place) => (point) => {
    const [kind, number] = axes.names[place].split("_");
    const exact = { latent: point.latent, pc: point.pc }[kind]?.[Number(number) - 1];
    return exact ?? scatter.columns[place ? "y" : "x"][point.nearest];
  };
  const x = along(0), y = along(1);
  const points = path.points.map((point) => ({ x: x(point), y: y(point), support: point.support }));
  // of other axes the particles next to where it was clicked are known
  const { columns: { x: ofX, y: ofY } } = scatter, now = axes.names.join();
  const anchors = path.anchors.map((each) => (each.axes === now ? each : { x: ofX[each.particle], y: ofY[each.particle] }));
  overlay.set({ path: points, at: path.at, anchors: path.needsAnchors ? anchors : [] });
}

async function exportCsv({ axes, colours, selection }, name) {
  const names = ["particle", "row", ...axes.names, ...(colours.name ? [colours.name] : [])].filter((each, i, all) => columns.infos.has(each) && all.indexOf(each) === i);
  const found = await Promise.all(names.map(async (each) => {
    const info = columns.infos.get(each);
    const isText = info.kind === "class" && info.labels.some((label, i) => label !== String(info.values[i]));
    return { name: each, values: isText ? await columns.codes(each) : (await columns.load(each))[0], labels: isText ? info.labels : null };
  }));
  download(csvOf(found, selection.any, selection.count), `${name}.csv`, "text/csv");
}

try {
  await begin();
} catch (error) {
  $("plot-message").textContent = error.message;
  $("facts").textContent = "";
}
