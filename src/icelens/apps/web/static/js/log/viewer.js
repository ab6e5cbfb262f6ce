// A log that shows its end, follows it as long as one looks there, and fetches what is above.
import { getJson } from "../api.js";
import { levelOf, lineElements, mark } from "./lines.js";

const LIMIT = 500;
const MOST = 4000;
const NEAR = 24;

export class LogViewer {
  constructor(root, number) {
    this.root = root;
    this.number = number;
    this.lines = root.querySelector("#log-lines");
    this.note = root.querySelector("#log-note");
    this.end = root.querySelector("#log-end");
    this.partial = document.createElement("div");
    this.partial.className = "line partial";
    this.stream = "log";
    this.mode = "tail";
    this.turn = 0;
    this.lines.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.end.addEventListener("click", () => this.begin());
    root.querySelector("#log-level").addEventListener("change", (event) => this.filter(event.target.value));
    for (const button of root.querySelectorAll("[data-stream]")) button.addEventListener("click", () => this.choose(button));
    const search = root.querySelector("#log-search");
    search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => (search.value.trim() ? this.search(search.value.trim()) : this.begin()), 250);
    });
  }

  url(values, place = "") {
    return `/api/jobs/${this.number}/log${place}?${new URLSearchParams({ stream: this.stream, ...values })}`;
  }

  choose(button) {
    this.stream = button.dataset.stream;
    for (const each of this.root.querySelectorAll("[data-stream]")) each.setAttribute("aria-pressed", String(each === button));
    this.root.querySelector("#log-file").href = this.url({}, "/file");
    this.root.querySelector("#log-search").value = "";
    return this.begin();
  }

  /** Only warnings and errors, or all; scrolling up goes on until there are some. */
  filter(level) {
    this.lines.dataset.least = level;
    this.scrollToEnd();
  }

  /** Show the end of the stream. */
  async begin() {
    this.turn += 1;
    this.mode = "tail";
    const piece = await this.ask(this.url({ limit: LIMIT }));
    if (piece) this.replace(piece);
  }

  replace(piece) {
    this.piece = { start: piece.start, end: piece.end, file: piece.file_id };
    this.lines.replaceChildren(...lineElements(piece.lines), this.partial);
    this.showPartial(piece.partial);
    this.lines.hidden = !piece.lines.length && !piece.partial;
    this.say(this.lines.hidden ? this.emptyNote() : "");
    this.end.hidden = true;
    this.scrollToEnd();
  }

  emptyNote() {
    return { log: "No log.", out: "Nothing was printed.", err: "Nothing went to standard error." }[this.stream];
  }

  /** Look whether lines were added. */
  async renew() {
    if (this.mode !== "tail" || !this.piece || this.isRenewing) return;
    this.isRenewing = true;
    const piece = await this.ask(this.url({ after: this.piece.end, file_id: this.piece.file, limit: LIMIT }));
    this.isRenewing = false;
    if (!piece || this.mode !== "tail") return;
    if (piece.is_reset) {
      if (piece.lines.length || piece.partial) this.replace(piece);
      return;
    }
    const isAtEnd = this.isAtEnd();
    const added = lineElements(piece.lines, levelOf(this.partial.previousElementSibling));
    this.partial.before(...added);
    this.showPartial(piece.partial);
    this.piece.end = piece.end;
    this.piece.file = piece.file_id;
    if (added.length || piece.partial) {
      this.lines.hidden = false;
      this.say("");
    }
    if (isAtEnd) {
      this.dropFirst();
      this.scrollToEnd();
    } else if (added.length) this.end.hidden = false;
  }

  /** Fetch what lies above, and keep what is read in its place. */
  async earlier() {
    if (this.isAsking || !this.piece?.start || this.mode === "search") return;
    this.isAsking = true;
    const piece = await this.ask(this.url({ before: this.piece.start, limit: LIMIT }));
    this.isAsking = false;
    if (!piece?.lines.length) return;
    const height = this.lines.scrollHeight - this.lines.scrollTop;
    this.lines.prepend(...lineElements(piece.lines));
    this.piece.start = piece.start;
    this.lines.scrollTop = this.lines.scrollHeight - height;
    if (this.lines.children.length > 4 * MOST) this.mode = "reading";
  }

  async search(wanted) {
    this.turn += 1;
    this.mode = "search";
    this.end.hidden = false;
    this.say("Searching");
    const found = await this.ask(this.url({ text: wanted }, "/search"));
    if (!found || this.mode !== "search") return;
    const elements = lineElements(found.lines);
    mark(elements, wanted);
    for (const element of elements) this.leadTo(element);
    this.lines.replaceChildren(...elements);
    this.lines.hidden = elements.length === 0;
    const count = `${found.is_more ? "the last " : ""}${elements.length} line${elements.length === 1 ? "" : "s"} found`;
    this.say(elements.length ? `${count}; open one to see it where it stands` : "Nothing found.");
    this.scrollToEnd();
  }

  leadTo(element) {
    element.tabIndex = 0;
    element.classList.add("hit");
    element.setAttribute("role", "button");
    const go = () => this.showAround(Number(element.dataset.offset));
    element.addEventListener("click", go);
    element.addEventListener("keydown", (event) => event.key === "Enter" && go());
  }

  /** Show a line with those around it. */
  async showAround(offset) {
    this.turn += 1;
    const piece = await this.ask(this.url({ around: offset }));
    if (!piece) return;
    this.mode = "reading";
    this.piece = { start: piece.start, end: piece.end, file: piece.file_id };
    this.lines.replaceChildren(...lineElements(piece.lines));
    const line = this.lines.querySelector(`[data-offset="${offset}"]`);
    line?.classList.add("found");
    line?.scrollIntoView({ block: "center" });
    this.end.hidden = false;
    this.say("");
  }

  /** What lies below, where one reads in the middle of a log. */
  async later() {
    if (this.isAsking || this.mode !== "reading") return;
    this.isAsking = true;
    const piece = await this.ask(this.url({ after: this.piece.end, file_id: this.piece.file, limit: LIMIT }));
    this.isAsking = false;
    if (!piece || piece.is_reset || this.mode !== "reading") return;
    this.lines.append(...lineElements(piece.lines, levelOf(this.lines.lastElementChild)));
    this.piece.end = piece.end;
  }

  onScroll() {
    if (this.lines.scrollTop < 200) this.earlier();
    if (this.isAtEnd()) {
      if (this.mode === "tail") this.end.hidden = true;
      else this.later();
    }
  }

  isAtEnd() {
    return this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < NEAR;
  }

  scrollToEnd() {
    this.lines.scrollTop = this.lines.scrollHeight;
  }

  /** While one follows the end, lines far above are let go; scrolling up fetches them again. */
  dropFirst() {
    const excess = this.lines.children.length - MOST;
    if (excess <= LIMIT) return;
    for (let i = 0; i < excess; i++) this.lines.firstElementChild.remove();
    this.piece.start = Number(this.lines.firstElementChild.dataset.offset);
  }

  showPartial(text) {
    this.partial.textContent = text;
    this.partial.hidden = !text;
  }

  say(text) {
    this.note.textContent = text;
  }

  /** An answer, unless something else is shown by the time it comes. */
  async ask(url) {
    const mine = this.turn;
    try {
      const answer = await getJson(url);
      return mine === this.turn ? answer : null;
    } catch (error) {
      if (mine === this.turn) this.say(error.message);
      return null;
    }
  }
}
