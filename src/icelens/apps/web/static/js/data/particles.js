// What a particle file holds: counts, optics groups, half sets, and what is wrong.
import { element } from "../files/rows.js";
import { count, digits } from "../quantities.js";

export function showParticles(set, answer) {
  const { images, particles, groups, has_poses: hasPoses, halves, problems } = answer;
  const boxes = [...new Set(groups.map((group) => group.box))];
  const pixels = [...new Set(groups.map((group) => digits(group.pixel_size)))];
  const texts = [
    images === particles ? `${count(images)} particles` : `${count(particles)} particles, ${count(images)} images`,
    boxes.length ? `${boxes.join(", ")} px` : "",
    pixels.length ? `${pixels.join(", ")} Å/px` : "",
    hasPoses ? "with poses" : "without poses",
    halves.some(Boolean) ? `halves ${halves.map(count).join(" + ")}` : "no half sets",
    problems.length ? `⚠ ${problems.length} ${problems.length === 1 ? "problem" : "problems"}` : "",
  ];
  set.querySelector(".set-facts").replaceChildren(...texts.filter(Boolean).map((text) => element("span", "chip", text)));
  set.querySelector(".set-body").replaceChildren(...problemLines(problems), facts(set, answer));
}

function problemLines(problems) {
  if (!problems.length) return [];
  const list = element("ul", "problems");
  for (const text of problems) {
    const item = element("li");
    item.append(element("span", "", text));
    list.append(item);
  }
  return [list];
}

function facts(set, { groups, stacks, stack }) {
  const box = element("div", "particle-facts");
  if (stack) {
    const picture = element("img", "particle-picture");
    picture.alt = "First image";
    picture.loading = "lazy";
    picture.src = `/files/thumbnail?size=256&file=${encodeURIComponent(stack)}`;
    picture.addEventListener("error", () => picture.remove());
    box.append(picture);
  }
  const frame = element("div", "scroll");
  const table = element("table", "table");
  const head = table.createTHead().insertRow();
  for (const [title, kind] of [["Optics group", ""], ["Images", "number"], ["Box (px)", "number"], ["Pixel size (Å)", "number"], ["Voltage (kV)", "number"], ["Defocus (µm)", "number"]]) {
    const cell = element("th", kind, title);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const group of groups) {
    const row = body.insertRow();
    row.insertCell().textContent = group.name;
    const defocus = group.defocus ? group.defocus.map((value) => digits(value / 1e4)).join(" to ") : "no CTF";
    for (const text of [count(group.images), group.box, digits(group.pixel_size), group.voltage, defocus]) {
      const cell = row.insertCell();
      cell.className = "number";
      cell.textContent = text;
    }
  }
  frame.append(table, element("p", "table-note", `${count(stacks)} ${stacks === 1 ? "stack" : "stacks"} of images`));
  box.append(frame);
  return box;
}
