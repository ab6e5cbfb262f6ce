// The list of volumes in the panel: add by path, take away, commands for other programs.

import { getJson } from "../api.js";
import { copy, toast } from "../toast.js";
import { forget } from "./loader.js";
import { namesOf } from "./names.js";
import { MOST_VOLUMES } from "./viewer.js";

/** What the server knows of a volume: shape, pixel size, grey values. */
export async function loadVolume(file) {
  const header = await getJson(`/api/volumes/header?${new URLSearchParams({ file })}`);
  return { file, header };
}

/** Read anew what was written anew; true if anything was. */
export async function refreshHeaders(viewer) {
  let changed = false;
  for (const volume of viewer.volumes) {
    const { header } = await loadVolume(volume.file).catch(() => ({ header: volume.header }));
    if (header.version !== volume.header.version) {
      forget(volume.file);
      volume.header = header;
      changed = true;
    }
  }
  return changed;
}

/** One line about a volume. */
export function summary(header) {
  const [z, y, x] = header.shape;
  const sampling = header.pixel_size ? `${Number(header.pixel_size.toPrecision(4))} Å/px` : "pixel size unknown";
  return `${x} × ${y} × ${z}, ${sampling}`;
}

/** Fill the list of volumes; `onRemove(volume)` takes one away. */
export function listVolumes(list, viewer, onRemove) {
  const names = namesOf(viewer.volumes);
  list.replaceChildren(...viewer.volumes.map((volume, place) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.className = "slices-file";
    name.textContent = names[place];
    name.title = volume.file;
    const about = document.createElement("span");
    about.className = "muted number";
    about.textContent = summary(volume.header);
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "button slices-remove";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `Take ${names[place]} away`);
    remove.addEventListener("click", () => onRemove(volume));
    item.append(name, remove, about);
    return item;
  }));
}

/** Let the form below the list add a volume. */
export function bindAdding(form, viewer, onAdd) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = form.elements.file;
    const file = field.value.trim();
    if (!file) return;
    if (viewer.volumes.length >= MOST_VOLUMES) {
      toast(`At most ${MOST_VOLUMES} volumes stand side by side; take one away first.`, "failed");
      return;
    }
    try {
      onAdd(await loadVolume(file));
      field.value = "";
    } catch (error) {
      toast(error.message, "failed");
    }
  });
}

/** Buttons that copy the command which opens the volume elsewhere. */
export function bindCommands(root, current) {
  for (const button of root.querySelectorAll("[data-command]")) {
    button.addEventListener("click", () => {
      const command = current()?.header.commands[button.dataset.command];
      if (command) copy(command, `Copied: ${command}`);
    });
  }
}
