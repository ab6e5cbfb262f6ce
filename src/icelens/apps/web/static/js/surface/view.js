// One map of the page: its level, its mesh (or picture), and what is said about it.

import { getBinary, getJson } from "../api.js";
import { toast } from "../toast.js";
import { fetchMesh } from "./mesh.js";

const STEPS = 400;

export class MapView {
  /** `cell` holds the parts of `view_surface.html`'s template; `scene` is null without WebGL. */
  constructor(cell, file, settings, makeScene) {
    this.cell = cell;
    this.file = file;
    this.settings = settings;
    this.level = null;
    this.isDark = null; // as the map looks, until somebody says
    this.find = (name) => cell.querySelector(`[data-map="${name}"]`);
    this.find("name").textContent = file.split("/").at(-1);
    this.find("name").title = file;
    this.scene = makeScene(this.find("stage"), `Surface of ${file}`);
    this.timer = 0;
    this.find("level").addEventListener("input", () => this.slide());
    this.find("number").addEventListener("change", () => this.type());
    this.find("dark").addEventListener("change", () => {
      this.isDark = this.find("dark").checked;
      this.open().catch((error) => toast(error.message, "failed"));
    });
  }

  /** Ask what the map is like, then for its surface. */
  async open() {
    const query = new URLSearchParams({ file: this.file, box: this.settings.box });
    if (this.isDark !== null) query.set("is_dark", this.isDark);
    this.facts = await getJson(`/api/surface/facts?${query}`);
    this.isDark = this.facts.is_dark;
    this.find("dark").checked = this.isDark;
    this.setLevel(this.facts.level);
    await this.refresh();
  }

  /** The slider runs from the mean to the highest value (to the lowest, if density is dark). */
  range() {
    const { low, high, mean } = this.facts;
    return this.isDark ? { from: mean, to: low } : { from: mean, to: high };
  }

  setLevel(level) {
    this.level = level;
    const { from, to } = this.range();
    const slider = this.find("level");
    slider.max = STEPS;
    slider.value = Math.round((STEPS * (level - from)) / (to - from || 1));
    this.find("number").value = Number(level.toPrecision(4));
    const sigma = (level - this.facts.mean) / (this.facts.std || 1);
    this.find("sigma").textContent = `${sigma.toFixed(1)} σ`;
  }

  slide() {
    const { from, to } = this.range();
    this.setLevel(from + (Number(this.find("level").value) / STEPS) * (to - from));
    this.soon();
  }

  type() {
    const level = Number(this.find("number").value);
    if (Number.isFinite(level)) {
      this.setLevel(level);
      this.soon();
    }
  }

  /** Ask once the hand rests for a moment. */
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh().catch((error) => toast(error.message, "failed")), 60);
  }

  /** The newest level wins; while an answer is on its way, the old surface stays. */
  async refresh() {
    if (this.isAsking) {
      this.isStale = true;
      return;
    }
    this.isAsking = true;
    this.cell.setAttribute("aria-busy", "true");
    try {
      do {
        this.isStale = false;
        await this.ask();
      } while (this.isStale);
    } finally {
      this.isAsking = false;
      this.cell.removeAttribute("aria-busy");
    }
  }

  async ask() {
    if (!this.scene) {
      await this.showPicture();
      return;
    }
    const mesh = await fetchMesh({ ...this.settings, file: this.file, level: this.level, isDark: this.isDark });
    this.mesh = mesh;
    this.scene.show(mesh);
    this.find("note").textContent = this.note(mesh.facts);
    this.find("note").title = this.note(mesh.facts);
    this.settings.onMesh(this);
  }

  note({ triangles, note, colour }) {
    const words = [triangles ? `${triangles.toLocaleString("en")} triangles` : "nothing reaches this level"];
    if (note) words.push(note);
    if (colour?.note) words.push(colour.note);
    return words.join("; ");
  }

  /** Without WebGL the server draws; the old picture stays until the new one is here. */
  async showPicture() {
    const query = new URLSearchParams({
      file: this.file, level: this.level, is_dark: this.isDark, theme: this.settings.theme(),
    });
    const { buffer } = await getBinary(`/api/surface/picture?${query}`);
    const picture = this.find("picture");
    const old = picture.src;
    picture.src = URL.createObjectURL(new Blob([buffer], { type: "image/png" }));
    picture.alt = `Surface of ${this.file} at ${this.level.toPrecision(3)}`;
    picture.hidden = false;
    if (old) URL.revokeObjectURL(old);
    this.find("note").textContent = this.facts.note;
  }
}
