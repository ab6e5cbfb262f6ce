// Fields that say what is shown: run, tomogram, picks and reference of a project, or two files.

import { addressOf } from "./source.js";

/** Go to other picks; the page is loaded anew, and asks before it drops unsaved edits. */
function go(wishes) {
  location.assign(addressOf(wishes));
}

/** Fill the choices within a project. */
export function bindProject(root, { wishes, facts, here }) {
  const box = root.querySelector("[data-picks=project]");
  box.hidden = false;
  box.querySelector("[data-picks=project-name]").textContent = facts.name;
  const sources = here.sources.map((each) => [each.source, `${each.source} (${each.objects.join(", ")})`]);
  fill(box, "run", facts.runs.map((run) => [run, run]), wishes.run);
  fill(box, "tomogram", here.tomograms.map((each) => [each.name, `${each.name} Å`]), wishes.tomogram);
  fill(box, "source", [["", "none: begin with no picks"], ...sources], wishes.source);
  fill(box, "reference", [["", "none"], ...sources], wishes.reference);
  box.querySelector("[name=run]").addEventListener("change", (event) => {
    go({ project: wishes.project, run: event.target.value, source: wishes.source, tomogram: wishes.tomogram, reference: wishes.reference });
  });
  for (const name of ["tomogram", "source", "reference"]) {
    box.querySelector(`[name=${name}]`).addEventListener("change", (event) => {
      go({ ...wishes, volume: "", [name]: event.target.value, isEmpty: name === "source" && !event.target.value ? "yes" : "" });
    });
  }
}

function fill(box, name, choices, chosen) {
  const select = box.querySelector(`[name=${name}]`);
  select.replaceChildren(...choices.map(([value, text]) => {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = text;
    option.selected = value === chosen;
    return option;
  }));
}

/** The forms that open a project, or a file over a tomogram. */
export function bindOpening(root) {
  for (const form of root.querySelectorAll("[data-picks=open]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      go(Object.fromEntries(new FormData(form)));
    });
  }
}
