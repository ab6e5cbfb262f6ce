// Which columns are the axes, and between which percentiles they are shown.
import { axisTitle, shortNumber } from "./axes.js";
import { fillSelect } from "./columns.js";
import { attempt } from "../toast.js";

const $ = (id) => document.getElementById(id);

export class AxisControls {
  constructor(columns, scatter) {
    Object.assign(this, { columns, scatter, onChange: () => {} });
    const given = new URLSearchParams(location.search);
    columns.defaults().forEach((name, place) => {
      const select = $(place ? "y-column" : "x-column"), wanted = given.get(place ? "y" : "x");
      fillSelect(select, columns.infos);
      select.value = columns.infos.has(wanted) ? wanted : name;
      select.addEventListener("change", () => attempt(() => this.show()));
    });
    $("trim").addEventListener("change", () => { scatter.trim = Number($("trim").value); scatter.reset(); });
  }

  get names() {
    return [$("x-column").value, $("y-column").value];
  }

  /** Whether a volume can be made anywhere in the plane: both axes are latents, or both components. */
  get areFree() {
    const [x, y] = this.names.map((name) => name.split("_")[0]);
    return x === y && ["latent", "pc"].includes(x) && this.names[0] !== this.names[1];
  }

  async show() {
    const names = this.names;
    const [x, y] = await Promise.all(names.map((name) => this.values(name)));
    if (names.join() !== this.names.join()) return; // chosen anew meanwhile
    const [xAxis, yAxis] = names.map((name) => this.axis(name));
    this.scatter.setAxes(x, y, { x: xAxis, y: yAxis });
    const url = new URL(location.href);
    url.searchParams.set("x", names[0]);
    url.searchParams.set("y", names[1]);
    history.replaceState(null, "", url);
    this.onChange();
  }

  async values(name) {
    return this.isNamed(name) ? this.columns.codes(name) : (await this.columns.load(name))[0];
  }

  /** Classes whose names are no numbers are shown by their names. */
  isNamed(name) {
    const { kind, labels, values } = this.columns.infos.get(name);
    return kind === "class" && labels.some((label, i) => label !== String(values[i]));
  }

  axis(name) {
    const info = this.columns.infos.get(name), number = Number(name.split("_")[1]);
    const share = name.startsWith("pc_") ? this.columns.facts.explained[number - 1] : undefined;
    const label = share === undefined ? info.label : `${info.label} (${share < 0.001 ? "<0.1" : (100 * share).toFixed(share < 0.1 ? 1 : 0)} %)`;
    return { label, unit: info.unit, classes: this.isNamed(name) ? info.labels : null };
  }

  /** Value of a particle along an axis, in words. */
  say(axis, particle) {
    const name = this.names[axis === "x" ? 0 : 1], info = this.columns.infos.get(name);
    const value = this.scatter.columns[axis][particle];
    return `${info.label} ${this.isNamed(name) ? info.labels[value] : shortNumber(value)}${info.unit ? ` ${info.unit}` : ""}`;
  }

  title(name) {
    return axisTitle(this.columns.infos.get(name));
  }
}
