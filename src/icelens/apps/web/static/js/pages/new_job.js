// The form of a new job: checked while it is typed, kept as a draft, queued when it is whole.
import { send } from "../api.js";
import { acceptDrops } from "../files/drop.js";
import { commandText, costSays, costWaits, showCommand, showCost } from "../forms/cost.js";
import { Draft } from "../forms/drafts.js";
import { Fields, addPath, controlOf } from "../forms/fields.js";
import { letChoose, lookAtInput } from "../forms/inputs.js";
import { Lanes } from "../forms/lanes.js";
import { Presets } from "../forms/presets.js";
import { Problems, showWarnings } from "../forms/problems.js";
import { ago } from "../quantities.js";
import { attempt, copy, toast } from "../toast.js";

const PAUSE = 350;
const form = document.getElementById("job-form");
const { job } = form.dataset;
const number = Number(form.dataset.number) || null;
const fields = new Fields(form);
const problems = new Problems(form);
const lanes = new Lanes(form);
const draft = new Draft(form);
new Presets(job, fields);
letChoose(form, fields);

let timer = 0;
let asking = null;
let hasTried = false;

form.addEventListener("input", () => {
  draft.keep(fields.values());
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
});

/** Ask for the command and problems, then for the cost; a newer question ends an older one. */
async function look() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const question = { job, values: fields.values(), number };
  try {
    const answer = await send("POST", "/api/ask/check", question, { signal });
    showCommand(answer.command);
    showWarnings(form, answer.warnings);
    lookAtInput(fields, answer.warnings);
    // before the first try, what is missing is no mistake yet
    const told = hasTried ? answer.problems : answer.problems.filter((each) => each.message !== "is needed");
    problems.show(told, { isLoud: false });
    if (answer.problems.length) return costSays(answer.problems.some((each) => each.message === "is needed") ? "Told when the input is chosen." : "Told when the settings are right.");
    if (answer.warnings.length) return costSays("Told when the input is there.");
    costWaits();
    showCost(await send("POST", "/api/ask/estimate", question, { signal }));
  } catch (error) {
    if (error.name !== "AbortError") costSays(error.message);
  }
}

async function submit(options) {
  hasTried = true;
  const body = { job, values: fields.values(), ...lanes.options(), ...options };
  const answer = await attempt(async () => {
    const answer = await fetch(number ? `/api/jobs/${number}` : "/api/jobs", {
      method: number ? "PUT" : "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const content = await answer.json();
    if (answer.ok) return content;
    if (!content.problems) throw new Error(content.error);
    problems.show(content.problems);
    return null;
  });
  if (!answer) return;
  draft.forget();
  location.assign(`/jobs/${answer.number}`);
}

form.addEventListener("submit", (event) => { event.preventDefault(); submit({ run_now: false, is_draft: false }); });
document.getElementById("run-now").addEventListener("click", () => submit({ run_now: true, is_draft: false }));
document.getElementById("save-draft").addEventListener("click", () => submit({ run_now: false, is_draft: true }));
document.getElementById("copy-command").addEventListener("click", () => copy(commandText(), "the command is copied"));
document.getElementById("reset-all").addEventListener("click", () => {
  const inputs = Object.fromEntries(fields.boxes.filter((box) => box.hasAttribute("data-needed")).map((box) => [box.dataset.key, fields.value(box)]));
  fields.set(inputs, { isWhole: true });
  toast("settings are back to the usual, the input is kept");
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  else if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
});

/** Put back what was typed before, unless the page came with values of its own. */
function putBack() {
  const kept = draft.read();
  if (!kept || JSON.stringify(kept.values) === JSON.stringify(fields.values())) return;
  const note = document.getElementById("draft-note");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button small";
  const begun = fields.values();
  const isFresh = !form.dataset.given;
  if (isFresh) fields.set(kept.values);
  button.textContent = isFresh ? "Discard" : "Put them back";
  button.addEventListener("click", () => {
    note.hidden = true;
    fields.set(isFresh ? begun : kept.values, { isWhole: true });
    if (isFresh) draft.forget();
  });
  note.replaceChildren(isFresh ? `What you typed ${ago(kept.time)} was put back.` : `You typed other values ${ago(kept.time)}.`, button);
  note.hidden = false;
}

acceptDrops((path) => {
  const isEmpty = (box) => !fields.value(box).length || box.dataset.widget === "paths";
  const readable = fields.boxes.filter((box) => ["path", "paths"].includes(box.dataset.widget) && !box.hasAttribute("data-written"));
  const box = readable.find((each) => each.contains(document.activeElement)) ?? readable.find(isEmpty);
  if (!box) return;
  if (box.dataset.widget === "paths") addPath(box, path);
  else controlOf(box).value = path;
  fields.tell(box);
});

putBack();
look();
