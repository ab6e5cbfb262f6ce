// The start page: the demo at one click, and what changes while one looks.
import { send } from "../api.js";
import { fetchPiece, settled } from "../fragments.js";
import { onChange } from "../live.js";
import { attempt, toast } from "../toast.js";
import { refreshTimes } from "../times.js";

const refresh = settled(async () => {
  const fresh = (await fetchPiece("/fragments/home")).querySelector("#home-body");
  const body = document.getElementById("home-body");
  if (!fresh || fresh.isEqualNode(body)) return;
  const parts = (root) => [...root.children].map((part) => part.dataset.part).join();
  if (parts(fresh) !== parts(body)) {
    body.replaceChildren(...fresh.childNodes);
  } else {
    // only the parts that changed, so that pictures and focus stay
    [...fresh.children].forEach((part, i) => {
      const old = body.children[i];
      if (!old.contains(document.activeElement) || old.dataset.part === "running") same(old, part) || old.replaceWith(part);
    });
  }
  refreshTimes(body);
}, 400);

function same(old, part) {
  const plain = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("time, [data-since]").forEach((each) => each.remove());
    return copy;
  };
  return plain(old).isEqualNode(plain(part));
}

onChange((message) => "jobs" in message && refresh());

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-demo]");
  if (!button) return;
  document.querySelectorAll("[data-demo]").forEach((each) => (each.disabled = true));
  const answer = await attempt(() => send("POST", `/api/demo?part=${button.dataset.demo}`));
  document.querySelectorAll("[data-demo]").forEach((each) => (each.disabled = false));
  if (!answer) return;
  toast(`${answer.jobs.length} jobs queued`);
  refresh();
});
