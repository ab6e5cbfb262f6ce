// The fields of a job's form: what was typed, what differs from the usual, and back again.
const DEFAULT_WIDGETS = ["switch", "choice"];

export class Fields {
  constructor(form) {
    this.form = form;
    this.boxes = [...form.querySelectorAll("[data-key]")];
    for (const box of this.boxes) {
      if (box.dataset.widget === "paths") {
        for (const value of JSON.parse(box.querySelector(".paths").dataset.values)) addPath(box, value);
        if (!pathsOf(box).length) addPath(box, "");
        box.querySelector("[data-add]").addEventListener("click", () => addPath(box, "").focus());
      }
      box.querySelector("[data-reset]").addEventListener("click", () => { this.setOne(box, null); this.tell(box); });
    }
    form.addEventListener("input", (event) => this.heard(event));
    form.addEventListener("change", (event) => this.heard(event));
    this.mark();
  }

  heard(event) {
    const box = event.target.closest("[data-key]");
    if (box) this.mark([box]);
  }

  tell(box) {
    this.mark([box]);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  box(key) {
    return this.boxes.find((box) => box.dataset.key === key);
  }

  /** Text or list of a field; empty where the usual value counts. */
  value(box) {
    const kind = box.dataset.widget;
    if (kind === "paths") return pathsOf(box).map((input) => input.value.trim()).filter(Boolean);
    const control = controlOf(box);
    const text = kind === "switch" ? String(control.checked) : control.value.trim();
    return DEFAULT_WIDGETS.includes(kind) && text === box.dataset.default ? "" : text;
  }

  /** What was given, by key. */
  values() {
    const given = {};
    for (const box of this.boxes) {
      const value = this.value(box);
      if (value.length) given[box.dataset.key] = value;
    }
    return given;
  }

  setOne(box, value) {
    const kind = box.dataset.widget;
    if (kind === "paths") {
      const list = value === null ? [] : [value].flat();
      box.querySelector(".paths").replaceChildren();
      for (const each of list.length ? list : [""]) addPath(box, each);
      return;
    }
    const text = value === null ? "" : [value].flat().join(",");
    const control = controlOf(box);
    if (kind === "switch") control.checked = (text || box.dataset.default) === "true";
    else if (kind === "choice") control.value = text || box.dataset.default;
    else control.value = text;
  }

  /** Show values; fields that are not named keep theirs unless `isWhole`. */
  set(values, { isWhole = false } = {}) {
    for (const box of this.boxes) {
      const value = values[box.dataset.key];
      if (value !== undefined) this.setOne(box, value);
      else if (isWhole) this.setOne(box, null);
    }
    this.mark();
    this.form.dispatchEvent(new Event("input", { bubbles: true }));
  }

  mark(boxes = this.boxes) {
    for (const box of boxes) {
      const changed = this.value(box).length > 0;
      box.toggleAttribute("data-changed", changed);
      box.querySelector("[data-reset]").hidden = !changed || box.hasAttribute("data-needed");
    }
    const expert = this.form.querySelector(".expert");
    if (!expert) return;
    const found = [...expert.querySelectorAll("[data-changed]")];
    expert.querySelector("#expert-count").textContent = found.length ? `· ${found.length} changed` : "";
    expert.querySelector("#expert-changed").replaceChildren(...found.map((box) => chip(`${box.dataset.label}: ${[this.value(box)].flat().join(", ")}`)));
  }
}

export function controlOf(box) {
  return box.querySelector("input:not([type=button]), select, textarea");
}

function pathsOf(box) {
  return [...box.querySelectorAll(".paths input")];
}

/** Add a line to a list of paths; the first empty one is used before a new one is made. */
export function addPath(box, value) {
  const empty = pathsOf(box).find((input) => !input.value);
  if (empty) {
    empty.value = value;
    return empty;
  }
  const line = document.createElement("span");
  line.className = "line";
  const input = document.createElement("input");
  input.className = "path-input";
  input.value = value;
  input.spellcheck = false;
  input.autocomplete = "off";
  const place = pathsOf(box).length + 1;
  input.setAttribute("aria-label", place > 1 ? `${box.dataset.label} ${place}` : box.dataset.label);
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "button quiet small";
  remove.textContent = "Remove";
  remove.addEventListener("click", () => {
    if (pathsOf(box).length > 1) line.remove();
    else input.value = "";
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  line.append(input, remove);
  box.querySelector(".paths").append(line);
  return input;
}

function chip(text) {
  const made = document.createElement("span");
  made.className = "chip";
  made.textContent = text;
  return made;
}
