// Unsaved edits, kept in the browser: a closed window or a crash loses nothing.

const PREFIX = "icelens.picks.";

function keyOf(wishes) {
  const { project, run, source, picks, volume, tomogram } = wishes;
  return PREFIX + JSON.stringify(project ? [project, run, source] : [picks, volume, tomogram]);
}

/** Keep the edits; false if the browser has no room or refuses. */
export function keepDraft(wishes, edits) {
  try {
    localStorage.setItem(keyOf(wishes), JSON.stringify(edits));
    return true;
  } catch {
    return false;
  }
}

/** Forget them: they are saved, or not wanted. */
export function dropDraft(wishes) {
  try {
    localStorage.removeItem(keyOf(wishes));
  } catch {
    // nothing was kept either
  }
}

/** The draft of these picks, or null. */
export function draftOf(wishes) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(wishes)));
  } catch {
    return null;
  }
}

/** Apply a draft; of one made on other picks only what was added. Returns what was applied. */
export function applyDraft(picks, history, draft) {
  const isSame = draft.version === picks.version;
  let count = 0;
  if (isSame) {
    for (const row of draft.deleted) {
      history.remove(row);
      count += 1;
    }
    for (const [row, z, y, x] of draft.moved) {
      history.moved(row, picks.positionOf(row), { z, y, x }, false);
      count += 1;
    }
  }
  for (const [name, z, y, x] of draft.added) {
    history.add(picks.addClass(name), { z, y, x });
    count += 1;
  }
  return { count, isSame };
}
