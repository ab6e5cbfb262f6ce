// Files that are dropped on a page go into the project's folder `uploads`, with progress.
import { size } from "../quantities.js";
import { toast } from "../toast.js";
import { element } from "./rows.js";

let shade = null;

/** Take what is dropped on the page; `onKept` is called with the path of each file. */
export function acceptDrops(onKept) {
  if (document.documentElement.dataset.readOnly === "yes") return;
  document.addEventListener("dragenter", (event) => { if (hasFiles(event)) showShade(); });
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) hideShade(); });
  document.addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hideShade();
    for (const file of event.dataTransfer.files) {
      const kept = await upload(file);
      if (kept) onKept(kept.path);
    }
  });
}

/** Send one file; answers {path, name, size}, or nothing if it was refused. */
export function upload(file) {
  const { box, bar, text } = progressBox(file);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const end = (answer) => { box.remove(); resolve(answer); };
    request.open("PUT", `/api/uploads/${encodeURIComponent(file.name)}`);
    request.upload.addEventListener("progress", (event) => {
      bar.style.width = `${(100 * event.loaded) / Math.max(1, event.total)}%`;
      text.textContent = `${size(event.loaded)} of ${size(event.total)}`;
    });
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status === 201) toast(`${answer.name} is in uploads`, "done");
      else toast(answer.error ?? `the server said ${request.status}`, "failed");
      end(request.status === 201 ? answer : null);
    });
    request.addEventListener("error", () => { toast(`${file.name}: the connection broke; drop it again`, "failed"); end(null); });
    request.addEventListener("abort", () => { toast(`${file.name}: not sent`); end(null); });
    box.querySelector("button").addEventListener("click", () => request.abort());
    request.send(file);
  });
}

function progressBox(file) {
  const box = element("div", "toast upload-line");
  const text = element("span", "muted small");
  const stop = element("button", "button quiet small", "Stop");
  stop.type = "button";
  const track = element("span", "progress");
  const bar = element("span");
  track.append(bar);
  const name = element("span", "", file.name);
  name.append(element("br"), text);
  box.append(name, stop, track);
  document.getElementById("toasts").append(box);
  return { box, bar, text };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function hasFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

function showShade() {
  if (shade) return;
  shade = element("div", "drop-shade");
  shade.append(element("p", "", "Drop to copy into the project"));
  document.body.append(shade);
}

function hideShade() {
  shade?.remove();
  shade = null;
}
