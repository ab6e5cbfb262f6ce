// Keep a list of jobs true without losing scroll, focus or selection: only what changed is replaced.
import { fetchPiece } from "../fragments.js";
import { refreshTimes } from "../times.js";

const REST = ".column > h2, .column > .none, .column > p:last-child, .pages, thead";

/** Replace the cards of changed jobs; false if the whole list has to be looked at anew. */
export async function renewSome(list, numbers, query) {
  const shown = numbers.filter((number) => list.querySelector(`#job-${number}`));
  const piece = await fetchPiece(`/fragments/jobs/some?${query}&numbers=${numbers.join(",")}`);
  const fresh = new Map([...piece.querySelectorAll("[data-number]:is(article, tr)")].map((item) => [Number(item.dataset.number), item]));
  if (numbers.some((number) => fresh.has(number) !== shown.includes(number))) return false;
  for (const number of shown) {
    const [old, item] = [list.querySelector(`#job-${number}`), fresh.get(number)];
    if (old.dataset.column !== item.dataset.column || old.dataset.state !== item.dataset.state) return false;
    replaceItem(old, item);
  }
  refreshTimes(list);
  return true;
}

/** Bring the whole list to what the server says now, keeping the elements that did not change. */
export async function renewAll(list, query) {
  const fresh = (await fetchPiece(`/fragments/jobs?${query}`)).querySelector("#job-list");
  if (!fresh) return;
  const frames = (root) => [...root.querySelectorAll(".cards")].map((each) => each.dataset.column ?? each.parentElement.dataset.column).join();
  list.dataset.total = fresh.dataset.total;
  // a merge empties `fresh`: whether one will do has to be known before
  const isOther = frames(list) !== frames(fresh) || list.querySelectorAll(REST).length !== fresh.querySelectorAll(REST).length;
  if (isOther || frames(fresh) === "") {
    keepFocus(list, () => list.replaceChildren(...fresh.childNodes));
  } else {
    keepFocus(list, () => merge(list, fresh));
  }
  refreshTimes(list);
}

function merge(list, fresh) {
  const known = new Map([...list.querySelectorAll("[data-number]:is(article, tr)")].map((item) => [item.id, item]));
  const places = [...list.querySelectorAll(".cards")];
  [...fresh.querySelectorAll(".cards")].forEach((wanted, place) => {
    const here = places[place];
    [...wanted.children].forEach((item, index) => {
      const old = known.get(item.id);
      known.delete(item.id);
      const isSame = old && old.dataset.revision === item.dataset.revision && old.tagName === item.tagName;
      const next = isSame ? old : withGlance(old, item);
      if (here.children[index] !== next) here.insertBefore(next, here.children[index] ?? null);
      if (old && old !== next) old.remove();
    });
  });
  for (const gone of known.values()) gone.remove();
  const [olds, news] = [list.querySelectorAll(REST), fresh.querySelectorAll(REST)];
  olds.forEach((old, i) => old.isEqualNode(news[i]) || old.replaceWith(news[i]));
}

function replaceItem(old, item) {
  if (old.dataset.revision === item.dataset.revision) return;
  keepFocus(old.parentElement, () => old.replaceWith(withGlance(old, item)));
}

/** The picture and curve of the old card go over to the new one until they are asked for again. */
function withGlance(old, item) {
  const [before, after] = [old?.querySelector(".glance"), item.querySelector(".glance")];
  if (before && after) after.replaceChildren(...before.childNodes);
  const box = old?.querySelector("[data-select]");
  if (box?.checked) {
    item.querySelector("[data-select]").checked = true;
    item.classList.add("selected");
  }
  return item;
}

/** Give the focus back to the same place of the same job. */
function keepFocus(root, change) {
  const focused = root.contains(document.activeElement) ? document.activeElement : null;
  const item = focused?.closest("[data-number]:is(article, tr)");
  const number = item?.dataset.number;
  const part = !item || focused === item ? "" : focused.matches("a") ? "a" : "[data-select]";
  const top = document.scrollingElement.scrollTop;
  change();
  document.scrollingElement.scrollTop = top;
  if (!number || document.activeElement !== document.body) return;
  const again = document.getElementById(`job-${number}`);
  (part ? again?.querySelector(part) : again)?.focus({ preventScroll: true });
}
