// Presets of a job: load, save under a name, delete; settings out of a file.
import { getJson, send } from "../api.js";
import { pickFile } from "../files/picker.js";
import { attempt, toast } from "../toast.js";

const SAVE = "\u0001save";
const DELETE = "\u0001delete";

export class Presets {
  constructor(job, fields) {
    this.job = job;
    this.fields = fields;
    this.select = document.getElementById("preset");
    this.select.addEventListener("change", () => attempt(() => this.chosen(this.select.value)));
    document.getElementById("load-file").addEventListener("click", () => attempt(() => this.loadFile()));
    this.url = `/api/presets/${encodeURIComponent(job)}`;
    attempt(async () => this.show(await getJson(this.url)));
  }

  show({ presets }) {
    this.presets = presets;
    const options = [option("", "Presets")];
    for (const each of presets) options.push(option(each.name, each.problem ? `${each.name} (cannot be read)` : each.name));
    const writable = document.documentElement.dataset.readOnly !== "yes";
    if (writable) options.push(option(SAVE, "Save these settings…"));
    if (writable && this.current) options.push(option(DELETE, `Delete ${this.current}`));
    this.select.replaceChildren(...options);
    this.select.value = this.current ?? "";
  }

  async chosen(name) {
    if (name === SAVE) return this.save();
    if (name === DELETE) return this.remove();
    const preset = this.presets.find((each) => each.name === name);
    if (preset?.problem) toast(preset.problem, "failed");
    else if (preset) {
      this.fields.set(preset.values);
      this.current = name;
      toast(`${name} is filled in`);
    }
    this.show({ presets: this.presets });
  }

  async save() {
    this.select.value = this.current ?? "";
    const name = await askName(this.current ?? "");
    if (!name) return;
    const taken = this.presets.some((each) => each.name === name) && name !== this.current;
    if (taken && !window.confirm(`Replace the preset ${name}?`)) return;
    const answer = await send("PUT", `${this.url}/${encodeURIComponent(name)}`, { values: this.fields.values() });
    this.current = name;
    this.show(answer);
    toast(`${name} is kept, without inputs and output`, "done");
  }

  async remove() {
    const name = this.current;
    this.select.value = name;
    if (!window.confirm(`Delete the preset ${name}?`)) return;
    this.current = undefined;
    this.show(await send("DELETE", `${this.url}/${encodeURIComponent(name)}`));
  }

  async loadFile() {
    const file = await pickFile({ title: "Settings from a file", hint: "A YAML file, or run.json of an earlier run" });
    if (!file) return;
    const { values } = await send("POST", "/api/ask/settings", { job: this.job, file });
    this.fields.set(values, { isWhole: true });
    toast("the settings are filled in");
  }
}

function option(value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

function askName(name) {
  const dialog = document.createElement("dialog");
  const form = document.createElement("form");
  form.method = "dialog";
  const label = document.createElement("label");
  label.textContent = "Name of the preset ";
  const input = document.createElement("input");
  input.maxLength = 60;
  input.required = true;
  input.value = name;
  label.append(input);
  const row = document.createElement("p");
  row.className = "toolbar";
  const keep = document.createElement("button");
  keep.className = "button primary";
  keep.textContent = "Save";
  keep.value = "save";
  const leave = document.createElement("button");
  leave.className = "button";
  leave.textContent = "Cancel";
  leave.formNoValidate = true;
  row.append(keep, leave);
  form.append(label, row);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "save" ? input.value.trim() : "");
      dialog.remove();
    });
  });
}
