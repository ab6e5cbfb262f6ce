// The column that colours the particles: range and histogram of amounts, legend and labels of classes.
import { percentiles, shortNumber } from "./axes.js";
import { fillSelect } from "./columns.js";
import { Histogram } from "./histogram.js";
import { css } from "../colour_scale.js";
import { attempt } from "../toast.js";

const $ = (id) => document.getElementById(id);
const MOST_LABELS = 40;

export class ColourControls {
  constructor(columns, scatter, overlay, axes) {
    Object.assign(this, { columns, scatter, overlay, axes, onSelect: () => {} });
    fillSelect($("colour-column"), columns.infos, { first: "density" });
    const wanted = new URLSearchParams(location.search).get("colour");
    if (columns.infos.has(wanted)) $("colour-column").value = wanted;
    this.histogram = new Histogram($("histogram"), (low, high) => this.setRange(low, high));
    $("colour-column").addEventListener("change", () => attempt(() => this.show()));
    for (const id of ["range-low", "range-high"]) $(id).addEventListener("change", () => this.typed());
    $("range-hides").addEventListener("change", () => this.hide());
    $("range-select").addEventListener("click", () => this.onSelect(this.inRange()));
  }

  get name() {
    return $("colour-column").value;
  }

  /** Colour by what is chosen. */
  async show() {
    const { name } = this, info = this.columns.infos.get(name);
    const url = new URL(location.href);
    if (name) url.searchParams.set("colour", name);
    else url.searchParams.delete("colour");
    history.replaceState(null, "", url);
    this.classes = info?.kind === "class" ? await this.columns.classes(name) : null;
    // the histogram of a density is that of the x axis: its range selects, too
    this.shownName = name || this.axes.names[0];
    [this.values] = await this.columns.load(this.shownName);
    if (name !== this.name) return;
    $("histogram").hidden = document.querySelector(".range-fields").hidden = Boolean(this.classes);
    $("legend").hidden = !this.classes;
    if (this.classes) this.showClasses();
    else this.showAmounts();
    this.label();
  }

  showClasses() {
    const { codes, palette } = this.classes;
    this.hide();
    this.scatter.setColour({ values: codes, kind: "class", palette });
    $("legend").replaceChildren(...this.classes.labels.map((text, code) => {
      const chip = document.createElement("button"), swatch = document.createElement("span");
      chip.type = "button";
      chip.className = "chip";
      chip.title = `${this.classes.counts[code]} particles; select them`;
      swatch.className = "swatch";
      swatch.style.background = css(palette[code]);
      chip.append(swatch, text || "no name");
      chip.addEventListener("click", () => this.onSelect(Uint8Array.from(codes, (value) => Number(value === code))));
      return chip;
    }));
  }

  showAmounts() {
    const extent = percentiles(this.values, 0.05, 99.95), range = percentiles(this.values, 1, 99);
    this.histogram.show(this.values, this.axes.title(this.shownName), extent, range, Boolean(this.name));
    this.setRange(...range);
    $("histogram").setAttribute("aria-label", `Histogram of ${this.axes.title(this.shownName)}`);
  }

  setRange(low, high) {
    this.range = [low, high];
    $("range-low").value = Number(low.toPrecision(5));
    $("range-high").value = Number(high.toPrecision(5));
    if (this.name) this.scatter.setColour({ values: this.values, kind: "amount", low, high });
    else this.scatter.setColour(null);
    this.hide();
  }

  typed() {
    const low = Number($("range-low").value), high = Number($("range-high").value);
    if (!(low < high)) return;
    this.histogram.setRange(low, high);
    this.setRange(low, high);
  }

  /** Marks of the particles whose value lies in the range. */
  inRange() {
    const [low, high] = this.range;
    return Uint8Array.from(this.values, (value) => Number(value >= low && value <= high));
  }

  hide() {
    const isHiding = $("range-hides").checked && !this.classes;
    if (isHiding || this.scatter.shownMarks) this.scatter.setShown(isHiding ? this.inRange() : null);
  }

  /** Names of classes at the middle of their particles. */
  label() {
    const labels = [];
    if (this.classes && this.classes.labels.length <= MOST_LABELS) {
      const { codes, labels: names } = this.classes, { x, y } = this.scatter.columns;
      const sums = names.map(() => [0, 0, 0]);
      for (let i = 0; i < codes.length; i++) {
        const sum = sums[codes[i]];
        if (sum && Number.isFinite(x[i]) && Number.isFinite(y[i])) { sum[0] += x[i]; sum[1] += y[i]; sum[2]++; }
      }
      // clusters lie somewhere; other classes are everywhere, and their middles would lie on each other
      if (["kmeans", "gmm"].includes(this.name)) sums.forEach(([a, b, n], code) => n && labels.push({ x: a / n, y: b / n, text: names[code] }));
    }
    this.overlay.set({ labels });
  }

  /** Value of a particle, in words. */
  say(particle) {
    if (!this.name) return "";
    const info = this.columns.infos.get(this.name);
    const value = this.classes ? info.labels[this.classes.codes[particle]] ?? "unknown" : shortNumber(this.values[particle]);
    return `${info.label} ${value}${info.unit ? ` ${info.unit}` : ""}`;
  }
}

