// The particle page: sheets of images, views on the sphere, histograms of columns.
import { getBinary, getJson } from "../api.js";
import { csvCell, download, pngOf } from "../downloads.js";
import { fillSelect } from "../latents/columns.js";
import { canvasPen, svgPen } from "../latents/pens.js";
import { counted, countsCsv, drawCounts, wordsOf } from "../particles/column_plot.js";
import { drawSheet, filling, imageAt, layout, pictures, sheetColours } from "../particles/sheet.js";
import { drawViews, viewPicture } from "../particles/view_map.js";
import { attempt } from "../toast.js";
import { tokens } from "../tokens.js";

const $ = (id) => document.getElementById(id);
const { file } = $("particles").dataset;
const query = `file=${encodeURIComponent(file)}`;
const MOST = 400;
const ROWS = 5;
let infos = new Map(), first = 0, sheet = null, views = null, counts = null, turn = 0;

async function begin() {
  const facts = await getJson(`/api/particles?${query}`);
  infos = new Map(facts.columns.map((each) => [each.name, each]));
  const images = `${facts.count} images`, many = facts.num_particles < facts.count ? `${facts.num_particles} particles, ${images}` : images;
  $("facts").textContent = `${many}, box ${facts.box_sizes.join(", ")} px at ${facts.pixel_sizes.map((each) => Number(each.toPrecision(4))).join(", ")} Å/px`;
  $("notes").replaceChildren(...facts.notes.map((textContent) => Object.assign(document.createElement("p"), { textContent })));
  $("notes").hidden = !facts.notes.length;
  fillSelect($("sort"), infos, { first: "as in the file" });
  fillSelect($("histogram-column"), infos);
  $("histogram-column").value = "defocus";
  listen();
  await Promise.all([showSheet(), showColumn(), facts.has_poses ? showViews() : noViews()]);
  document.body.dataset.ready = "yes";
}

function say(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

const sheetWidth = () => Math.floor($("sheet").getBoundingClientRect().width);
const drawnSide = () => filling(Number($("side").value), sheetWidth());
const perSheet = () => Math.min(MOST, layout(1, drawnSide(), sheetWidth()).across * ROWS);

async function showSheet() {
  const now = ++turn, scale = Math.min(2, window.devicePixelRatio || 1);
  const words = [query, `first=${first}`, `count=${perSheet()}`, `side=${Math.min(512, Math.round(drawnSide() * scale))}`, `sort=${encodeURIComponent($("sort").value)}`,
    `descending=${$("descending").checked}`, `where=${encodeURIComponent($("where").value.trim())}`, `low_pass=${Number($("low-pass").value) || 0}`,
    `flip_phases=${$("flip-phases").checked}`, `invert=${$("invert").checked}`, `contrast=${$("contrast").value}`];
  try {
    const { buffer, headers } = await getBinary(`/api/particles/montage?${words.join("&")}`);
    if (now !== turn) return;
    const facts = JSON.parse(headers.get("X-Facts"));
    sheet = { ...facts, images: pictures(new Uint8Array(buffer), facts.rows.length, facts.side), boxSize: facts.box_size, pixelSize: facts.pixel_size };
    say("");
    drawSheetOnScreen();
  } catch (error) {
    if (now === turn) say(error.message);
  }
}

function drawSheetOnScreen() {
  if (!sheet) return;
  const width = sheetWidth(), place = layout(sheet.images.length, drawnSide(), width);
  onCanvas($("sheet-canvas"), place.width, place.height, sheetColours(), (pen) => drawSheet(pen, sheet, drawnSide(), width));
  const last = first + sheet.images.length;
  $("sheet-words").textContent = sheet.total ? `${first + 1} to ${last} of ${sheet.total}` : "no image fits the condition";
  $("before").disabled = first === 0;
  $("next").disabled = last >= sheet.total;
}

async function showViews() {
  const { buffer, headers } = await getBinary(`/api/particles/views?${query}&where=${encodeURIComponent($("where").value.trim())}`);
  const facts = JSON.parse(headers.get("X-Facts")), density = new Float32Array(buffer);
  views = { ...viewPicture(density, facts.shape), density, shape: facts.shape };
  const words = `most seen direction ${facts.most.toFixed(1)} times even coverage; ${(100 * facts.empty).toFixed(0)} % of the sphere without an image`;
  $("views-words").textContent = words;
  $("views-canvas").setAttribute("aria-label", `Distribution of views: ${words}`);
  drawPlots();
}

function noViews() {
  $("views-words").textContent = "The file has no angles: views are not known.";
  $("views-canvas").hidden = true;
  for (const kind of ["png", "svg", "csv"]) $(`views-${kind}`).disabled = true;
}

async function showColumn() {
  const name = $("histogram-column").value;
  const { buffer } = await getBinary(`/api/particles/columns?${query}&names=${encodeURIComponent(name)}`);
  if (name !== $("histogram-column").value) return;
  const values = new Float32Array(buffer), info = infos.get(name);
  counts = counted(values, info);
  $("histogram-words").textContent = wordsOf(values, info);
  $("histogram-canvas").setAttribute("aria-label", `Histogram of ${info.label}: ${$("histogram-words").textContent}`);
  drawPlots();
}

/** A canvas of a size in px, sharp on fine screens. */
function onCanvas(canvas, width, height, colours, draw) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  draw(canvasPen(context, colours));
}

