// The list of classes: shown or not, threshold, counts, and which one new picks belong to.

import { styleOf } from "./colours.js";

const STEPS = 200;

/** Fill the list; `onChange()` is called when visibility, threshold or the class to add changes. */
export function listClasses(list, picks, { active, onChange, onActive }) {
  const rows = picks.classes.map((each, kind) => classRow(picks, each, kind, { active, onChange, onActive }));
  list.replaceChildren(...rows.map(({ item }) => item));
  const refresh = () => {
    const counts = picks.counts();
    rows.forEach(({ count, value }, kind) => {
      const { all, kept } = counts[kind];
      count.textContent = kept === all ? `${all}` : `${kept} of ${all}`;
      const { leastScore } = picks.classes[kind];
      value.textContent = Number.isFinite(leastScore) ? `score ≥ ${Number(leastScore.toPrecision(3))}` : "all scores";
    });
  };
  refresh();
  return refresh;
}

function classRow(picks, each, kind, { active, onChange, onActive }) {
  const item = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.className = "picks-swatch";
  swatch.style.borderColor = styleOf(kind).colour;
  swatch.style.borderStyle = styleOf(kind).dash.length ? "dashed" : "solid";

  const box = input("checkbox", `Show ${each.name}`);
  box.checked = each.isVisible;
  box.addEventListener("change", () => {
    each.isVisible = box.checked;
    onChange();
  });

  const choice = input("radio", `New picks are ${each.name}`);
  choice.name = "class-to-add";
  choice.checked = kind === active;
  choice.addEventListener("change", () => onActive(kind));

  const name = document.createElement("span");
  name.className = "picks-class";
  name.textContent = each.name;
  name.title = each.radius ? `${each.name}, diameter ${2 * each.radius} Å` : each.name;
  const count = document.createElement("output");
  count.className = "number muted";

  const range = picks.scoreRange(kind);
  const slider = input("range", `Least score of ${each.name}`);
  slider.min = 0;
  slider.max = STEPS;
  slider.value = Number.isFinite(each.leastScore) && range.high > range.low
    ? Math.round((STEPS * (each.leastScore - range.low)) / (range.high - range.low)) : 0;
  slider.disabled = !(range.high > range.low);
  slider.addEventListener("input", () => {
    const share = Number(slider.value) / STEPS;
    each.leastScore = share === 0 ? -Infinity : range.low + share * (range.high - range.low);
    onChange();
  });
  const value = document.createElement("output");
  value.className = "muted";

  const head = document.createElement("div");
  head.className = "picks-head";
  head.append(box, swatch, name, count, choice);
  const foot = document.createElement("div");
  foot.className = "picks-foot";
  foot.append(slider, value);
  item.append(head, foot);
  return { item, count, value };
}

function input(type, label) {
  const made = document.createElement("input");
  made.type = type;
  made.setAttribute("aria-label", label);
  made.title = label;
  return made;
}
