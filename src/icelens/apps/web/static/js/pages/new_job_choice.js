// The choice of a job: type to narrow it down, Enter opens the first.
const filter = document.getElementById("job-filter");
const items = [...document.querySelectorAll("#choice li")];
const none = document.getElementById("none-found");

function narrow() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of items) item.hidden = !words.every((word) => item.dataset.text.includes(word));
  for (const panel of document.querySelectorAll("#choice .panel")) panel.hidden = !panel.querySelector("li:not([hidden])");
  none.hidden = items.some((item) => !item.hidden) || items.length === 0;
}

filter.addEventListener("input", narrow);
filter.addEventListener("keydown", (event) => {
  const first = items.find((item) => !item.hidden);
  if (event.key === "Enter" && first) first.querySelector("a").click();
});
document.addEventListener("keydown", (event) => {
  const rows = items.filter((item) => !item.hidden).map((item) => item.querySelector("a"));
  const typing = event.target.matches("input");
  const step = { ArrowDown: 1, ArrowUp: -1, ...(typing ? {} : { j: 1, k: -1 }) }[event.key];
  if (!step || !rows.length || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const here = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, here + step))].focus();
});
filter.focus();
narrow();
