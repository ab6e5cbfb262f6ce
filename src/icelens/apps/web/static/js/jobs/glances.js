// Pictures and small curves of the cards that are on the screen, asked for together.
import { getJson } from "../api.js";
import { sparkline } from "../plots/sparkline.js";

const MOST = 40;
const waiting = new Map();
let timer = 0;

const observer = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) want(entry.target);
}, { rootMargin: "200px" });

/** Fill the places for pictures below an element as they come into sight. */
export function watchGlances(root) {
  for (const place of root.querySelectorAll(".glance")) {
    if (place.dataset.shown === place.dataset.revision) continue;
    observer.unobserve(place);
    observer.observe(place);
  }
}

function want(place) {
  observer.unobserve(place);
  if (place.dataset.shown === place.dataset.revision) return;
  waiting.set(place.dataset.glance, place);
  clearTimeout(timer);
  timer = setTimeout(ask, 60);
}

async function ask() {
  const places = [...waiting.entries()].slice(0, MOST);
  places.forEach(([number]) => waiting.delete(number));
  if (waiting.size) timer = setTimeout(ask, 60);
  let glances = {};
  try {
    ({ glances } = await getJson(`/api/glances?numbers=${places.map(([number]) => number).join(",")}`));
  } catch {
    return; // they are asked for again with the next change
  }
  for (const [number, place] of places) {
    place.dataset.shown = place.dataset.revision;
    if (glances[number]) fill(place, glances[number], number);
  }
}

function fill(place, glance, number) {
  const parts = [];
  if (glance.values.some((value) => value !== null)) {
    const curve = place.querySelector(".spark") ?? document.createElement("a");
    curve.className = "spark";
    curve.href = `/jobs/${number}#curves`;
    curve.tabIndex = -1;
    sparkline(curve, glance.values, glance.curve);
    parts.push(curve);
  }
  if (glance.picture) parts.push(picture(place, glance, number));
  place.replaceChildren(...parts);
}

function picture(place, glance, number) {
  const old = place.querySelector("img");
  if (old?.getAttribute("src") === glance.picture) return old.parentElement;
  const link = document.createElement("a");
  link.href = `/jobs/${number}`;
  link.tabIndex = -1;
  const image = new Image();
  image.alt = glance.alt;
  image.loading = "lazy";
  image.addEventListener("error", () => link.remove());
  image.src = glance.picture;
  link.append(image);
  return link;
}
