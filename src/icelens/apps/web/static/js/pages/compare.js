// The page of a comparison: each metric of all jobs in one plot, and their correlations in another.
import { getJson } from "../api.js";
import { drawCurves } from "../plots/curves.js";
import { make } from "../plots/elements.js";
import { MOST_COLOURS } from "../plots/palette.js";
import { Metrics, grouped, metricSpec, spoken } from "../plots/metrics.js";

const section = document.getElementById("curves");
const grid = section.querySelector(".plot-grid");
const jobs = JSON.parse(section.dataset.jobs);
const files = JSON.parse(section.dataset.files);

function panel(className = "") {
  const place = make("div", className);
  grid.append(place);
  return place;
}

function showMetrics(all) {
  const names = new Set(all.flatMap((metrics) => [...metrics.series.keys()]));
  for (const { family, names: members } of grouped(names)) {
    const series = all.flatMap((metrics, i) =>
      members
        .filter((name) => metrics.series.has(name))
        .map((name, j) => ({
          ...metrics.series.get(name),
          name: members.length > 1 ? `J${jobs[i]} ${spoken(name)}` : `J${jobs[i]}`,
          colour: i + MOST_COLOURS * j,
        })),
    );
    drawCurves(panel(), metricSpec(family, series, `compare-${family}`));
  }
}

/** Correlations of all jobs over each other: those of the first table of each kind of name. */
async function showCorrelations() {
  const byName = new Map();
  for (const [i, number] of jobs.entries()) {
    for (const file of files[number] ?? []) {
      const name = file.split("/").pop();
      byName.set(name, [...(byName.get(name) ?? []), { i, number, file }]);
    }
  }
  for (const [name, found] of byName) {
    const tables = (await Promise.all(found.slice(0, 8).map(load))).filter(Boolean);
    if (!tables.length) continue;
    const series = tables.flatMap(({ i, number, table }) =>
      table.series.slice(0, 3).map((each, j) => ({
        ...each,
        name: table.series.length > 1 ? `J${number} ${each.name}` : `J${number}`,
        colour: i + MOST_COLOURS * j,
      })),
    );
    drawCurves(panel("is-wide"), { ...tables[0].table, title: name, series, height: 320 });
  }
}

async function load({ i, number, file }) {
  try {
    const { tables } = await getJson(`/api/curves?file=${encodeURIComponent(file)}`);
    return tables.length ? { i, number, table: tables[0] } : null;
  } catch {
    return null; // a table that cannot be read is missing here; its own page says why
  }
}

const all = jobs.map((number) => new Metrics(number));
const results = await Promise.allSettled(all.map((metrics) => metrics.fetch()));
grid.replaceChildren();
showMetrics(all);
await showCorrelations();
const problems = results.filter((each) => each.status === "rejected").map((each) => each.reason.message);
if (!grid.children.length || problems.length) {
  grid.append(make("p", "muted", problems.join(" ") || "These jobs measured nothing on the way."));
}
