// The dialog that saves edited picks as a new session or a new file, never over the old ones.

import { send } from "../api.js";
import { toast } from "../toast.js";
import { remember, remembered } from "../slices/memory.js";
import { dropDraft } from "./draft.js";
import { freeSession } from "./source.js";

/** Bind the dialog; `state` gives wishes, here (sources) and picks; `onSaved(answer)` comes last. */
export function bindSaving(root, state, onSaved) {
  const dialog = root.querySelector("[data-picks=save-dialog]");
  const form = dialog.querySelector("form");
  const { user, session } = form.elements;
  const isProject = () => Boolean(state.wishes.project);
  const offer = () => {
    if (isProject()) session.value = freeSession(state.here.sources, user.value.trim());
  };
  user.addEventListener("change", offer);
  root.querySelector("[data-picks=save]").addEventListener("click", () => {
    for (const each of form.querySelectorAll("[data-only]")) {
      each.hidden = each.dataset.only !== (isProject() ? "project" : "file");
    }
    user.required = session.required = isProject();
    user.value ||= remembered("user", "curation");
    offer();
    form.querySelector("[data-picks=summary]").textContent = summary(state.picks);
    dialog.showModal();
  });
  form.querySelector("[data-picks=cancel]").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    try {
      remember("user", user.value.trim());
      const answer = await save(state, form);
      dropDraft(state.wishes);
      dialog.close();
      onSaved(answer);
    } catch (error) {
      toast(error.message, "failed");
    } finally {
      button.disabled = false;
    }
  });
}

async function save({ wishes, picks }, form) {
  const edits = picks.edits();
  edits.least_scores = {};
  if (form.elements.thresholds.checked) {
    for (const { name, leastScore } of picks.classes) {
      if (Number.isFinite(leastScore)) edits.least_scores[name] = leastScore;
    }
  }
  if (!wishes.project) {
    const { picks: file, volume, tomogram } = wishes;
    return send("POST", "/api/picks/files", { picks: file, volume, tomogram: tomogram || null, edits });
  }
  const { project, run, source, volume } = wishes;
  const user = form.elements.user.value.trim();
  const session = form.elements.session.value.trim();
  return send("POST", "/api/picks/sessions", { project, run, source, volume, user, session, edits });
}

/** What changed, in words. */
export function summary(picks) {
  const { added, moved, deleted } = picks.edits();
  const words = [[added, "added"], [moved, "moved"], [deleted, "deleted"]]
    .filter(([rows]) => rows.length)
    .map(([rows, what]) => `${rows.length} ${what}`);
  return words.join(", ") || "no edits";
}