function plotColours() {
  return tokens({ ink: "text", muted: "muted", ground: "surface", bars: "plot-1", net: "over-map" });
}

/** Width and height of a plot: the map of views is twice as wide as high. */
function sizeOf(canvas) {
  const width = Math.max(200, Math.floor(canvas.parentElement.clientWidth - 32));
  return [width, canvas.id === "views-canvas" ? Math.round((width - 130) / 2) + 50 : 300];
}

const drawers = {
  views: (pen, width, height) => drawViews(pen, views, width, height),
  histogram: (pen, width, height) => drawCounts(pen, counts, width, height),
};

function drawPlots() {
  for (const [name, is] of [["views", views], ["histogram", counts]]) {
    const canvas = $(`${name}-canvas`), [width, height] = sizeOf(canvas);
    if (is) onCanvas(canvas, width, height, plotColours(), (pen) => drawers[name](pen, width, height));
  }
}

async function exported(name, kind) {
  const stem = `${file.split("/").pop()}-${name}`;
  if (kind === "csv") return download(csvOf(name), `${stem}.csv`, "text/csv");
  const isSheet = name === "sheet";
  const [width, height] = isSheet ? [sheetWidth(), layout(sheet.images.length, drawnSide(), sheetWidth()).height] : sizeOf($(`${name}-canvas`));
  const colours = isSheet ? sheetColours() : plotColours();
  const draw = (pen) => (isSheet ? drawSheet(pen, sheet, drawnSide(), width) : drawers[name](pen, width, height));
  if (kind === "svg") {
    const pen = svgPen(width, height, colours);
    draw(pen);
    return download(pen.finish(), `${stem}.svg`, "image/svg+xml");
  }
  const canvas = document.createElement("canvas");
  onCanvas(canvas, width, height, colours, (pen) => { pen.fill(0, 0, width, height, "ground"); draw(pen); });
  return download(await pngOf(canvas), `${stem}.png`);
}

function csvOf(name) {
  if (name === "histogram") return countsCsv(counts);
  if (name === "sheet") return `row,caption\n${sheet.rows.map((row, i) => `${row},${csvCell(sheet.captions[i])}`).join("\n")}\n`;
  const [height, width] = views.shape, lines = ["x,y,density"];
  for (let i = 0; i < views.density.length; i += 4) {
    if (views.density[i] === views.density[i]) lines.push(`${((2 * (i % width) + 1) / width - 1).toFixed(4)},${(1 - (2 * Math.floor(i / width) + 1) / height).toFixed(4)},${views.density[i].toPrecision(4)}`);
  }
  return `${lines.join("\n")}\n`;
}

function go(step) {
  const next = first + step * perSheet();
  if (next < 0 && first === 0) return;
  if (sheet && next >= sheet.total) return;
  first = Math.max(0, next);
  showSheet();
}

function listen() {
  const anew = () => { first = 0; showSheet(); };
  $("sheet-form").addEventListener("submit", (event) => { event.preventDefault(); anew(); if (views) showViews().catch(() => {}); }); // the sheet says what is wrong
  for (const id of ["sort", "descending", "flip-phases", "invert", "side"]) $(id).addEventListener("change", anew);
  for (const id of ["contrast", "low-pass"]) $(id).addEventListener("change", () => showSheet());
  $("before").addEventListener("click", () => go(-1));
  $("next").addEventListener("click", () => go(1));
  $("histogram-column").addEventListener("change", () => attempt(showColumn));
  for (const name of ["sheet", "views", "histogram"]) for (const kind of ["png", "svg", "csv"]) $(`${name}-${kind}`).addEventListener("click", () => exported(name, kind));
  document.addEventListener("themechange", drawPlots);
  new ResizeObserver(() => { drawSheetOnScreen(); drawPlots(); }).observe($("particles"));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") go(1);
    if (event.key === "k") go(-1);
  });
  $("sheet-canvas").addEventListener("pointermove", (event) => {
    const frame = $("sheet-canvas").getBoundingClientRect();
    const place = sheet ? imageAt(event.clientX - frame.left, event.clientY - frame.top, sheet.images.length, drawnSide(), sheetWidth()) : -1;
    $("sheet-cursor").textContent = place < 0 ? "\u00a0" : `row ${sheet.rows[place]}, counted from 0${$("sort").value ? `; ${infos.get($("sort").value).label} ${sheet.captions[place]}` : ""}`;
  });
}

try {
  await begin();
} catch (error) {
  say(error.message);
  $("facts").textContent = "";
}
