// The data of a project: each set is read when it is opened; what is dropped is taken.
import { getJson } from "../api.js";
import { showParticles } from "../data/particles.js";
import { TomogramTable } from "../data/tomograms.js";
import { acceptDrops, upload } from "../files/drop.js";
import { element } from "../files/rows.js";

const columns = JSON.parse(document.getElementById("columns").textContent);
const LISTED = /\.(star|cs)$/i;
const kept = [];

for (const set of document.querySelectorAll(".set")) {
  set.addEventListener("toggle", () => set.open && read(set));
  if (set.open) read(set);
}

async function read(set) {
  if (set.dataset.read) return;
  set.dataset.read = "yes";
  const body = set.querySelector(".set-body");
  const { kind, file } = set.dataset;
  try {
    const answer = await getJson(`/api/data/${kind}?file=${encodeURIComponent(file)}`);
    if (kind === "tomograms") new TomogramTable(set, columns).show(answer);
    else showParticles(set, answer);
  } catch (error) {
    delete set.dataset.read;
    const list = element("ul", "problems");
    const item = element("li");
    item.append(element("span", "", error.message));
    const again = element("button", "button small", "Try again");
    again.type = "button";
    again.addEventListener("click", () => read(set));
    item.append(again);
    list.append(item);
    body.replaceChildren(list);
  }
}

function taken(path) {
  kept.push(path);
  if (LISTED.test(path)) setTimeout(() => location.reload(), 1200);
}

acceptDrops(taken);
const input = document.getElementById("upload-files");
document.getElementById("upload")?.addEventListener("click", () => input.click());
input?.addEventListener("change", async () => {
  for (const file of input.files) {
    const answer = await upload(file);
    if (answer) taken(answer.path);
  }
  input.value = "";
});
