// The right column: time, memory and disk, beside what this machine has, and the command.
import { roughDuration, size } from "../quantities.js";

const body = document.getElementById("cost-body");
const command = document.getElementById("command");
const copyButton = document.getElementById("copy-command");

export function showCommand(text) {
  command.classList.toggle("muted", !text);
  command.textContent = text || "Shown when all that is needed is there.";
  copyButton.disabled = !text;
}

export function commandText() {
  return copyButton.disabled ? "" : command.textContent;
}

export function costWaits() {
  body.classList.add("stale");
}

export function costSays(text) {
  body.classList.remove("stale");
  body.replaceChildren(paragraph(text));
}

/** Show an estimate of the server. */
export function showCost(cost) {
  if (!cost.is_known) return costSays("No estimate: this job takes little time and memory.");
  const list = document.createElement("dl");
  list.className = "cost";
  add(list, "Time", cost.seconds ? `about ${roughDuration(cost.seconds)}` : "not known", "", false);
  if (cost.memory_bytes) add(list, "Memory", size(cost.memory_bytes), `of ${size(cost.machine_bytes)} here`, cost.memory_bytes > cost.machine_bytes);
  if (cost.disk_bytes) add(list, "Disk", size(cost.disk_bytes), `of ${size(cost.free_bytes)} free`, cost.disk_bytes > cost.free_bytes);
  const notes = document.createElement("ul");
  notes.className = "cost-notes";
  notes.append(...cost.notes.map((text) => item(text)));
  body.classList.remove("stale");
  body.replaceChildren(list, notes);
}

function add(list, name, value, of, isTooMuch) {
  const term = document.createElement("dt");
  term.textContent = name;
  const text = document.createElement("dd");
  text.append(value);
  if (of) {
    const more = document.createElement("span");
    more.className = "of";
    more.textContent = ` ${of}${isTooMuch ? ": not enough" : ""}`;
    text.append(more);
  }
  text.classList.toggle("too-much", isTooMuch);
  list.append(term, text);
}

function paragraph(text) {
  const made = document.createElement("p");
  made.className = "muted";
  made.textContent = text;
  return made;
}

function item(text) {
  const made = document.createElement("li");
  made.textContent = text;
  return made;
}
