// A folder in the picker: open, point by arrows, filter by typing, go up by Backspace.
import { getJson } from "../api.js";
import { element, fileRow } from "./rows.js";

const REMEMBERED = "icelens-last-folder";

export class Folder {
  constructor(list, where, { kinds, onPoint, onChoose }) {
    Object.assign(this, { list, where, kinds, onPoint, onChoose });
    this.entries = [];
    this.rows = [];
    this.pointed = -1;
    this.filter = element("input");
    this.filter.type = "search";
    this.filter.placeholder = "Type to filter";
    this.filter.setAttribute("aria-label", "Filter");
    this.filter.addEventListener("input", () => this.draw());
  }

  async open(folder = localStorage.getItem(REMEMBERED) ?? "") {
    const query = (place) => getJson(`/api/files?folder=${encodeURIComponent(place)}&kind=${encodeURIComponent(this.kinds.join(","))}`);
    let answer;
    try {
      answer = await query(folder);
    } catch (error) {
      if (!folder) return this.say(error.message);
      answer = await query("").catch((other) => this.say(other.message));
      if (!answer) return undefined;
      if (this.entries.length) return this.say(error.message);
    }
    this.listing = answer.listing;
    this.entries = answer.listing.entries;
    localStorage.setItem(REMEMBERED, answer.listing.folder);
    this.filter.value = "";
    this.drawCrumbs(answer);
    this.draw();
    this.filter.focus();
    return undefined;
  }

  say(text) {
    this.list.replaceChildren(element("p", "note", text));
  }

  drawCrumbs({ listing, roots }) {
    const crumbs = element("nav", "crumbs");
    crumbs.setAttribute("aria-label", "Folder");
    const steps = listing.parents.map(([name, path]) => this.crumb(name, path));
    crumbs.append(...steps.flatMap((step, index) => (index ? [element("span", "muted", "/"), step] : [step])));
    const others = roots.filter(([, path]) => path !== listing.parents[0]?.[1]);
    if (others.length) crumbs.append(element("span", "muted", " · also "), ...others.map(([name, path]) => this.crumb(name, path)));
    this.where.replaceChildren(crumbs, this.filter);
  }

  crumb(name, path) {
    const made = element("button", "", name);
    made.type = "button";
    made.title = path;
    made.addEventListener("click", () => this.open(path));
    return made;
  }

  draw() {
    const text = this.filter.value.toLowerCase();
    const shown = this.entries.filter((entry) => entry.name.toLowerCase().includes(text));
    this.rows = shown.map((entry) => {
      const made = fileRow(entry);
      made.tabIndex = -1;
      made.addEventListener("click", () => this.point(this.rows.findIndex(([each]) => each === made), { isClick: true }));
      made.addEventListener("dblclick", () => this.take(entry));
      return [made, entry];
    });
    this.list.replaceChildren(...this.rows.map(([made]) => made));
    if (!shown.length) this.say(this.entries.length ? "Nothing here has this in its name." : "Nothing here that fits.");
    if (this.listing.note) this.list.append(element("p", "note", this.listing.note));
    this.point(text && shown.length ? 0 : -1);
  }

  point(index, { isClick = false } = {}) {
    this.rows[this.pointed]?.[0].setAttribute("aria-selected", "false");
    this.pointed = Math.max(-1, Math.min(this.rows.length - 1, index));
    const [made, entry] = this.rows[this.pointed] ?? [];
    made?.setAttribute("aria-selected", "true");
    made?.scrollIntoView({ block: "nearest" });
    this.onPoint(entry);
    if (isClick && entry?.is_folder) this.open(entry.path);
  }

  take(entry) {
    if (!entry || entry.is_outside) return;
    if (entry.is_folder) this.open(entry.path);
    else this.onChoose(entry);
  }

  key(event) {
    const isFiltering = event.target === this.filter;
    if (event.key === "ArrowDown") this.point(this.pointed + 1);
    else if (event.key === "ArrowUp") this.point(this.pointed - 1);
    else if (event.key === "Enter" && (isFiltering || event.target.closest(".list"))) this.take(this.rows[this.pointed]?.[1]);
    else if (event.key === "Backspace" && !(isFiltering && this.filter.value)) this.open(this.listing.parents.at(-2)?.[1] ?? this.listing.folder);
    else return;
    event.preventDefault();
  }
}
