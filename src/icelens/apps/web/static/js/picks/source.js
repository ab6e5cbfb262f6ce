// What is shown: a session of a project, or a file, as the address of the page says.

import { getBinary, getJson } from "../api.js";
import { Picks } from "./picks.js";

/** The wishes in the address of the page. */
export function wishesOf(search) {
  const query = new URLSearchParams(search);
  const get = (name) => query.get(name) ?? "";
  return {
    project: get("project"), run: get("run"), tomogram: get("tomogram"), source: get("source"),
    reference: get("reference"), picks: get("picks"), volume: get("volume"), isEmpty: get("isEmpty"),
  };
}

/** The address of a page with those wishes. */
export function addressOf(wishes) {
  const given = Object.entries(wishes).filter(([, value]) => value);
  return `${location.pathname}?${new URLSearchParams(given)}`;
}

/** Everything that a project offers, and the choice made where the address makes none. */
export async function chooseInProject(wishes) {
  const { project } = wishes;
  const facts = await getJson(`/api/picks/project?${new URLSearchParams({ project })}`);
  const run = wishes.run || facts.runs[0];
  if (!run) throw new Error(`${project}: holds no run; import tomograms first`);
  const here = await getJson(`/api/picks/run?${new URLSearchParams({ project, run })}`);
  const tomogram = here.tomograms.find((each) => each.name === wishes.tomogram) ?? here.tomograms[0];
  if (!tomogram) throw new Error(`${project}: run ${run} has no tomogram on this machine`);
  const source = wishes.source || (wishes.isEmpty ? "" : (here.sources[0]?.source ?? ""));
  const made = { ...wishes, run, tomogram: tomogram.name, source, volume: tomogram.file };
  return { wishes: made, facts, here };
}

/** The picks of a session; without a source, an empty list with the project's objects. */
export async function loadSession({ project, run }, source) {
  return unpacked(await getBinary(`/api/picks/session?${new URLSearchParams({ project, run, source })}`));
}

/** The picks of a file that lie in a tomogram. */
export async function loadFile({ picks, volume, tomogram }) {
  const query = new URLSearchParams({ picks, volume });
  if (tomogram) query.set("tomogram", tomogram);
  return unpacked(await getBinary(`/api/picks/file?${query}`));
}

function unpacked({ headers, buffer }) {
  const data = JSON.parse(headers.get("X-Shape"));
  const picks = new Picks(data, new Float32Array(buffer));
  picks.tomograms = data.tomograms ?? [];
  return picks;
}

/** A session number that nobody of that name has used in the run. */
export function freeSession(sources, user) {
  const used = sources.map((each) => each.source.split(",")).filter(([name]) => name === user);
  const numbers = used.map(([, session]) => Number(session)).filter(Number.isFinite);
  return String(Math.max(0, ...numbers) + 1);
}
