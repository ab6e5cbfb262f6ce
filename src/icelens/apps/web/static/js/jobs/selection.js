// Which jobs of a list are selected, by checkbox, with Shift, and by the keys j, k, x and Enter.
import { actOnAll } from "./actions.js";

export class Selection {
  /** Begin on a list; `onChange` hears of every change. */
  constructor(list, onChange) {
    this.list = list;
    this.numbers = new Set();
    this.last = null;
    this.onChange = onChange;
    list.addEventListener("click", (event) => this.onClick(event));
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  items() {
    return [...this.list.querySelectorAll("[data-number]:is(article, tr)")];
  }

  onClick(event) {
    const box = event.target.closest("[data-select]");
    if (event.target.id === "select-all") this.setMany(this.items(), event.target.checked);
    else if (box) this.toggle(box.closest(":is(article, tr)"), event.shiftKey, box.checked);
  }

  toggle(item, isRange, isOn = !this.numbers.has(Number(item.dataset.number))) {
    const items = this.items();
    const from = items.findIndex((each) => each.dataset.number === this.last);
    const to = items.indexOf(item);
    const chosen = isRange && from >= 0 ? items.slice(Math.min(from, to), Math.max(from, to) + 1) : [item];
    this.last = item.dataset.number;
    this.setMany(chosen, isOn);
  }

  setMany(items, isOn) {
    for (const item of items) {
      if (isOn) this.numbers.add(Number(item.dataset.number));
      else this.numbers.delete(Number(item.dataset.number));
    }
    this.show();
  }

  clear() {
    this.numbers.clear();
    this.show();
  }

  /** Bring checkboxes to the truth, after a change of the selection or of the list. */
  show() {
    const items = this.items();
    for (const item of items) {
      const isOn = this.numbers.has(Number(item.dataset.number));
      item.classList.toggle("selected", isOn);
      item.querySelector("[data-select]").checked = isOn;
    }
    const all = document.getElementById("select-all");
    if (all) all.checked = items.length > 0 && items.every((item) => this.numbers.has(Number(item.dataset.number)));
    this.onChange(this.numbers);
  }

  /** Selected jobs that are on the page and in one of some states. */
  inStates(states) {
    const items = this.items().filter((item) => this.numbers.has(Number(item.dataset.number)));
    return items.filter((item) => !states.length || states.includes(item.dataset.state)).map((item) => Number(item.dataset.number));
  }

  onKey(event) {
    if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = document.activeElement?.closest("#job-list :is(article, tr)");
    if (event.key === "j" || event.key === "k") this.move(here, event.key === "j" ? 1 : -1);
    else if (event.key.toLowerCase() === "x" && here) this.toggle(here, event.shiftKey);
    else if (event.key === "Enter" && here === document.activeElement) location.assign(`/jobs/${here.dataset.number}`);
    else if (event.key === "Escape" && this.numbers.size) this.clear();
  }

  move(here, step) {
    const items = this.items();
    const next = here ? items[items.indexOf(here) + step] : items[0];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
}

/** Connect the bar of actions to a selection. */
export function actionBar(bar, selection, afterwards) {
  bar.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.id === "select-none") selection.clear();
    if (button.id === "compare") location.assign(`/compare?jobs=${[...selection.numbers].sort((a, b) => a - b).join(",")}`);
    if (!button.dataset.each) return;
    const states = (button.dataset.states ?? "").split(" ").filter(Boolean);
    button.disabled = true;
    const worked = await actOnAll(selection.inStates(states), button.dataset.each);
    button.disabled = false;
    if (["remove", "restore"].includes(button.dataset.each)) worked.forEach((number) => selection.numbers.delete(number));
    afterwards();
  });
  return () => showBar(bar, selection);
}

function showBar(bar, selection) {
  const count = selection.numbers.size;
  bar.hidden = count === 0;
  bar.querySelector("#selected-count").textContent = `${count} selected`;
  for (const button of bar.querySelectorAll("[data-states]")) {
    button.hidden = selection.inStates(button.dataset.states.split(" ")).length === 0;
  }
  const compare = bar.querySelector("#compare");
  if (compare) compare.hidden = count < 2 || count > 8;
}
