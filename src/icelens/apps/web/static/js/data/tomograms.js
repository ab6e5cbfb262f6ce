// The table of a list of tomograms, edited in place: a cell is saved when it is left, with undo.
import { send } from "../api.js";
import { element } from "../files/rows.js";
import { pickFile } from "../files/picker.js";
import { count } from "../quantities.js";
import { attempt, toast } from "../toast.js";
import { factsOf, problemList, thumbnail } from "./parts.js";

const ORDER = ["pixel_size", "defocus", "tilt_min", "tilt_max", "num_subtomograms"];
const EMPTY = { num_subtomograms: "shared" };

export class TomogramTable {
  constructor(set, columns) {
    this.set = set;
    this.columns = columns;
    this.file = set.dataset.file;
    this.isFixed = document.documentElement.dataset.readOnly === "yes";
    this.done = [];
    this.table = element("table", "table tomogram-table");
    this.problems = element("div");
    this.undoButton = element("button", "button small", "Undo");
    this.undoButton.type = "button";
    this.undoButton.disabled = true;
    this.undoButton.addEventListener("click", () => this.undo());
    this.note = element("p", "table-note");
    const frame = element("div", "scroll");
    frame.append(this.table);
    set.querySelector(".set-body").replaceChildren(this.problems, frame, this.note);
    set.addEventListener("keydown", (event) => this.key(event));
  }

  show(answer) {
    this.answer = answer;
    const focused = document.activeElement?.closest?.(".cell")?.dataset;
    const head = this.table.createTHead();
    head.replaceChildren(this.headRow());
    const body = this.table.tBodies[0] ?? this.table.createTBody();
    body.replaceChildren(...answer.rows.map((row) => this.bodyRow(row)));
    this.set.querySelector(".set-facts").replaceChildren(...factsOf(answer));
    this.problems.replaceChildren(...problemList(answer.rows, (row, fix) => this.save(fix.column, { [row.index]: fix.value === null ? null : String(fix.value) })));
    this.note.replaceChildren(...(this.isFixed ? [] : [this.undoButton, element("span", "", "A cell is saved when you leave it. Alt+↓ fills a column down from the cell.")]), element("span", "", answer.note));
    if (focused) this.cell(focused.index, focused.column)?.focus();
    this.linkViews(answer);
  }

  linkViews(answer) {
    const first = answer.rows.find((row) => row.picture);
    const view = this.set.querySelector("[data-view]");
    view.hidden = !first;
    if (!first) return;
    const files = ["full", "even", "deconvolved", "denoised", "corrected"].map((name) => first.volumes[name]).filter(Boolean).slice(-4);
    view.href = `/view/slices?${files.map((file) => `file=${encodeURIComponent(file)}`).join("&")}`;
    const folder = first.picture.split("/").slice(0, -1).join("/") || ".";
    this.set.querySelector("[data-pick]").href = `/jobs/new?job=pick.segment&setting=project&input=${encodeURIComponent(folder)}`;
  }

  headRow() {
    const row = document.createElement("tr");
    const titles = ORDER.map((name) => [this.columns[name][0] + (this.columns[name][1] ? ` (${this.columns[name][1]})` : ""), "number"]);
    for (const [title, kind] of [["", ""], ["Tomogram", ""], ...titles, ["Mask", ""]]) {
      const cell = element("th", kind, title);
      cell.scope = "col";
      row.append(cell);
    }
    return row;
  }

  bodyRow(row) {
    const made = document.createElement("tr");
    const picture = element("td", "thumb-cell");
    picture.append(thumbnail(row));
    const name = element("td");
    name.append(element("span", "name", row.name));
    const shape = row.shape ? row.shape.map(count).join(" × ") : "";
    name.append(element("br"), element("span", "facts", [`#${row.index}`, shape, `${row.voltage} kV`].filter(Boolean).join(" · ")));
    made.append(picture, name, ...ORDER.map((column) => this.numberCell(row, column)), this.maskCell(row));
    return made;
  }

