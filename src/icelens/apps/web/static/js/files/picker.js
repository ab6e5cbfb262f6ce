// Choose a path in a dialog: results of earlier jobs, files below the roots, or typed.
import { Folder } from "./folder.js";
import { resultRows } from "./results.js";
import { element } from "./rows.js";

const NOT_FILES = ["hetero run", "picker", "pose model", "restorer", "folder"];

/**
 * Ask for a path; empty if the dialog is left.
 * kinds: results that fit; isFolder: folders may be chosen; mayBeNew: the name may not exist yet.
 */
export function pickFile({ title = "Choose", kinds = [], isFolder = false, mayBeNew = false, hint = "" } = {}) {
  return new Promise((resolve) => new Picker({ title, kinds, isFolder, mayBeNew, hint, resolve }));
}

class Picker {
  constructor(options) {
    this.options = options;
    this.takesFolder = options.isFolder || options.kinds.some((kind) => NOT_FILES.includes(kind) || kind === "project" || kind === "file");
    this.dialog = element("dialog", "picker");
    this.dialog.setAttribute("aria-label", options.title);
    this.list = element("div", "list");
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Files");
    this.where = element("div", "where");
    this.path = element("input");
    this.path.setAttribute("aria-label", "Path");
    this.path.placeholder = options.hint || "Path, from the project's folder or from the root";
    this.path.spellcheck = false;
    this.folder = new Folder(this.list, this.where, {
      kinds: options.kinds.filter((kind) => !NOT_FILES.includes(kind) && kind !== "file" && kind !== "project"),
      onPoint: (entry) => { if (entry && (!entry.is_folder || this.takesFolder)) this.path.value = entry.path; },
      onChoose: (entry) => this.done(entry.path),
    });
    this.build();
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.begin();
  }

  build() {
    const head = element("header");
    head.append(element("h2", "", this.options.title));
    this.tabs = element("span", "tabs");
    this.tabs.setAttribute("role", "tablist");
    for (const [name, label] of [["results", "Results"], ["files", "Files"]]) {
      const tab = element("button", "button small", label);
      tab.type = "button";
      tab.dataset.tab = name;
      tab.setAttribute("role", "tab");
      tab.addEventListener("click", () => this.show(name));
      this.tabs.append(tab);
    }
    head.append(this.tabs);
    const foot = element("footer");
    const choose = element("button", "button primary", "Choose");
    choose.type = "button";
    choose.addEventListener("click", () => this.path.value.trim() && this.done(this.path.value.trim()));
    const leave = element("button", "button", "Cancel");
    leave.type = "button";
    leave.addEventListener("click", () => this.done(""));
    this.path.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") choose.click();
      if (event.key === "Escape") this.done("");
    });
    foot.append(this.path, choose, leave);
    this.dialog.append(head, this.where, this.list, foot);
    this.dialog.addEventListener("cancel", (event) => { event.preventDefault(); this.done(""); });
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.done(""); });
    this.dialog.addEventListener("keydown", (event) => this.tab === "files" && this.folder.key(event));
    this.list.addEventListener("keydown", (event) => this.tab === "results" && arrows(event, this.list));
  }

  async begin() {
    const kinds = this.options.kinds.filter((kind) => kind !== "file" && kind !== "folder");
    this.rows = kinds.length && !this.options.mayBeNew ? await resultRows(kinds, (path) => this.done(path)).catch(() => []) : [];
    this.tabs.hidden = !this.rows.length;
    this.show(this.rows.length ? "results" : "files");
  }

  show(name) {
    this.tab = name;
    for (const tab of this.tabs.children) tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
    this.where.hidden = name === "results";
    if (name === "results") {
      this.list.replaceChildren(...this.rows);
      this.list.firstElementChild?.focus();
    } else {
      this.folder.open();
    }
  }

  done(path) {
    if (!this.dialog.open) return;
    this.dialog.close();
    this.dialog.remove();
    this.options.resolve(path);
  }
}

function arrows(event, list) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const rows = [...list.querySelectorAll("button")];
  rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(document.activeElement) + step))]?.focus();
}
