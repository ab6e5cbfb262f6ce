// Results of earlier jobs as rows of the picker; those still to come say so.
import { getJson } from "../api.js";
import { element, row } from "./rows.js";

export async function resultRows(kinds, onChoose) {
  const { results } = await getJson(`/api/results?kind=${encodeURIComponent(kinds.join(","))}`);
  return results.map((result) => {
    const name = element("span", "name", `J${result.number} ${result.title}`);
    name.append(element("span", "path", result.path));
    const state = element("span", `state ${result.state}`, result.exists ? result.state : `${result.state}, will be written`);
    const made = row("result", "✶", [name, state]);
    made.addEventListener("click", () => onChoose(result.path));
    return made;
  });
}
