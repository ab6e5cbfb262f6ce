// An SVG of the page as a file: its looks, which style sheets give, are written into it, light and whole.

import { inLightTheme, tokens } from "../tokens.js";

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity", "font-family", "font-size", "font-weight", "paint-order", "stroke-linejoin"];

/** The text of a drawing, in the light theme, all of it, without what only pages need. */
export function svgFile(svg) {
  const copy = svg.cloneNode(true);
  const { ground } = inLightTheme(() => {
    inline(svg, copy);
    return tokens({ ground: "surface" });
  });
  const { width, height } = svg.dataset;
  for (const name of ["class", "tabindex", "data-width", "data-height"]) copy.removeAttribute(name);
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.querySelectorAll(".reach, .around").forEach((part) => part.remove());
  copy.querySelectorAll("a").forEach((link) => link.replaceWith(...link.childNodes));
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  rect.setAttribute("width", width);
  rect.setAttribute("height", height);
  rect.setAttribute("fill", ground);
  copy.prepend(rect);
  return new XMLSerializer().serializeToString(copy);
}

function inline(from, to) {
  const looks = getComputedStyle(from);
  if (["path", "rect", "circle", "text"].includes(from.localName)) {
    for (const name of STYLES) to.setAttribute(name, looks.getPropertyValue(name));
  }
  if (from.localName === "g") to.setAttribute("opacity", "1");
  [...from.children].forEach((child, i) => inline(child, to.children[i]));
}
