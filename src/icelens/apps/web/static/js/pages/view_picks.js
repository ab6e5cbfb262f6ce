// The page of picks: a tomogram's planes with circles that can be edited, and saved as new picks.

import { toast } from "../toast.js";
import { bindOpening, bindProject } from "../picks/choose.js";
import { listClasses } from "../picks/classes.js";
import { applyDraft, draftOf, dropDraft, keepDraft } from "../picks/draft.js";
import { History } from "../picks/history.js";
import { Overlay } from "../picks/overlay.js";
import { bindSaving, summary } from "../picks/saving.js";
import { chooseInProject, loadFile, loadSession, wishesOf, addressOf } from "../picks/source.js";
import { bindTools } from "../picks/tools.js";
import { PickTool } from "../picks/tool.js";
import { bindControls } from "../slices/controls.js";
import { listenToKeys } from "../slices/keys.js";
import { rememberedContrast } from "../slices/memory.js";
import { showReadout } from "../slices/readout.js";
import { Viewer } from "../slices/viewer.js";
import { loadVolume } from "../slices/volumes.js";

const root = document.querySelector("#picks");
const find = (name) => root.querySelector(`[data-picks="${name}"]`);
const state = { wishes: wishesOf(location.search), here: { sources: [] }, picks: null, history: null, kind: 0 };
let update = () => {};
let refreshClasses = () => {};

const viewer = new Viewer(root.querySelector("[data-slices=stage]"), {
  contrast: rememberedContrast(),
  onError: (message) => toast(message, "failed"),
  onChange: (what) => {
    update(what);
    showReadout(root, viewer);
  },
});
update = bindControls(root, viewer);
const overlay = new Overlay(viewer);

function show() {
  refreshClasses();
  find("changes").textContent = state.history.isChanged ? summary(state.picks) : "no edits";
  find("discard").hidden = !state.history.isChanged;
  find("undo").disabled = state.history.done.length === 0;
  find("redo").disabled = state.history.undone.length === 0;
  viewer.invalidate();
}

function changed() {
  if (state.history.isChanged) {
    if (!keepDraft(state.wishes, state.picks.edits())) toast("The browser cannot keep a draft of these edits; save them soon.", "failed");
  } else dropDraft(state.wishes);
  tools.describe();
  show();
}

function listAll() {
  refreshClasses = listClasses(find("classes"), state.picks, {
    active: state.kind,
    onChange: show,
    onActive: (kind) => { state.kind = kind; },
  });
}

function take(picks) {
  state.picks = picks;
  state.history = new History(picks, () => {});
  overlay.picks = picks;
  overlay.range = picks.scoreRange(null);
  const draft = draftOf(state.wishes);
  if (draft) {
    const { count, isSame } = applyDraft(picks, state.history, draft);
    if (count) toast(isSame ? `${count} unsaved edits are back.` : `The picks changed since your edits; ${count} added picks are back.`);
  }
  state.history.onChange = changed;
  listAll();
  tools.showDiameter();
  changed();
}

async function open() {
  let { wishes } = state;
  if (wishes.project) {
    const found = await chooseInProject(wishes);
    Object.assign(state, found);
    ({ wishes } = found);
    bindProject(root, found);
  } else if (!wishes.volume || !wishes.picks) {
    find("empty").hidden = false;
    find("opening").open = true;
    return;
  }
  const loading = wishes.project ? loadSession(wishes, wishes.source) : loadFile(wishes);
  const [volume, picks] = await Promise.all([loadVolume(wishes.volume), loading]);
  viewer.add(volume);
  if (wishes.reference) overlay.reference = await loadSession(wishes, wishes.reference);
  find("tools").hidden = false;
  take(picks);
  viewer.setMode("slice");
}

const isReadOnly = document.documentElement.dataset.readOnly === "yes";
const tool = new PickTool({
  viewer, overlay, isReadOnly,
  history: () => state.history,
  kindToAdd: () => state.kind,
  onSelect: () => tools.describe(),
});
viewer.tool = tool;
const tools = bindTools(root, { viewer, overlay, tool, state, isReadOnly, show });
listenToKeys(viewer, tools.keys);
bindOpening(root);
bindSaving(root, state, (answer) => {
  const total = Object.values(answer.counts).reduce((sum, count) => sum + count, 0);
  toast(`Saved ${total} picks as ${answer.source || answer.file}.`, "done");
  state.history.done = []; // nothing is unsaved any more: leaving needs no question
  const { wishes } = state;
  const next = wishes.project ? { ...wishes, source: answer.source, volume: "" } : { ...wishes, picks: answer.file };
  setTimeout(() => location.assign(addressOf(next)), 900);
});
find("discard").addEventListener("click", () => {
  if (!confirm("Discard all edits since these picks were opened?")) return;
  dropDraft(state.wishes);
  state.history.done = [];
  location.reload();
});
window.addEventListener("beforeunload", (event) => {
  if (state.history?.isChanged) event.preventDefault();
});

try {
  await open();
} catch (error) {
  toast(error.message, "failed");
  find("opening").open = true;
}
root.dataset.ready = "true";
