// Path fields: choose among results and files, and look at the first input beside the form.
import { getJson } from "../api.js";
import { pickFile } from "../files/picker.js";
import { addPath, controlOf } from "./fields.js";

const panel = document.getElementById("input-panel");
const body = document.getElementById("input-body");
let shown = "";

/** Let every path field choose. */
export function letChoose(form, fields) {
  form.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-choose]");
    if (!button) return;
    const box = button.closest("[data-key]");
    const kinds = box.dataset.kinds.split(",").filter(Boolean);
    const path = await pickFile({ title: box.dataset.label, kinds, isFolder: kinds.includes("folder"), mayBeNew: box.hasAttribute("data-written") });
    if (!path) return;
    if (box.dataset.widget === "paths") addPath(box, path);
    else controlOf(box).value = path;
    fields.tell(box);
  });
}

/** Show what the first input holds that is given and exists. */
export async function lookAtInput(fields, warnings) {
  const missing = new Set(warnings.map((each) => each.field));
  const readable = fields.boxes.filter((box) => ["path", "paths"].includes(box.dataset.widget) && !box.hasAttribute("data-written") && !missing.has(box.dataset.key));
  const first = readable.map((box) => [fields.value(box)].flat()[0]).find(Boolean) ?? "";
  if (first === shown) return;
  shown = first;
  if (!first) {
    panel.hidden = true;
    return;
  }
  try {
    const about = await getJson(`/api/files/about?file=${encodeURIComponent(first)}`);
    if (first === shown) draw(about);
  } catch {
    shown = "";
    panel.hidden = true; // a path that is still being typed: its field says what is wrong
  }
}

function draw(about) {
  const parts = [];
  if (about.has_picture) {
    const picture = document.createElement("img");
    picture.className = "input-picture";
    picture.alt = `Middle of ${about.name}`;
    picture.src = `/files/thumbnail?size=640&file=${encodeURIComponent(about.path)}`;
    picture.addEventListener("error", () => picture.remove());
    parts.push(picture);
  }
  const name = document.createElement("strong");
  name.textContent = about.name;
  const list = document.createElement("ul");
  list.className = "input-lines";
  for (const text of about.lines.slice(0, 8)) {
    const line = document.createElement("li");
    line.textContent = text;
    list.append(line);
  }
  parts.push(name, list);
  if (about.problem) {
    const line = document.createElement("p");
    line.className = "warning-line";
    line.textContent = about.problem;
    parts.push(line);
  }
  body.replaceChildren(...parts);
  panel.hidden = !about.lines.length && !about.problem;
}
