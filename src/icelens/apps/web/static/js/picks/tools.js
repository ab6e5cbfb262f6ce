// Buttons and keys of picks: what a click does, next and previous, undo, colour and size.

import { AXES, voxelAt } from "../slices/geometry.js";
import { remember, remembered } from "../slices/memory.js";
import { scoreColour } from "./colours.js";

/** Bind the tools; returns keys for the viewer and `describe`, which says what is chosen. */
export function bindTools(root, { viewer, overlay, tool, state, isReadOnly, show }) {
  const find = (name) => root.querySelector(`[data-picks="${name}"]`);
  const modes = [...root.querySelectorAll("[data-pick-mode]")];

  function setMode(mode) {
    if (isReadOnly && mode !== "select") return;
    tool.mode = mode;
    for (const button of modes) button.setAttribute("aria-pressed", String(button.dataset.pickMode === mode));
    describe();
  }

  function describe() {
    find("chosen").textContent = sentence();
  }

  function sentence() {
    const row = overlay.selected;
    const { picks } = state;
    const header = viewer.volumes[0]?.header;
    if (picks && header && row !== null && !picks.isDeleted[row]) {
      const place = picks.positionOf(row);
      const words = AXES.toReversed().map((axis) => `${axis} ${voxelAt(header, axis, place[axis])}`);
      const score = row < picks.numBase ? `, score ${Number(picks.score[row].toPrecision(3))}` : ", added here";
      return `${picks.classes[picks.kind[row]].name}, ${words.join(" ")}${score}`;
    }
    if (isReadOnly) return "This workbench is for looking only: picks cannot be edited.";
    return {
      select: "Click a pick to choose it, drag it to move it.",
      add: "Click where a particle is; the marked class is given to it.",
      delete: "Click a pick to delete it.",
    }[tool.mode];
  }

  /** The next shown pick through the volume; the view goes there. */
  function walk(step) {
    const rows = state.picks.shownRows();
    if (!rows.length) return;
    const here = rows.indexOf(overlay.selected);
    const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : (here + step + rows.length) % rows.length;
    tool.select(rows[next]);
    const place = state.picks.positionOf(rows[next]);
    viewer.view.centre = { ...place };
    viewer.moveTo(place);
  }

  const undo = () => state.history.undo();
  const redo = () => state.history.redo();
  const remove = () => tool.remove(overlay.selected);
  for (const button of modes) {
    button.addEventListener("click", () => setMode(button.dataset.pickMode));
    button.disabled = isReadOnly && button.dataset.pickMode !== "select";
  }
  find("save").disabled = isReadOnly;
  find("previous").addEventListener("click", () => walk(-1));
  find("next").addEventListener("click", () => walk(1));
  find("undo").addEventListener("click", undo);
  find("redo").addEventListener("click", redo);

  const colour = find("colour");
  colour.addEventListener("change", () => {
    overlay.colourBy = colour.value;
    const { low, high } = overlay.range;
    find("ramp").hidden = colour.value !== "score";
    find("ramp").replaceChildren(...rampOf(low, high));
    show();
  });
  const diameter = find("diameter");
  diameter.value = remembered("diameter", 200);
  overlay.radius = diameter.value / 2;
  diameter.addEventListener("input", () => {
    const value = Number(diameter.value);
    if (!(value >= 1 && value <= 20000)) return;
    overlay.radius = value / 2;
    remember("diameter", value);
    show();
  });
  setMode("select");

  const needsPicks = (action) => () => state.picks && action();
  const keys = {
    n: () => walk(1), b: () => walk(-1),
    v: () => setMode("select"), a: () => setMode("add"), x: () => setMode("delete"),
    Delete: remove, Backspace: remove, Escape: () => tool.select(null),
    "ctrl+z": undo, "ctrl+y": redo, "ctrl+shift+z": redo, "ctrl+Z": redo,
  };
  return {
    describe,
    keys: Object.fromEntries(Object.entries(keys).map(([key, action]) => [key, needsPicks(action)])),
    showDiameter: () => {
      find("diameter-row").hidden = state.picks.classes.every((each) => each.radius);
    },
  };
}

function rampOf(low, high) {
  const word = (text) => document.createTextNode(text);
  const steps = Array.from({ length: 6 }, (_, place) => {
    const mark = document.createElement("span");
    mark.textContent = "●";
    mark.style.color = scoreColour(place / 5, 0, 1);
    return mark;
  });
  return [word(`${Number(low.toPrecision(2))} `), ...steps, word(` ${Number(high.toPrecision(2))}`)];
}
