// Curves for every page: `drawCurves` draws, explains, zooms and exports them.
import { drawChart } from "./chart.js";
import { aligned, hasPositive, lastPoint, summary } from "./columns.js";
import { download } from "../downloads.js";
import { csvOf, fileName, pngOfSvg } from "./export.js";
import { modelOf } from "./model.js";
import { format } from "./numbers.js";
import { lineLook, screenPalette } from "./palette.js";
import { axisTitle, placeText } from "./scales.js";
import { svgOf } from "./svg.js";
import { button, make } from "./elements.js";

/**
 * Draw curves into an element.
 *
 * @param element emptied and filled with a figure
 * @param spec `{title, x: {label, unit, scale, isWhole}, y: {label, unit, scale, range},
 *   series: [{name, x, y, colour, dashed, hasPoints, isPlain}], marks: [{x or y, label}],
 *   height, switches: ["log", "smooth"], isLog, isSmooth, sync, note}`; scales are `linear`, `log`,
 *   and of x also `resolution` (1/Å) and `square-resolution` (1/Å²); `colour` is a number
 * @returns `{update(spec), destroy()}`; an update keeps zoom and switches
 */
export function drawCurves(element, spec) {
  return new Curves(element, spec);
}

class Curves {
  constructor(element, spec) {
    this.state = { isLog: spec.isLog ?? spec.y?.scale === "log", isSmooth: Boolean(spec.isSmooth), hidden: new Set() };
    this.figure = make("figure", "plot");
    this.title = make("figcaption", "plot-title");
    this.tools = make("div", "plot-tools");
    this.readout = make("div", "plot-readout");
    this.canvas = make("div", "plot-canvas");
    this.legend = make("div", "plot-legend");
    this.note = make("p", "plot-note muted");
    const head = make("div", "plot-head");
    head.append(this.title, this.tools);
    this.figure.append(head, this.readout, this.canvas, this.legend, this.note);
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    element.replaceChildren(this.figure);
    this.onTheme = () => this.draw();
    document.addEventListener("themechange", this.onTheme);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.canvas);
    this.update(spec);
  }

  update(spec) {
    this.spec = { marks: [], switches: [], height: 260, y: {}, ...spec };
    this.title.textContent = this.spec.title || "";
    this.note.textContent = this.spec.note || "";
    this.note.hidden = !this.spec.note;
    this.canvas.setAttribute("aria-label", summary(this.spec));
    this.makeTools();
    this.draw();
  }

  destroy() {
    document.removeEventListener("themechange", this.onTheme);
    this.observer.disconnect();
    this.chart?.destroy();
    this.figure.remove();
  }

  draw() {
    const window = this.window();
    this.chart?.destroy();
    this.chart = null;
    this.figure.classList.toggle("is-empty", isEmpty(this.spec));
    if (isEmpty(this.spec)) {
      this.legend.hidden = true;
      this.readout.replaceChildren();
      this.canvas.replaceChildren(make("p", "plot-empty", "No values yet"));
      return;
    }
    if (!this.canvas.querySelector(".uplot")) this.canvas.replaceChildren();
    this.palette = screenPalette(this.figure);
    this.model = { ...modelOf(this.spec, this.state), sync: this.spec.sync };
    this.chart = drawChart(this.canvas, this.model, this.palette, this.spec.height, {
      onCursor: (index) => this.read(index),
      onZoom: (isZoomed) => (this.reset.hidden = !isZoomed),
    });
    if (window) this.chart.setScale("x", { min: window[0], max: window[1] });
    this.makeLegend();
    this.read(null);
  }

  /** The zoomed x range, if the plot is zoomed. */
  window() {
    if (!this.chart || this.reset.hidden) return undefined;
    const { min, max } = this.chart.scales.x;
    return [min, max];
  }

  fit() {
    const width = this.canvas.clientWidth;
    if (this.chart && width > 0 && Math.abs(width - this.chart.width) > 1) {
      this.chart.setSize({ width, height: this.spec.height });
    }
  }

  makeTools() {
    const isZoomed = this.reset ? !this.reset.hidden : false;
    this.reset = button("Whole range", "Show the whole range again (Escape)", () => this.whole());
    this.reset.hidden = !isZoomed;
    const parts = [this.reset];
    const canLog = this.spec.switches.includes("log") && hasPositive(this.spec.series);
    if (canLog) parts.push(this.switch("log", "Logarithmic axis", "isLog"));
    if (this.spec.switches.includes("smooth")) parts.push(this.switch("smooth", "Running median", "isSmooth"));
    const exports = isEmpty(this.spec) ? {} : { PNG: () => this.savePng(), SVG: () => this.saveSvg(), CSV: () => this.saveCsv() };
    const name = this.spec.title || "plot";
    for (const [kind, run] of Object.entries(exports)) parts.push(button(kind, `Save ${name} as ${kind}`, run));
    const focused = [...this.tools.children].indexOf(document.activeElement);
    this.tools.replaceChildren(...parts);
    if (focused >= 0) this.tools.children[focused]?.focus();
  }

  switch(text, help, key) {
    const made = button(text, help, () => {
      this.state[key] = !this.state[key];
      made.setAttribute("aria-pressed", String(this.state[key]));
      this.draw();
    });
    made.setAttribute("aria-pressed", String(this.state[key]));
    return made;
  }

  makeLegend() {
    const lines = this.model.lines.filter((line) => !line.isFaint);
    this.legend.hidden = this.model.isDirect || lines.length < 2;
    if (this.legend.hidden) return;
    const focused = [...this.legend.children].indexOf(document.activeElement);
    this.legend.replaceChildren(...lines.map((line) => this.legendKey(line)));
    if (focused >= 0) this.legend.children[focused]?.focus();
  }

  legendKey(line) {
    const key = button(line.name, `Show or hide ${line.name}`, () => {
      const { hidden } = this.state;
      if (!hidden.delete(line.name)) hidden.add(line.name);
      this.draw();
    });
    key.setAttribute("aria-pressed", String(!line.isHidden));
    key.prepend(swatch(lineLook(this.palette, line, line.index)));
    key.append(make("span", "plot-key-value"));
    return key;
  }

  /** Say the values at a column of the model; the last ones where there is none. */
  read(index) {
    const isPlace = Number.isInteger(index) && index < this.model.xs.length;
    const valueOf = (line) => (isPlace ? line.column[index] : lastPoint({ x: this.model.xs, y: line.column })?.y);
    const parts = [make("span", "plot-place", isPlace ? placeText(this.model.x, this.model.xs[index]) : "last")];
    const lines = this.model.lines.filter((line) => !line.isFaint);
    if (this.legend.hidden) {
      for (const line of lines.filter((each) => valueOf(each) !== undefined)) parts.push(this.value(line, valueOf(line), lines.length));
    } else {
      lines.forEach((line, i) => (this.legend.children[i].lastChild.textContent = format(valueOf(line))));
    }
    this.readout.replaceChildren(...parts);
  }

  value(line, value, count) {
    const part = make("span", "plot-value", `${count > 1 ? `${line.name} ` : ""}${format(value)}`);
    part.prepend(swatch(lineLook(this.palette, line, line.index)));
    return part;
  }

  whole() {
    this.reset.hidden = true;
    this.draw();
    this.canvas.focus();
  }

  onKey(event) {
    if (!this.chart) return;
    if (event.key === "Escape") {
      this.whole();
      return;
    }
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
    if (!step) return;
    event.preventDefault();
    const last = this.model.xs.length - 1;
    const next = Math.min(last, Math.max(0, (this.chart.cursor.idx ?? last) + step));
    this.readout.setAttribute("aria-live", "polite");
    this.chart.setCursor({ left: this.chart.valToPos(this.model.xs[next], "x"), top: 10 });
  }

  saveCsv() {
    const [xs, ...columns] = aligned(this.spec.series);
    const names = [axisTitle(this.spec.x || {}) || "x", ...this.spec.series.map((each) => each.name)];
    download(csvOf(xs, columns, names), this.file("csv"), "text/csv");
  }

  svg() {
    return svgOf(this.model, this.spec.title || "", this.window());
  }

  saveSvg() {
    download(this.svg(), this.file("svg"), "image/svg+xml");
  }

  async savePng() {
    download(await pngOfSvg(this.svg()), this.file("png"));
  }

  file(ending) {
    return fileName(this.spec.fileName || this.spec.title || "plot", ending);
  }
}

/** Whether there is nothing to draw. */
function isEmpty(spec) {
  return !spec.series.some((each) => lastPoint(each));
}

/** A short piece of a line as it is drawn. */
function swatch({ colour, dash }) {
  const mark = make("span", `plot-swatch${dash.length ? (dash[0] < 3 ? " is-dotted" : " is-dashed") : ""}`);
  mark.style.borderTopColor = colour;
  return mark;
}
