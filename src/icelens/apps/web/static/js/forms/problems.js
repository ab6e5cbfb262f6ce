// Show what is wrong, each at its field and all in a list above; the first gets the focus.
import { controlOf } from "./fields.js";

export class Problems {
  constructor(form) {
    this.form = form;
    this.panel = document.getElementById("form-problems");
    form.addEventListener("input", (event) => this.clear(event.target.closest("[data-wrong]")));
  }

  place(name) {
    return this.form.querySelector(`[data-key="${CSS.escape(name)}"], [data-queue="${CSS.escape(name)}"]`);
  }

  clear(box) {
    if (!box) return;
    box.removeAttribute("data-wrong");
    box.querySelector(".problem").hidden = true;
    for (const input of box.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  }

  /** Show all; with `isLoud` also the list above, and move the focus to the first. */
  show(problems, { isLoud = true } = {}) {
    for (const box of this.form.querySelectorAll("[data-wrong]")) this.clear(box);
    this.panel.hidden = true;
    for (const { field, message } of problems) this.at(this.place(field), message);
    if (!isLoud || !problems.length) return;
    this.list(problems);
    const first = [...this.form.querySelectorAll("[data-wrong]")][0];
    if (first) focusOn(first);
    else this.panel.focus();
  }

  at(box, message) {
    if (!box) return;
    const line = box.querySelector(".problem");
    box.setAttribute("data-wrong", "");
    line.textContent = message;
    line.hidden = false;
    controlOf(box)?.setAttribute("aria-invalid", "true");
  }

  list(problems) {
    const title = document.createElement("h2");
    title.textContent = problems.length === 1 ? "One thing is missing or wrong" : `${problems.length} things are missing or wrong`;
    const list = document.createElement("ul");
    for (const { field, message } of problems) {
      const box = this.place(field);
      const item = document.createElement("li");
      if (box) {
        const link = document.createElement("a");
        link.href = "#";
        link.textContent = box.querySelector("label, legend")?.firstChild.textContent.trim() || field;
        link.addEventListener("click", (event) => { event.preventDefault(); focusOn(box); });
        item.append(link, `: ${message}`);
      } else {
        item.textContent = field ? `${field}: ${message}` : message;
      }
      list.append(item);
    }
    this.panel.replaceChildren(title, list);
    this.panel.hidden = false;
  }
}

/** Say beside fields what may be meant so. */
export function showWarnings(form, warnings) {
  for (const line of form.querySelectorAll(".warning")) line.hidden = true;
  for (const { field, message } of warnings) {
    const line = form.querySelector(`[data-key="${CSS.escape(field)}"] .warning`);
    if (!line) continue;
    line.textContent = line.hidden ? message : `${line.textContent}; ${message}`;
    line.hidden = false;
  }
}

function focusOn(box) {
  for (let each = box; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  box.scrollIntoView({ block: "center" });
  controlOf(box)?.focus({ preventScroll: true });
}
