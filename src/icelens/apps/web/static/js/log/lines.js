// Lines of a log as elements.
const CONTINUED = 2;

/** An element for each line; a line without a level goes on from the one before. */
export function lineElements(lines, before = "") {
  let level = before;
  return lines.map((line) => {
    if (line.level || line.time) level = line.level;
    return lineElement(line, line.level || (line.time ? "" : continued(line, level)));
  });
}

/** The level that the last of some elements has. */
export function levelOf(element) {
  return element?.dataset.level ?? "";
}

/** Indented lines and tracebacks belong to what was said before them. */
function continued(line, level) {
  return level === "error" || line.text.startsWith(" ".repeat(CONTINUED)) ? level : "";
}

function lineElement(line, level) {
  const row = document.createElement("div");
  row.className = `line ${level}`;
  row.dataset.level = level;
  row.dataset.offset = line.offset;
  if (line.time) row.append(timeOf(line.time));
  if (level === "warning" || level === "error") row.append(part("level", level === "error" ? "error" : "warning"));
  row.append(part("text", line.text));
  if (line.cut) row.append(part("cut", `… ${line.cut} characters more`));
  return row;
}

function timeOf(text) {
  const moment = new Date(text);
  const time = document.createElement("time");
  time.dateTime = text;
  time.textContent = Number.isNaN(moment.getTime()) ? text : moment.toLocaleTimeString([], { hour12: false });
  time.title = Number.isNaN(moment.getTime()) ? text : moment.toLocaleString();
  return time;
}

function part(name, text) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}

/** Mark what was searched for, in each line of a list. */
export function mark(elements, wanted) {
  const low = wanted.toLowerCase();
  for (const element of elements) {
    const span = element.querySelector(".text");
    const text = span.textContent;
    const pieces = [];
    let from = 0;
    for (let at = text.toLowerCase().indexOf(low); low && at >= 0; at = text.toLowerCase().indexOf(low, from)) {
      const hit = document.createElement("mark");
      hit.textContent = text.slice(at, at + low.length);
      pieces.push(text.slice(from, at), hit);
      from = at + low.length;
    }
    if (pieces.length) span.replaceChildren(...pieces, text.slice(from));
  }
}
