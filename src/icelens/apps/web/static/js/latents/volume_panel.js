// The volume at a point: decoded by the server's warm model, shown as a surface or as slices, with what backs it.
import { getBinary, send } from "../api.js";
import { attempt, toast } from "../toast.js";
import { MeshView } from "./mesh_view.js";
import { showSaved } from "./saved.js";

const WORDS = {
  supported: "as many particles lie near by as usual",
  sparse: "few particles lie near by",
  extrapolated: "no particle looks like this; the model made it up",
};
const MOST_KEPT = 250;
const $ = (id) => document.getElementById(id);

export class VolumePanel {
  constructor(run) {
    this.run = run;
    this.kept = new Map();
    this.view = new MeshView($("mesh"));
    this.level = null;
    $("level").addEventListener("input", () => this.changeLevel());
    $("toggle-slices").addEventListener("click", () => this.showSlices($("slices").hidden));
    $("box-size").addEventListener("change", () => this.again());
    $("save-volume")?.addEventListener("submit", (event) => this.save(event));
  }

  /** Show the volume at a latent; of several asked at once only the last is drawn. */
  async show(latent) {
    this.latent = latent;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    $("decode-time").textContent = "decoding…";
    const found = await attempt(() => this.fetch(latent));
    if (turn !== this.turn) return;
    $("decode-time").textContent = "";
    if (found) await this.draw(found);
  }

  /** Ask for a volume, or take it from those that were asked before. */
  async fetch(latent) {
    const level = this.level === null ? "" : `&level=${this.level}`;
    const key = `latent=${latent.map((value) => value.toPrecision(9)).join(",")}&box_size=${$("box-size").value || 0}${level}`;
    if (!this.kept.has(key)) {
      const start = performance.now();
      const { buffer, headers } = await getBinary(`/api/latents/decode?run=${encodeURIComponent(this.run)}&${key}`);
      const made = parse(JSON.parse(headers.get("X-Facts")), buffer);
      made.seconds = (performance.now() - start) / 1000;
      this.kept.set(key, made);
      if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
    }
    return this.kept.get(key);
  }

  async draw(found) {
    const { facts } = found;
    $("volume").hidden = false;
    $("volume-hint").hidden = true;
    showSupport(facts);
    this.fillBoxes(facts);
    $("level").min = facts.levels[0].toFixed(2);
    $("level").max = facts.levels[1].toFixed(2);
    $("level").value = facts.level;
    $("level-value").textContent = `${facts.level.toFixed(2)} σ`;
    $("point-facts").textContent = `latent ${facts.latent.map((value) => value.toFixed(2)).join(", ").slice(0, 200)}; nearest particle: row ${facts.nearest_row}`;
    $("decode-time").textContent = `${found.seconds < 0.1 ? "<0.1" : found.seconds.toFixed(1)} s`;
    this.found = found;
    if (await this.view.start()) this.view.show(found);
    else if ($("slices").hidden) this.showSlices(true);
    if (!$("slices").hidden) drawSlices($("slices"), found);
  }

  showSlices(isShown) {
    $("slices").hidden = !isShown;
    $("mesh").hidden = isShown || this.view.isReady === false;
    $("toggle-slices").setAttribute("aria-pressed", isShown);
    if (isShown && this.found) drawSlices($("slices"), this.found);
  }

  changeLevel() {
    this.level = Number($("level").value);
    $("level-value").textContent = `${this.level.toFixed(2)} σ`;
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.again(), 120);
  }

  again() {
    if (this.latent) this.show(this.latent);
  }

  fillBoxes({ box_size: now, full_box_size: full }) {
    if (this.hasBoxes) return;
    this.hasBoxes = true;
    const sides = [...new Set([32, 48, 64, 96, 128, 192, 256].filter((side) => side < full && side !== now))];
    const select = $("box-size");
    select.append(new Option(`${now} px`, 0), ...sides.map((side) => new Option(`${side} px`, side)));
    if (full !== now) select.append(new Option(`${full} px, full`, full));
  }

  async save(event) {
    event.preventDefault();
    if (!this.latent) return;
    const body = { run: this.run, latent: this.latent, name: $("volume-name").value };
    const saved = await attempt(() => send("POST", "/api/latents/volume", body));
    if (!saved) return;
    showSaved($("volume-saved"), saved.file, saved.command);
    toast(`saved ${saved.file}`, "done");
  }
}

/** Take an answer apart: see `decode` in work/decoding.py. */
export function parse(facts, buffer) {
  const { vertices, triangles, box_size: side } = facts;
  const split = 24 * vertices + 12 * triangles;
  if (buffer.byteLength !== split + 3 * side * side) throw new Error("the volume came incomplete; click again");
  return {
    facts,
    positions: new Float32Array(buffer, 0, 3 * vertices),
    normals: new Float32Array(buffer, 12 * vertices, 3 * vertices),
    triangles: new Uint32Array(buffer, 24 * vertices, 3 * triangles),
    slices: [0, 1, 2].map((place) => new Uint8Array(buffer, split + place * side * side, side * side)),
  };
}

function showSupport(facts) {
  $("support").className = `state ${facts.support}`;
  $("support").textContent = facts.support;
  $("support-words").textContent = `${facts.num_near} near; ${WORDS[facts.support] ?? ""}`;
}

function drawSlices(element, { slices, facts }) {
  const side = facts.box_size;
  element.replaceChildren(...["xy", "xz", "yz"].map((name, place) => {
    const figure = document.createElement("figure"), canvas = document.createElement("canvas"), caption = document.createElement("figcaption");
    canvas.width = canvas.height = side;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Central ${name} slice`);
    const image = new ImageData(side, side);
    // rows of a map go up
    for (let row = 0; row < side; row++) for (let column = 0; column < side; column++) {
      const at = 4 * ((side - 1 - row) * side + column);
      image.data.fill(slices[place][row * side + column], at, at + 3);
      image.data[at + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    caption.textContent = name;
    figure.append(canvas, caption);
    return figure;
  }));
}
