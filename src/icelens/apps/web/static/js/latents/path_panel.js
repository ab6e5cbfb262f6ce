// Paths through latents: made from clicked points, a component or clusters, shown with their support, played.
import { getJson, send } from "../api.js";
import { attempt, toast } from "../toast.js";
import { showSaved } from "./saved.js";

const $ = (id) => document.getElementById(id);
const FRAME_MS = 160;

export class PathPanel {
  /** `volumes` decodes and shows; `onChange` hears of points, anchors and the place along the path. */
  constructor(run, volumes, onChange) {
    Object.assign(this, { run, volumes, onChange, anchors: [], points: [], at: -1 });
    $("way").addEventListener("change", () => this.showWay());
    $("add-anchors").addEventListener("click", () => this.setAdding(!this.isAdding));
    $("clear-anchors").addEventListener("click", () => { this.anchors = []; this.changed(); });
    $("make-path").addEventListener("click", () => this.make());
    $("play").addEventListener("click", () => this.play(!this.timer));
    $("path-place").addEventListener("input", () => this.go(Number($("path-place").value)));
    $("save-path")?.addEventListener("submit", (event) => { event.preventDefault(); this.save(); });
    this.showWay();
  }

  get needsAnchors() {
    return !["pc", "clusters"].includes($("way").value);
  }

  showWay() {
    $("component-field").hidden = $("way").value !== "pc";
    $("anchor-line").hidden = !this.needsAnchors;
    if (!this.needsAnchors) this.setAdding(false);
    this.changed();
  }

  setAdding(isAdding) {
    this.isAdding = isAdding;
    $("add-anchors").setAttribute("aria-pressed", isAdding);
  }

  /** A clicked point: {particle, at, x, y}. */
  add(anchor) {
    this.anchors.push(anchor);
    this.changed();
  }

  changed() {
    $("anchor-count").textContent = `${this.anchors.length} ${this.anchors.length === 1 ? "point" : "points"}`;
    $("make-path").disabled = this.needsAnchors && this.anchors.length < 2;
    this.onChange(this);
  }

  async make() {
    this.play(false);
    const words = [`run=${encodeURIComponent(this.run)}`, `way=${$("way").value}`, `count=${$("path-count").value}`];
    if ($("way").value === "pc") words.push(`component=${$("component").value}`);
    if (this.needsAnchors) for (const each of this.anchors) words.push(`anchor=${encodeURIComponent(anchorText(each))}`);
    const found = await attempt(() => getJson(`/api/latents/path?${words.join("&")}`));
    if (!found) return;
    for (const note of found.notes) toast(note);
    this.points = found.points;
    this.setAdding(false);
    $("path").hidden = false;
    $("path-saved").replaceChildren();
    $("path-place").max = this.points.length - 1;
    this.showSupport();
    await this.go(0);
    this.fetchAll(found.points);
  }

  /** Decode the rest ahead, one after the other, so that playing does not wait. */
  async fetchAll(points) {
    for (const { latent } of points) {
      if (points !== this.points) return;
      try {
        await this.volumes.fetch(latent);
      } catch {
        return; // said when the point is shown
      }
    }
  }

  showSupport() {
    const box = $("path-support");
    box.replaceChildren(...this.points.map(({ support }, place) => {
      const part = document.createElement("span");
      part.className = support;
      part.title = `point ${place + 1}: ${support}`;
      return part;
    }));
    const count = (flag) => this.points.filter(({ support }) => support === flag).length;
    const words = `${this.points.length} points: ${count("supported")} supported, ${count("sparse")} sparse, ${count("extrapolated")} extrapolated`;
    box.setAttribute("aria-label", words);
    $("path-words").textContent = words;
  }

  async go(place) {
    this.at = place;
    $("path-place").value = place;
    $("path-value").textContent = `${place + 1}/${this.points.length}`;
    this.onChange(this);
    await this.volumes.show(this.points[place].latent);
  }

  /** Go forth and back along the path until told to stop. */
  play(isOn) {
    $("play").setAttribute("aria-pressed", isOn);
    $("play").textContent = isOn ? "Pause" : "Play";
    clearTimeout(this.timer);
    this.timer = null;
    if (!isOn || this.points.length < 2) return;
    let step = 1;
    const next = async () => {
      if (this.at + step < 0 || this.at + step >= this.points.length) step = -step;
      await this.go(this.at + step);
      if (this.timer) this.timer = setTimeout(next, FRAME_MS);
    };
    this.timer = setTimeout(next, FRAME_MS);
  }

  async save() {
    const body = { run: this.run, latents: this.points.map(({ latent }) => latent), name: $("path-name").value };
    const saved = await attempt(() => send("POST", "/api/latents/path", body));
    if (!saved) return;
    showSaved($("path-saved"), saved.file, saved.command);
    toast(`saved ${saved.file}`, "done");
  }
}

/** A clicked point as the server reads it: particle, and coordinates behind an @. */
export function anchorText({ particle, at }) {
  const pairs = Object.entries(at).map(([name, value]) => `${name}:${Number(value.toPrecision(9))}`);
  return pairs.length ? `${particle}@${pairs.join(",")}` : String(particle);
}
