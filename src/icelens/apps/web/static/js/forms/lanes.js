// Where and when a job runs: the lane, the variables of a cluster's script, jobs to wait for.
import { getJson } from "../api.js";

export class Lanes {
  constructor(form) {
    this.form = form;
    this.select = document.getElementById("q-lane");
    this.box = document.getElementById("lane-variables");
    this.given = JSON.parse(this.box.dataset.given);
    this.lanes = getJson("/api/lanes").then((answer) => answer.lanes, () => []);
    this.select.addEventListener("change", () => this.showVariables());
    this.showVariables();
  }

  async showVariables() {
    const name = this.select.value;
    const lane = (await this.lanes).find((each) => each.name === name);
    if (name !== this.select.value) return;
    const problem = this.box.querySelector(".problem");
    const variables = lane?.variables ?? [];
    this.box.replaceChildren(...variables.map((each) => this.field(each)), problem);
    this.box.hidden = !variables.length;
  }

  field(variable) {
    const box = document.createElement("div");
    box.className = "field form-field";
    const label = document.createElement("label");
    label.htmlFor = `v-${variable.name}`;
    label.textContent = variable.name.replaceAll("_", " ");
    const control = document.createElement("div");
    control.className = "control";
    const input = document.createElement("input");
    input.id = `v-${variable.name}`;
    input.className = "text-input";
    input.dataset.variable = variable.name;
    input.dataset.kind = typeof variable.default;
    input.placeholder = variable.default === "" ? "the cluster's default" : String(variable.default);
    input.value = this.given[variable.name] ?? "";
    input.autocomplete = "off";
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.textContent = variable.help;
    control.append(input, hint);
    box.append(label, control);
    return box;
  }

  /** What the queue is told of this form. */
  options() {
    const number = (id, usual) => Number.parseInt(document.getElementById(id)?.value ?? "", 10) || usual;
    const variables = {};
    for (const input of this.box.hidden ? [] : this.box.querySelectorAll("[data-variable]")) {
      if (input.value.trim()) variables[input.dataset.variable] = typed(input);
    }
    return {
      lane: this.select.value,
      variables,
      priority: number("q-priority", 0),
      after: [...document.getElementById("q-after").value.matchAll(/\d+/g)].map((found) => Number(found[0])).filter((each) => each > 0),
      title: document.getElementById("q-title").value,
      parts: document.getElementById("q-parts")?.disabled ? 1 : number("q-parts", 1),
    };
  }
}

/** A value of the kind of its default; what is none is left as it is, the server says so. */
function typed(input) {
  const text = input.value.trim();
  if (input.dataset.kind === "number" && text !== "" && Number.isFinite(Number(text))) return Number(text);
  if (input.dataset.kind === "boolean" && ["true", "false"].includes(text)) return text === "true";
  return text;
}
