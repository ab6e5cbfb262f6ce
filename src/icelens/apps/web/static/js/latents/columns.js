// Columns of the run: asked of the server once each, classes as codes from 0, amounts as they are.
import { getBinary, getJson } from "../api.js";
import { classColours } from "./palette.js";

export class Columns {
  /** Of a run folder, with a further table if one was named. */
  constructor(run, table) {
    this.query = `run=${encodeURIComponent(run)}${table ? `&table=${encodeURIComponent(table)}` : ""}`;
    this.known = new Map();
  }

  /** Facts of the run; fills `infos` by name. */
  async describe() {
    this.facts = await getJson(`/api/latents?${this.query}`);
    this.infos = new Map(this.facts.columns.map((each) => [each.name, each]));
    return this.facts;
  }

  /** Values of some columns, Float32Array each; what is known already is not asked again. */
  async load(...names) {
    const missing = [...new Set(names)].filter((name) => !this.known.has(name));
    for (let first = 0; first < missing.length; first += 8) await this.ask(missing.slice(first, first + 8));
    return names.map((name) => this.known.get(name));
  }

  async ask(names) {
    const { buffer, headers } = await getBinary(`/api/latents/columns?${this.query}&names=${encodeURIComponent(names.join(","))}`);
    const [found, count] = JSON.parse(headers.get("X-Shape"));
    if (found !== names.length || buffer.byteLength !== 4 * found * count) throw new Error("the columns came incomplete; reload the page");
    names.forEach((name, i) => this.known.set(name, new Float32Array(buffer, 4 * i * count, count)));
  }

  /** Codes from 0 of a column of classes; 255 where the class is not known. */
  async codes(name) {
    const key = `${name} codes`;
    if (!this.known.has(key)) {
      const [values] = await this.load(name);
      const place = new Map(this.infos.get(name).values.map((value, i) => [value, i]));
      this.known.set(key, Float32Array.from(values, (value) => place.get(value) ?? 255));
    }
    return this.known.get(key);
  }

  /** A colour and a count for each class. */
  async classes(name) {
    const codes = await this.codes(name), { labels } = this.infos.get(name);
    const counts = new Array(labels.length).fill(0);
    for (let i = 0; i < codes.length; i++) if (codes[i] < counts.length) counts[codes[i]]++;
    return { codes, labels, counts, palette: classColours(counts) };
  }

  /** Which axes to begin with. */
  defaults() {
    const has = (name) => this.infos.has(name);
    if (has("umap_1") && has("umap_2")) return ["umap_1", "umap_2"];
    if (has("pc_2")) return ["pc_1", "pc_2"];
    return ["latent_1", ["defocus", "row"].find(has) ?? "latent_1"];
  }
}

/** Fill a <select> with columns, in groups by what they are. */
export function fillSelect(select, infos, { first = null } = {}) {
  select.replaceChildren();
  if (first) select.append(new Option(first, ""));
  const groups = new Map();
  for (const info of infos.values()) {
    const group = groupOf(info);
    if (!groups.has(group)) {
      const made = document.createElement("optgroup");
      made.label = group;
      groups.set(group, made);
    }
    groups.get(group).append(new Option(info.label === info.name ? info.name : `${info.label}`, info.name));
  }
  for (const name of ["Coordinates", "Analysis", "Particles", "Particle file"]) if (groups.has(name)) select.append(groups.get(name));
}

const ANALYSIS = new Set(["kmeans", "gmm", "gmm_probability", "density", "sigma", "outlier", "norm"]);

function groupOf({ name }) {
  if (/^(pc|umap|latent|landscape)_\d+$/.test(name)) return "Coordinates";
  if (ANALYSIS.has(name) || name.startsWith("deviation_")) return "Analysis";
  return /^(half_set|defocus|rot|tilt|psi|shift_[xy]|optics_group|images|particle|row)$/.test(name) ? "Particles" : "Particle file";
}
