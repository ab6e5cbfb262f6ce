// Rows of the file picker: a sign for the kind, the name, size and age.
import { size } from "../quantities.js";

const SIGNS = { folder: "▸", volume: "◫", stack: "▤", star: "✶", particles: "✶", table: "▦", picture: "▣", checkpoint: "◈", settings: "≡" };

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** A row that can be pressed; it is pointed at by `aria-selected`. */
export function row(className, sign, parts) {
  const made = element("button", `row ${className}`.trim());
  made.type = "button";
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", "false");
  const mark = element("span", "muted", sign);
  mark.setAttribute("aria-hidden", "true");
  made.append(mark, ...parts);
  return made;
}

export function fileRow(entry) {
  const name = element("span", "name", entry.is_folder ? `${entry.name}/` : entry.name);
  if (entry.target) name.append(element("span", "path", entry.is_outside ? "link to outside the folders shown" : `link to ${entry.target}`));
  const bytes = element("span", "number", entry.is_folder || !entry.size ? "" : size(entry.size));
  const when = element("span", "number when", entry.modified ? date(entry.modified) : "");
  const made = row("", SIGNS[entry.kind] ?? "·", [name, bytes, when]);
  if (entry.is_outside) made.setAttribute("aria-disabled", "true");
  return made;
}

function date(text) {
  const then = new Date(text);
  const isToday = then.toDateString() === new Date().toDateString();
  return isToday ? then.toTimeString().slice(0, 5) : text.slice(0, 10);
}
