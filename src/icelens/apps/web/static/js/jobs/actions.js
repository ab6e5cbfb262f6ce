// Do something with a job or several: start, stop, resume, remove, put back.
import { send } from "../api.js";
import { toast } from "../toast.js";

const DONE = { start: "queued", now: "queued to run at once", cancel: "asked to stop", resume: "queued again", remove: "moved to the trash", restore: "put back" };

/** Ask for one action; what went wrong is said. */
export async function act(number, action) {
  return actOnAll([number], action);
}

/** Ask the same for several jobs, one after the other; returns the numbers for which it worked. */
export async function actOnAll(numbers, action) {
  const worked = [];
  const refusals = [];
  for (const number of numbers) {
    try {
      await send("POST", `/api/jobs/${number}/${action}`);
      worked.push(number);
    } catch (error) {
      refusals.push(error.message);
    }
  }
  if (worked.length) say(worked, action);
  for (const text of refusals.slice(0, 3)) toast(text, "failed");
  if (refusals.length > 3) toast(`and ${refusals.length - 3} more could not be done`, "failed");
  return worked;
}

function say(numbers, action) {
  const names = numbers.length > 3 ? `${numbers.length} jobs` : numbers.map((number) => `J${number}`).join(", ");
  const box = toast(`${names} ${DONE[action]}`);
  if (action !== "remove") return;
  const undo = document.createElement("button");
  undo.className = "button small undo";
  undo.textContent = "Put back";
  undo.addEventListener("click", () => actOnAll(numbers, "restore"));
  box.append(" ", undo);
}
