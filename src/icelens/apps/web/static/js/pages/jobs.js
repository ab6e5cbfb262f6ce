// The page of all jobs: filters, board and table, selection, and what changes while one looks.
import { send } from "../api.js";
import { settled } from "../fragments.js";
import { act } from "../jobs/actions.js";
import { watchGlances } from "../jobs/glances.js";
import { renewAll, renewSome } from "../jobs/list.js";
import { Selection, actionBar } from "../jobs/selection.js";
import { onChange } from "../live.js";
import { attempt, toast } from "../toast.js";
import "../times.js";

const MOST_AT_ONCE = 60;
const list = document.getElementById("job-list");
const bar = document.getElementById("selection");
const filters = document.getElementById("filters");
const isReadOnly = document.documentElement.dataset.readOnly === "yes";
const changed = new Set();
let mustLookAtAll = false;

const selection = new Selection(list, () => showBar());
const showBar = isReadOnly ? () => {} : actionBar(bar, selection, () => renew(null));

/** The filter as the address has it; the view is that which is shown. */
function query() {
  const values = new URLSearchParams(location.search);
  if (!values.get("view")) values.set("view", list.dataset.view);
  return values.toString();
}

const refresh = settled(async () => {
  const numbers = [...changed];
  const isAll = mustLookAtAll || numbers.length > MOST_AT_ONCE;
  changed.clear();
  mustLookAtAll = false;
  if (isAll || !(await renewSome(list, numbers, query()))) await renewAll(list, query());
  selection.show();
  watchGlances(list);
}, 120);

function renew(numbers) {
  if (numbers === null) mustLookAtAll = true;
  else numbers.forEach((number) => changed.add(number));
  refresh();
}

onChange((message) => "jobs" in message && renew(message.jobs));

let typing = 0;
filters?.addEventListener("submit", (event) => event.preventDefault());
filters?.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const values = new URLSearchParams([...new FormData(filters)].filter(([, value]) => value !== ""));
    history.replaceState(null, "", `/jobs?${values}`);
    for (const link of document.querySelectorAll(".switch [data-view]")) {
      values.set("view", link.dataset.view);
      link.href = `/jobs?${values}`;
    }
    renew(null);
  }, 150);
});

for (const link of document.querySelectorAll(".switch [data-view]")) {
  link.addEventListener("click", () => {
    document.cookie = `icelens_view=${link.dataset.view}; path=/; SameSite=Strict; max-age=31536000`;
  });
}

list.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (button) {
    button.disabled = true;
    await act(Number(button.dataset.number), button.dataset.act);
    button.disabled = false;
    renew(null);
  }
});

const dialog = document.getElementById("confirm-empty");
document.getElementById("empty-trash")?.addEventListener("click", () => dialog.showModal());
dialog?.addEventListener("click", async (event) => {
  if (!event.target.matches("button")) return;
  dialog.close();
  if (event.target.value !== "yes") return;
  const answer = await attempt(() => send("DELETE", "/api/trash"));
  if (!answer) return;
  toast(`${answer.deleted} deleted`);
  location.assign("/jobs?trash=1");
});

selection.show();
watchGlances(list);
