// The page of orthoslices: volumes from the address, panel, keys.

import { toast } from "../toast.js";
import { bindControls } from "../slices/controls.js";
import { listenToKeys } from "../slices/keys.js";
import { rememberedContrast } from "../slices/memory.js";
import { showReadout } from "../slices/readout.js";
import { saveCsv, savePng, saveSvg } from "../slices/save.js";
import { MOST_VOLUMES, Viewer } from "../slices/viewer.js";
import { bindAdding, bindCommands, listVolumes, loadVolume, refreshHeaders } from "../slices/volumes.js";

const root = document.querySelector("#slices");
const stage = root.querySelector("[data-slices=stage]");
const list = root.querySelector("[data-slices=volumes]");
let update = () => {};

const viewer = new Viewer(stage, {
  contrast: rememberedContrast(),
  onError: (message) => toast(message, "failed"),
  onChange: (what) => {
    update(what);
    showReadout(root, viewer);
  },
});
update = bindControls(root, viewer);

function changed() {
  listVolumes(list, viewer, (volume) => {
    viewer.remove(volume);
    changed();
  });
  const isEmpty = viewer.volumes.length === 0;
  root.classList.toggle("is-empty", isEmpty);
  root.querySelector("[data-slices=empty]").hidden = !isEmpty;
  const query = new URLSearchParams(viewer.volumes.map(({ file }) => ["file", file]));
  history.replaceState(null, "", isEmpty ? location.pathname : `?${query}`);
}

function add(volume) {
  viewer.add(volume);
  changed();
}

const current = () => viewer.active?.volume ?? viewer.volumes[0];
bindAdding(root.querySelector("[data-slices=add]"), viewer, add);
bindCommands(root, current);
listenToKeys(viewer);
for (const [name, save] of Object.entries({ png: savePng, svg: saveSvg, csv: saveCsv })) {
  root.querySelector(`[data-save="${name}"]`).addEventListener("click", () => {
    if (viewer.active?.plane) save(viewer.active);
  });
}
window.addEventListener("focus", async () => {
  if (await refreshHeaders(viewer)) viewer.refresh();
});

const files = new URLSearchParams(location.search).getAll("file");
if (files.length > MOST_VOLUMES) toast(`Only the first ${MOST_VOLUMES} volumes are shown.`);
for (const answer of await Promise.allSettled(files.slice(0, MOST_VOLUMES).map(loadVolume))) {
  if (answer.status === "fulfilled") viewer.add(answer.value);
  else toast(answer.reason.message, "failed");
}
changed();
root.dataset.ready = "true";
