// The panel beside the planes: sliders, numbers and buttons bound to a viewer.

import { AXES, extent, pixel, voxelAt } from "./geometry.js";
import { remember } from "./memory.js";

const CLIPS = [0, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 7, 10, 15, 20];

/** Bind the elements of `_slices_panel.html` below `root` to a viewer. */
export function bindControls(root, viewer) {
  const find = (name) => root.querySelector(`[data-slices="${name}"]`);
  const axes = Object.fromEntries(AXES.map((axis) => [axis, bindAxis(root, viewer, axis)]));

  for (const button of root.querySelectorAll("[data-layout]")) {
    button.addEventListener("click", () => viewer.setLayout(button.dataset.layout));
  }
  for (const button of root.querySelectorAll("[data-mode]")) {
    button.addEventListener("click", () => viewer.setMode(button.dataset.mode));
  }
  const slab = find("slab");
  slab.addEventListener("input", () => viewer.setSlab(Number(slab.value)));
  const clip = find("clip");
  clip.max = CLIPS.length - 1;
  clip.addEventListener("input", () => viewer.setContrast({ clip: CLIPS[clip.value] }));
  const invert = find("invert");
  invert.addEventListener("change", () => viewer.setContrast({ isInverted: invert.checked }));
  find("reset").addEventListener("click", () => viewer.setContrast({ shift: 0, gain: 1, clip: 1 }));
  find("fit").addEventListener("click", () => viewer.fit());
  const cross = find("crosshair");
  cross.addEventListener("change", () => {
    viewer.hasCrosshair = cross.checked;
    viewer.invalidate();
  });

  return function update(what) {
    const header = viewer.volumes[0]?.header;
    if (!header) return;
    for (const axis of AXES) axes[axis](header);
    if (what === "hover" || what === "position") return;
    for (const button of root.querySelectorAll("[data-layout]")) press(button, button.dataset.layout === viewer.layout);
    for (const button of root.querySelectorAll("[data-mode]")) press(button, button.dataset.mode === viewer.mode);
    slab.value = viewer.slab;
    find("slab-text").textContent = slabText(viewer.slab, header);
    clip.value = nearest(viewer.contrast.clip);
    find("clip-text").textContent = clipText(viewer.contrast);
    invert.checked = viewer.contrast.isInverted;
    if (what === "contrast") {
      remember("contrast", { clip: viewer.contrast.clip, isInverted: viewer.contrast.isInverted });
    }
  };
}

function bindAxis(root, viewer, axis) {
  const slider = root.querySelector(`[data-axis-slider="${axis}"]`);
  const number = root.querySelector(`[data-axis-number="${axis}"]`);
  const length = root.querySelector(`[data-axis-length="${axis}"]`);
  const go = (text) => {
    const voxel = Number(text);
    const header = viewer.volumes[0]?.header;
    if (header && text !== "" && Number.isFinite(voxel)) {
      viewer.moveTo({ ...viewer.view.position, [axis]: voxel * pixel(header) });
    }
  };
  slider.addEventListener("input", () => go(slider.value));
  number.addEventListener("change", () => go(number.value));
  return function update(header) {
    const last = Math.round(extent(header, axis) / pixel(header)) - 1;
    const voxel = voxelAt(header, axis, viewer.view.position[axis]);
    slider.max = last;
    slider.value = voxel;
    number.max = last;
    if (document.activeElement !== number) number.value = voxel;
    length.textContent = positionText(viewer.view.position[axis], header);
  };
}

/** A position in Å, or a note that the file does not know its pixel size. */
function positionText(position, header) {
  return header.pixel_size ? `${position.toFixed(1)} Å` : "no pixel size";
}

function slabText(slab, header) {
  const planes = slab === 1 ? "1 plane" : `${slab} planes`;
  return header.pixel_size ? `${planes}, ${Number((slab * header.pixel_size).toPrecision(3))} Å` : planes;
}

function clipText({ clip, shift, gain }) {
  const moved = shift !== 0 || gain !== 1 ? ", moved by hand" : "";
  return `${clip} % at each end${moved}`;
}

function nearest(clip) {
  const place = CLIPS.findIndex((each) => each >= clip);
  return place < 0 ? CLIPS.length - 1 : place;
}

function press(button, isPressed) {
  button.setAttribute("aria-pressed", String(isPressed));
}
