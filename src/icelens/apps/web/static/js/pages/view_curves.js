// The page of curves: correlations of all files in one plot, Guinier plots in another, others alone.
import { getJson } from "../api.js";
import { drawCurves } from "../plots/curves.js";
import { make } from "../plots/elements.js";
import { MOST_COLOURS } from "../plots/palette.js";

const place = document.getElementById("curves");
const files = JSON.parse(place.dataset.files).filter(Boolean);
const TITLES = { fsc: "Fourier shell correlation", guinier: "Guinier plot" };

/** Shortest ends of paths that tell them apart. */
function shortNames(paths) {
  const parts = paths.map((path) => path.split("/").filter(Boolean));
  return parts.map((part, i) => {
    for (let length = 1; length <= part.length; length++) {
      const end = part.slice(-length).join("/");
      if (parts.every((other, j) => j === i || other.slice(-length).join("/") !== end)) return end;
    }
    return paths[i];
  });
}

async function load(file) {
  try {
    return await getJson(`/api/curves?file=${encodeURIComponent(file)}`);
  } catch (error) {
    return { file, tables: [], problem: error.message };
  }
}

function show(answers) {
  const names = shortNames(answers.map((answer) => answer.file));
  const groups = new Map();
  answers.forEach((answer, i) => {
    if (answer.problem) place.append(problem(answer.problem));
    answer.tables.forEach((table, j) => {
      const key = TITLES[table.kind] ? table.kind : `${table.kind} ${i} ${j}`;
      const group = groups.get(key) ?? { ...table, title: TITLES[table.kind] ?? table.title, series: [], notes: [] };
      const isAlone = answers.length === 1;
      // a colour for each file, and dashes for its further curves
      const look = (k) => (isAlone ? {} : { colour: i + MOST_COLOURS * k });
      group.series.push(...table.series.map((each, k) => ({ ...each, ...look(k), name: isAlone ? each.name : lineName(names[i], each, table) })));
      if (group.y.range) group.y = { ...group.y, range: [Math.min(group.y.range[0], table.y.range[0]), group.y.range[1]] };
      if (table.note) group.notes.push(isAlone ? table.note : `${names[i]}: ${table.note}`);
      groups.set(key, group);
    });
  });
  for (const group of groups.values()) {
    const panel = make("section", "panel");
    place.append(panel);
    drawCurves(panel, { ...group, note: group.notes.join(" "), height: 340 });
  }
}

function lineName(file, series, table) {
  return table.series.length === 1 ? file : `${file}, ${series.name}`;
}

function problem(text) {
  const box = make("p", "panel plot-problem", text);
  box.setAttribute("role", "alert");
  return box;
}

async function read(file, name, isAlone) {
  const { readings } = await getJson(`/api/curves/readings?file=${encodeURIComponent(file)}`);
  const rows = new Map();
  for (const each of readings) {
    const row = rows.get(each.name) ?? {};
    row[each.threshold] = each;
    rows.set(each.name, row);
  }
  const body = document.querySelector("#readings tbody");
  for (const [curve, row] of rows) {
    const line = make("tr");
    line.append(make("td", "", isAlone ? curve : `${name}, ${curve}`), cell(row["0.5"]), cell(row["0.143"]));
    body.append(line);
  }
  document.getElementById("readings").hidden = !body.children.length;
}

/** Three digits, trailing zeros kept, so that columns can be compared. */
function resolution(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function cell(reading) {
  const isKnown = reading && reading.resolution !== null;
  return make("td", "number", isKnown ? `${reading.is_limit ? "≤ " : ""}${resolution(reading.resolution)} Å` : "–");
}

if (files.length) {
  place.append(make("p", "muted plot-loading", "Reading the files…"));
  const answers = await Promise.all(files.map(load));
  place.replaceChildren();
  show(answers);
  const names = shortNames(files);
  const readable = answers.flatMap((answer, i) => (answer.tables.some((table) => table.kind === "fsc") ? [i] : []));
  for (const i of readable) {
    try {
      await read(files[i], names[i], files.length === 1);
    } catch (error) {
      place.append(problem(error.message));
    }
  }
}
