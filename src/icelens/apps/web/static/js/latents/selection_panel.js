// The panel of the selection: counts, conditions, clusters, composition, and saving.
import { getBinary, send } from "../api.js";
import { count } from "../quantities.js";
import { attempt, toast } from "../toast.js";
import { css } from "../colour_scale.js";
import { showSaved } from "./saved.js";
import { marksOf } from "./selection.js";

const $ = (id) => document.getElementById(id);
const MOST_LISTED = 12;

export class SelectionPanel {
  constructor(run, columns, selection) {
    Object.assign(this, { run, columns, selection });
    $("where-form").addEventListener("submit", (event) => { event.preventDefault(); this.where(); });
    $("invert").addEventListener("click", () => selection.invert());
    $("undo").addEventListener("click", () => selection.undo());
    $("clear").addEventListener("click", () => selection.clear());
    $("save-selection")?.addEventListener("submit", (event) => { event.preventDefault(); this.save(); });
    if (!columns.facts.can_save) this.refuseSaving();
    this.showClusters();
  }

  /** Without its particle file a run's particles cannot be written. */
  refuseSaving() {
    const button = document.querySelector("#save-selection button");
    if (!button) return;
    button.disabled = true;
    button.title = "the particle file of the run cannot be read";
  }

  /** How the next selection joins the one before; keys held during a lasso go first. */
  static how(event) {
    if (event?.shiftKey && event.altKey) return "intersect";
    if (event?.shiftKey) return "add";
    if (event?.altKey) return "subtract";
    return document.querySelector('input[name="how"]:checked').value;
  }

  async where() {
    const text = $("where").value.trim(), problem = $("where-problem");
    problem.hidden = true;
    if (!text) return;
    try {
      const { buffer } = await getBinary(`/api/latents/where?${this.columns.query}&where=${encodeURIComponent(text)}`);
      this.selection.join(marksOf(new Uint8Array(buffer), this.selection.count), SelectionPanel.how());
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }

  async showClusters() {
    if (this.columns.infos.get("kmeans")?.kind !== "class") return;
    const { codes, labels, palette } = await this.columns.classes("kmeans");
    $("clusters").replaceChildren(...labels.map((label, code) => {
      const chip = document.createElement("button"), swatch = document.createElement("span");
      chip.type = "button";
      chip.className = "chip";
      swatch.className = "swatch";
      swatch.style.background = css(palette[code]);
      chip.append(swatch, `cluster ${label}`);
      chip.addEventListener("click", (event) => {
        const marks = Uint8Array.from(codes, (value) => Number(value === code));
        this.selection.join(marks, SelectionPanel.how(event));
      });
      return chip;
    }));
    $("clusters").hidden = false;
  }

  /** Show what is selected now. */
  async show() {
    const { selection } = this;
    const share = (100 * selection.size) / selection.count;
    $("selection-count").textContent = selection.size
      ? `${count(selection.size)} of ${count(selection.count)} (${share < 0.1 ? "<0.1" : share.toFixed(1)} %)`
      : "No particle selected";
    for (const id of ["undo", "clear"]) $(id).disabled = id === "clear" ? !selection.size : !selection.before.length;
    $("selection-saved").replaceChildren();
    const blocks = [];
    if (selection.size) {
      for (const name of ["half_set", "kmeans"]) {
        const info = this.columns.infos.get(name);
        if (info?.kind === "class") blocks.push(...bars(info.label, selection.composition(await this.columns.codes(name), info.labels), selection.size));
      }
    }
    const box = document.createElement("div");
    box.className = "composition";
    box.append(...blocks);
    $("composition").replaceChildren(box);
  }

  async save() {
    const { selection } = this;
    if (!selection.size) return void toast("select some particles first", "failed");
    const body = { run: this.run, bits: selection.asText(), name: $("selection-name").value };
    const saved = await attempt(() => send("POST", "/api/latents/selection", body));
    if (!saved) return undefined;
    showSaved($("selection-saved"), `${saved.file} (${count(saved.chosen)} particles)`, saved.command);
    toast(`saved ${saved.file}`, "done");
    return undefined;
  }
}

/** A heading, and for each class its name, a bar and its share of the selection. */
function bars(title, parts, total) {
  const heading = document.createElement("h3");
  heading.textContent = title;
  const listed = parts.filter(({ chosen }) => chosen > 0).sort((a, b) => b.chosen - a.chosen);
  const rest = listed.slice(MOST_LISTED).reduce((sum, { chosen }) => sum + chosen, 0);
  const shown = listed.slice(0, MOST_LISTED);
  if (rest) shown.push({ label: "others", chosen: rest, all: 0 });
  return [heading, ...shown.flatMap(({ label, chosen, all }) => {
    const name = document.createElement("span"), bar = document.createElement("span"), fill = document.createElement("span"), share = document.createElement("span");
    name.textContent = label;
    bar.className = "bar";
    fill.style.width = `${(100 * chosen) / total}%`;
    bar.append(fill);
    share.textContent = `${((100 * chosen) / total).toFixed(1)} %`;
    if (all) share.title = `${count(chosen)} of ${count(all)}`;
    return [name, bar, share];
  })];
}