  numberCell(row, column) {
    const cell = element("td", "number");
    const input = this.input(row, column, this.columns[column][0]);
    input.classList.add("number");
    input.inputMode = "decimal";
    input.placeholder = EMPTY[column] ?? "";
    cell.append(input);
    return cell;
  }

  maskCell(row) {
    const cell = element("td");
    const line = element("span", "mask-cell");
    const input = this.input(row, "mask", "Mask");
    input.placeholder = "none";
    line.append(input);
    if (!this.isFixed) {
      const choose = element("button", "button quiet small", "Choose");
      choose.type = "button";
      choose.setAttribute("aria-label", `Choose the mask of ${row.name}`);
      choose.addEventListener("click", async () => {
        const path = await pickFile({ title: `Mask of ${row.name}`, kinds: ["volume"] });
        if (path) await this.save("mask", { [row.index]: path });
      });
      line.append(choose);
    }
    cell.append(line);
    return cell;
  }

  input(row, column, title) {
    const input = element("input", "cell");
    const value = row.cells[column];
    input.value = value === null ? "" : String(value);
    input.dataset.index = row.index;
    input.dataset.column = column;
    input.dataset.before = input.value;
    input.readOnly = this.isFixed;
    input.spellcheck = false;
    input.autocomplete = "off";
    input.setAttribute("aria-label", `${title} of ${row.name}`);
    input.classList.toggle("warned", row.problems.some((each) => each.field === column));
    input.addEventListener("change", () => this.changed(input));
    return input;
  }

  cell(index, column) {
    return this.table.querySelector(`.cell[data-index="${index}"][data-column="${column}"]`);
  }

  changed(input) {
    if (input.value.trim() === input.dataset.before) return;
    this.save(input.dataset.column, { [input.dataset.index]: input.value.trim() || null });
  }

  key(event) {
    const input = event.target.closest(".cell");
    if (!input) return;
    const step = { ArrowDown: 1, ArrowUp: -1, Enter: 1 }[event.key];
    if (event.key === "Escape") {
      input.value = input.dataset.before;
      input.removeAttribute("aria-invalid");
    } else if (event.key === "ArrowDown" && event.altKey) {
      event.preventDefault();
      this.fillDown(input);
    } else if (step) {
      event.preventDefault();
      const column = [...this.table.querySelectorAll(`.cell[data-column="${input.dataset.column}"]`)];
      column[column.indexOf(input) + step]?.focus();
    }
  }

  fillDown(input) {
    const column = [...this.table.querySelectorAll(`.cell[data-column="${input.dataset.column}"]`)];
    const below = column.slice(column.indexOf(input));
    this.save(input.dataset.column, Object.fromEntries(below.map((each) => [each.dataset.index, input.value.trim() || null])));
  }

  /** Save cells of a column; what they were is kept for undo. */
  async save(column, values, { isUndo = false } = {}) {
    const cells = Object.keys(values).map((index) => this.cell(index, column)).filter(Boolean);
    const before = Object.fromEntries(this.answer.rows.filter((row) => String(row.index) in values).map((row) => [row.index, row.cells[column] === null ? null : String(row.cells[column])]));
    for (const cell of cells) cell.classList.add("saving");
    try {
      this.show(await send("PATCH", "/api/data/tomograms", { file: this.file, column, values }));
      if (!isUndo) this.done.push({ column, values: before });
    } catch (error) {
      for (const cell of cells) {
        cell.classList.remove("saving");
        cell.setAttribute("aria-invalid", "true");
        cell.title = error.message;
      }
      toast(error.message, "failed");
      if (isUndo) this.done.push({ column, values });
    }
    this.undoButton.disabled = !this.done.length;
  }

  undo() {
    const last = this.done.pop();
    if (last) attempt(() => this.save(last.column, last.values, { isUndo: true }));
  }
}
